/// SHA-256 (FIPS 180-4): what a durable store keeps of a token, so that its file lets nobody in.
enum TokenDigest {
    /// The 32 bytes of the digest.
    static func of(_ bytes: Span<UInt8>) -> [UInt8] {
        var state: InlineArray<8, UInt32> = [
            0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a,
            0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19,
        ]
        // The bytes, a one bit, zeros, and the length in bits fill whole blocks of 64 bytes.
        let blocks = (bytes.count + 9 + 63) / 64
        let bits = UInt64(bytes.count) &* 8
        for block in 0..<blocks {
            var words = InlineArray<64, UInt32>(repeating: 0)
            for index in 0..<64 {
                let position = block * 64 + index
                let byte: UInt8 =
                    if position < bytes.count {
                        bytes[position]
                    } else if position == bytes.count {
                        0x80
                    } else if block == blocks - 1, index >= 56 {
                        UInt8(truncatingIfNeeded: bits >> UInt64(8 * (63 - index)))
                    } else {
                        0
                    }
                words[index / 4] |= UInt32(byte) << UInt32(24 - 8 * (index % 4))
            }
            Self.add(&words, to: &state)
        }
        return [UInt8](capacity: 32) { output in
            for index in 0..<32 {
                let word = state[index / 4]
                output.append(UInt8(truncatingIfNeeded: word >> UInt32(24 - 8 * (index % 4))))
            }
        }
    }

    private static func add(
        _ words: inout InlineArray<64, UInt32>,
        to state: inout InlineArray<8, UInt32>
    ) {
        for index in 16..<64 {
            let (near, far) = (words[index - 2], words[index - 15])
            let spreadNear = Self.turned(near, 17) ^ Self.turned(near, 19) ^ (near >> 10)
            let spreadFar = Self.turned(far, 7) ^ Self.turned(far, 18) ^ (far >> 3)
            words[index] = words[index - 16] &+ spreadFar &+ words[index - 7] &+ spreadNear
        }
        var work = state
        for index in 0..<64 {
            let (a, b, c, e) = (work[0], work[1], work[2], work[4])
            let sumE = Self.turned(e, 6) ^ Self.turned(e, 11) ^ Self.turned(e, 25)
            let choice = (e & work[5]) ^ (~e & work[6])
            let first = work[7] &+ sumE &+ choice &+ Self.constants[index] &+ words[index]
            let sumA = Self.turned(a, 2) ^ Self.turned(a, 13) ^ Self.turned(a, 22)
            let second = sumA &+ ((a & b) ^ (a & c) ^ (b & c))
            work = [first &+ second, a, b, c, work[3] &+ first, e, work[5], work[6]]
        }
        for index in 0..<8 { state[index] = state[index] &+ work[index] }
    }

    private static func turned(_ word: UInt32, _ bits: UInt32) -> UInt32 {
        word >> bits | word << (32 - bits)
    }

    private static let constants: InlineArray<64, UInt32> = [
        0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5, 0x3956_c25b, 0x59f1_11f1,
        0x923f_82a4, 0xab1c_5ed5, 0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3,
        0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174, 0xe49b_69c1, 0xefbe_4786,
        0x0fc1_9dc6, 0x240c_a1cc, 0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da,
        0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7, 0xc6e0_0bf3, 0xd5a7_9147,
        0x06ca_6351, 0x1429_2967, 0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13,
        0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85, 0xa2bf_e8a1, 0xa81a_664b,
        0xc24b_8b70, 0xc76c_51a3, 0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070,
        0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5, 0x391c_0cb3, 0x4ed8_aa4a,
        0x5b9c_ca4f, 0x682e_6ff3, 0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208,
        0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2,
    ]
}

/// CRC-32C (Castagnoli), RFC 3720 B.4, over the parts of a row one after the other.
struct Checksum: Sendable {
    private var state = UInt32.max

    /// The checksum of what was added.
    var value: UInt32 { ~self.state }

    /// The checksum of a packet's row: client, number, header fields and body.
    static func ofRow(client: Int64, number: PacketNumber, _ contents: PacketContents) -> UInt32 {
        var checksum = Checksum()
        checksum.add(UInt64(bitPattern: client))
        checksum.add(number)
        checksum.add(UInt64(contents.headerCount))
        checksum.add(contents.bytes.span)
        return checksum.value
    }

    /// Adds the eight bytes of a number, lowest first.
    mutating func add(_ number: UInt64) {
        for shift in stride(from: 0 as UInt64, to: 64, by: 8) {
            self.add(UInt8(truncatingIfNeeded: number >> shift))
        }
    }

    /// Adds bytes.
    mutating func add(_ bytes: Span<UInt8>) {
        for index in bytes.indices { self.add(bytes[index]) }
    }

    private mutating func add(_ byte: UInt8) {
        let index = Int(UInt8(truncatingIfNeeded: self.state) ^ byte)
        self.state = Self.table[index] ^ (self.state >> 8)
    }

    /// The remainder of each byte, for the reflected polynomial 0x82F63B78.
    private static let table: InlineArray<256, UInt32> = InlineArray { index in
        (0..<8).reduce(UInt32(truncatingIfNeeded: index)) { remainder, _ in
            remainder & 1 == 0 ? remainder >> 1 : (remainder >> 1) ^ 0x82F6_3B78
        }
    }
}

/// The sender's own id of a packet: 1 to 128 visible ASCII characters.
///
/// Copies share the bytes.
package struct PacketKey: Sendable, Hashable {
    /// The longest key, in bytes.
    package static let bytesMax = 128

    /// The id as it came.
    package let bytes: [UInt8]

    /// What the store compares.
    let fingerprint: Fingerprint

    /// Two keyed hashes of a key, of 64 bits each.
    ///
    /// That two keys of a client have the same ones happens once in 2^128 pairs, and nobody without
    /// the seed can look for such a pair; so the keys themselves need not be kept.
    struct Fingerprint: Sendable, Hashable {
        let high: UInt64
        let low: UInt64
    }

    /// Nil for what cannot be a key.
    package init?(_ bytes: Span<UInt8>) {
        guard Self.isValid(bytes) else { return nil }
        self.bytes = [UInt8](capacity: bytes.count) { output in
            for index in bytes.indices { output.append(bytes[index]) }
        }
        self.fingerprint = Fingerprint(
            high: KeyHash.of(bytes),
            low: KeyHash.of(bytes, variant: 1)
        )
    }

    /// Whether `bytes` can be a key.
    package static func isValid(_ bytes: Span<UInt8>) -> Bool {
        guard 1...Self.bytesMax ~= bytes.count else { return false }
        for index in bytes.indices where !(0x21...0x7E ~= bytes[index]) { return false }
        return true
    }
}

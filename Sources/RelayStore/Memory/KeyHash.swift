/// The hash of ids and tokens: keyed with a seed of this process, so that nobody can choose ids
/// that fall together.
///
/// `SWIFT_DETERMINISTIC_HASHING=1` in the environment makes it the same in every run.
enum KeyHash {
    /// The hash of `bytes`.
    static func of(_ bytes: Span<UInt8>) -> UInt64 {
        var hasher = Hasher()
        // The hasher reads the bytes of the span inside the call and keeps nothing of them.
        unsafe bytes.withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
        return UInt64(bitPattern: Int64(hasher.finalize()))
    }

    /// Another hash of `bytes`, which says nothing about the first one; `variant` is not 0.
    static func of(_ bytes: Span<UInt8>, variant: UInt8) -> UInt64 {
        var hasher = Hasher()
        hasher.combine(variant)
        // As above.
        unsafe bytes.withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
        return UInt64(bitPattern: Int64(hasher.finalize()))
    }

    /// The hash of a key in one realm, so that realms do not meet in a table.
    static func mixed(_ hash: UInt64, realm: RealmID) -> UInt64 {
        let mixed = (hash ^ UInt64(truncatingIfNeeded: realm.index)) &* 0x9E37_79B9_7F4A_7C15
        return mixed ^ (mixed >> 32)
    }

    /// Whether both are the same bytes.
    static func areEqual(_ one: [UInt8], _ other: Span<UInt8>) -> Bool {
        let span = one.span
        guard span.count == other.count else { return false }
        for index in span.indices where span[index] != other[index] {
            return false
        }
        return true
    }
}

/// An IPv4 or IPv6 address.
///
/// An IPv4 address mapped into IPv6 (`::ffff:10.0.0.1`) is the IPv4 one.
package enum IPAddress: Sendable, Hashable {
    /// The 32 bits, the first octet in the highest ones.
    case v4(UInt32)

    /// The 128 bits, in two halves.
    case v6(high: UInt64, low: UInt64)

    /// An IPv6 address, or the IPv4 address that it carries.
    package init(high: UInt64, low: UInt64) {
        if high == 0, low >> 32 == 0xffff {
            self = .v4(UInt32(truncatingIfNeeded: low))
        } else {
            self = .v6(high: high, low: low)
        }
    }
}

/// A block of addresses: `10.0.0.0/8`, `2001:db8::/32`, or a single address.
package struct AddressRange: Sendable, Hashable {
    /// The first address of the block.
    package let base: IPAddress

    /// How many leading bits are fixed: 0 to 32 for IPv4, 0 to 128 for IPv6.
    package let prefixLength: Int

    /// Makes a block; nil if the prefix is too long for the address or the address has bits behind
    /// it.
    package init?(base: IPAddress, prefixLength: Int) {
        guard prefixLength >= 0, prefixLength <= base.bitWidth else { return nil }
        guard base.truncated(toPrefix: prefixLength) == base else { return nil }
        self.base = base
        self.prefixLength = prefixLength
    }

    /// Whether `address` lies in the block.
    package func contains(_ address: IPAddress) -> Bool {
        switch (self.base, address) {
        case (.v4, .v4), (.v6, .v6):
            address.truncated(toPrefix: self.prefixLength) == self.base
        case (.v4, .v6), (.v6, .v4):
            false
        }
    }
}

extension IPAddress {
    /// 32 or 128.
    package var bitWidth: Int {
        switch self {
        case .v4: 32
        case .v6: 128
        }
    }

    /// The address with all bits behind the first `length` cleared.
    func truncated(toPrefix length: Int) -> IPAddress {
        // Swift's smart shift gives 0 for a shift by the whole width.
        switch self {
        case .v4(let bits):
            return .v4(bits & (UInt32.max << (32 - length)))
        case .v6(let high, let low):
            let highMask = length >= 64 ? UInt64.max : UInt64.max << (64 - length)
            let lowMask = length <= 64 ? 0 : UInt64.max << (128 - length)
            return .v6(high: high & highMask, low: low & lowMask)
        }
    }
}

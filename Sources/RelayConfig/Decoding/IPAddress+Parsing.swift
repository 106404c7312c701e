import Glibc

extension IPAddress {
    /// Reads an address as inet_pton(3) does: no zone, no brackets, no short forms.
    package init?(_ text: String) {
        var bytes = [UInt8](repeating: 0, count: 16)
        let isV6 = text.utf8.contains(0x3A)
        let family = isV6 ? AF_INET6 : AF_INET
        let result = unsafe bytes.withUnsafeMutableBytes { buffer in
            unsafe inet_pton(family, text, buffer.baseAddress)
        }
        // A NUL would end the text early.
        guard result == 1, !text.utf8.contains(0) else { return nil }
        func number(_ range: Range<Int>) -> UInt64 {
            bytes[range].reduce(0) { $0 << 8 | UInt64($1) }
        }
        if isV6 {
            self.init(high: number(0..<8), low: number(8..<16))
        } else {
            self = .v4(UInt32(truncatingIfNeeded: number(0..<4)))
        }
    }

    /// Whether it is the machine itself: `127.0.0.0/8` or `::1`.
    var isLoopback: Bool {
        switch self {
        case .v4(let bits): bits >> 24 == 127
        case .v6(let high, let low): high == 0 && low == 1
        }
    }
}

extension IPAddress: CustomStringConvertible {
    /// The usual form, as inet_ntop(3) writes it: `10.0.0.1`, `2001:db8::1`.
    package var description: String {
        var bytes: [UInt8]
        switch self {
        case .v4(let bits):
            bytes = [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: bits >> $0) }
        case .v6(let high, let low):
            bytes = [high, low].flatMap { half in
                stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: half >> $0) }
            }
        }
        // The longest is 45 characters and a zero.
        return unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { text in
            let family = bytes.count == 4 ? AF_INET : AF_INET6
            let written = unsafe inet_ntop(family, &bytes, text.baseAddress, 64)
            return unsafe written.map { unsafe String(cString: $0) } ?? ""
        }
    }
}

extension AddressRange: CustomStringConvertible {
    /// As relay.yaml writes it: `10.0.0.0/8`; a single address without its prefix.
    package var description: String {
        let isSingle = self.prefixLength == self.base.bitWidth
        return isSingle ? "\(self.base)" : "\(self.base)/\(self.prefixLength)"
    }
}

extension Form<AddressRange> {
    /// A block of addresses, or a single one.
    static let addressRange = scalar("an address", isText: true) { word throws(Rejection) in
        let parts = word.text.split(separator: "/", omittingEmptySubsequences: false)
        let base = parts.first.flatMap { IPAddress(String($0)) }
        guard let base, parts.count <= 2 else {
            throw Rejection("is an address or a block, not \(word.shown); write '10.0.0.0/8'")
        }
        var length = base.bitWidth
        if parts.count == 2 {
            let quantity = Quantity(String(parts[1]))
            guard let quantity, quantity.unit.isEmpty, quantity.number <= base.bitWidth else {
                throw Rejection("has a prefix of 0 to \(base.bitWidth) bits, not so \(word.shown)")
            }
            length = quantity.number
        }
        guard let range = AddressRange(base: base, prefixLength: length) else {
            let block = "\(base.truncated(toPrefix: length))/\(length)"
            throw Rejection("has bits behind its prefix in \(word.shown); write '\(block)'")
        }
        return range
    } print: {
        $0.description
    }
}

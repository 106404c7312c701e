/// The host and port of a `Host` field or an absolute target, by position (RFC 3986 section 3.2).
package struct Authority: Equatable, Sendable {
    /// What kind of host it names.
    package enum Kind: UInt8, Sendable {
        /// A name, such as `example.com`.
        case name
        /// An IPv4 address in dotted decimals.
        case ipv4
        /// An IPv6 address in brackets.
        case ipv6
    }

    /// Host and port as they were written.
    package var whole: ByteRange
    /// The host without port, an IPv6 address without its brackets; never empty.
    package var host: ByteRange
    /// The port, if one was written.
    package var port: UInt16?
    /// What kind of host it names.
    package var kind: Kind

    /// Reads `host[:port]`; nil unless all of `bytes` at `range` is one valid, non-empty authority.
    ///
    /// Refuses user information, future IP literals, zone identifiers, ports above 65535 and names with
    /// bytes other than unreserved, sub-delims and well-formed escapes.
    package init?(_ range: ByteRange, in bytes: Span<UInt8>) {
        let all = range.range
        guard !all.isEmpty else { return nil }
        let hostEnd: Int
        if bytes[all.lowerBound] == 0x5B {
            let bracket = Scanner.first(0x5D, in: bytes, all)
            guard bracket < all.upperBound else { return nil }
            self.host = ByteRange((all.lowerBound + 1)..<bracket)
            self.kind = .ipv6
            hostEnd = bracket + 1
            guard Self.isIPv6(bytes.extracting(self.host)) else { return nil }
        } else {
            hostEnd = Scanner.first(0x3A, in: bytes, all)
            self.host = ByteRange(all.lowerBound..<hostEnd)
            let host = bytes.extracting(self.host)
            guard Self.isRegisteredName(host) else { return nil }
            self.kind = Self.isIPv4(host) ? .ipv4 : .name
        }
        self.whole = range
        self.port = nil
        guard hostEnd < all.upperBound else { return }
        guard bytes[hostEnd] == 0x3A,
            let port = UInt64(decimal: bytes.extracting((hostEnd + 1)..<all.upperBound)),
            let port = UInt16(exactly: port)
        else { return nil }
        self.port = port
    }

    private static func isRegisteredName(_ host: Span<UInt8>) -> Bool {
        var index = 0
        while index < host.count {
            if host[index] == 0x25 {
                guard host.count - index > 2, host[index + 1].hexadecimalValue != nil,
                    host[index + 2].hexadecimalValue != nil
                else { return false }
                index += 3
            } else {
                guard ByteClass.registeredName.contains(host[index]) else { return false }
                index += 1
            }
        }
        return index > 0
    }

    /// Whether this is four numbers of up to 255 without leading zeros (RFC 3986 section 3.2.2).
    private static func isIPv4(_ host: Span<UInt8>) -> Bool {
        var numbers = 0
        var index = 0
        while numbers < 4 {
            let start = index
            var number = 0
            while index < host.count, index - start < 3, host[index].isDigit {
                number = number * 10 + Int(host[index] - 0x30)
                index += 1
            }
            let digits = index - start
            guard digits > 0, number <= 255, digits == 1 || host[start] != 0x30 else {
                return false
            }
            numbers += 1
            if numbers == 4 { return index == host.count }
            guard index < host.count, host[index] == 0x2E else { return false }
            index += 1
        }
        return false
    }

    /// Whether this is an IPv6 address without zone (RFC 4291 section 2.2).
    private static func isIPv6(_ host: Span<UInt8>) -> Bool {
        var groups = 0
        var hasGap = false
        var index = 0
        if host.count >= 2, host[0] == 0x3A, host[1] == 0x3A {
            hasGap = true
            index = 2
        }
        while index < host.count {
            let start = index
            while index < host.count, index - start < 4, host[index].hexadecimalValue != nil {
                index += 1
            }
            guard index > start else { return false }
            if index < host.count, host[index] == 0x2E {
                groups += 2
                return Self.isIPv4(host.extracting(start..<host.count))
                    && (hasGap ? groups <= 7 : groups == 8)
            }
            groups += 1
            if index == host.count { break }
            guard host[index] == 0x3A else { return false }
            index += 1
            if index < host.count, host[index] == 0x3A {
                guard !hasGap else { return false }
                hasGap = true
                index += 1
            } else if index == host.count {
                return false
            }
        }
        return hasGap ? groups <= 7 : groups == 8
    }
}

import Glibc

/// Where a socket is: an IPv4 or IPv6 address with a port, or the path of a unix socket.
public enum SocketAddress: Hashable, Sendable {
    /// The 32 bits of the address, the first octet in the highest ones.
    case v4(UInt32, port: UInt16)

    /// The 128 bits of the address in two halves, and the zone of a link-local one (else 0).
    case v6(high: UInt64, low: UInt64, port: UInt16, zone: UInt32)

    /// The path of the socket; empty for a peer that has none, the usual case.
    ///
    /// At most 107 bytes; longer ones are refused when they are used.
    case unix(path: String)

    /// `127.0.0.1` with a port.
    public static func loopback(port: UInt16) -> SocketAddress { .v4(0x7f00_0001, port: port) }

    /// The port; 0 for a unix socket.
    public var port: UInt16 {
        switch self {
        case .v4(_, let port), .v6(_, _, let port, _): port
        case .unix: 0
        }
    }

    /// The same address with another port; a unix socket as it is.
    public func withPort(_ port: UInt16) -> SocketAddress {
        switch self {
        case .v4(let bits, _): .v4(bits, port: port)
        case .v6(let high, let low, _, let zone): .v6(high: high, low: low, port: port, zone: zone)
        case .unix: self
        }
    }

    /// Whether a listener on one address would take connections meant for the other: the same port,
    /// and the same address or one of them a wildcard (`0.0.0.0`, `::`).
    ///
    /// `::` counts as a wildcard of IPv6 only, because listeners leave IPv4 to others.
    public func overlaps(_ other: SocketAddress) -> Bool {
        switch (self, other) {
        case (.v4(let mine, let port), .v4(let theirs, let otherPort)):
            port == otherPort && (mine == theirs || mine == 0 || theirs == 0)
        case (
            .v6(let high, let low, let port, _), .v6(let otherHigh, let otherLow, let otherPort, _)
        ):
            port == otherPort
                && ((high, low) == (otherHigh, otherLow) || (high, low) == (0, 0)
                    || (otherHigh, otherLow) == (0, 0))
        case (.unix(let path), .unix(let otherPath)):
            path == otherPath
        default:
            false
        }
    }

    /// The kind of socket that the address is for.
    public var family: SocketFamily {
        switch self {
        case .v4: .v4
        case .v6: .v6
        case .unix: .unix
        }
    }
}

extension SocketAddress: CustomStringConvertible {
    /// `127.0.0.1:80`, `[::1]:80` or `unix:/run/relay.sock`; IPv6 as RFC 5952 writes it.
    public var description: String {
        switch self {
        case .v4(_, let port): "\(self.host):\(port)"
        case .v6(_, _, let port, _): "[\(self.host)]:\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }
}

extension SocketAddress {
    /// The address without the port, as a log or a header field shows it; `unix` for a unix socket.
    package var host: String {
        switch self {
        case .v4(let bits, _):
            return "\(bits >> 24).\(bits >> 16 & 255).\(bits >> 8 & 255).\(bits & 255)"
        case .v6(let high, let low, _, _):
            var text = [CChar](repeating: 0, count: 64)
            // The kernel's order of the sixteen bytes.
            var bytes = (high.bigEndian, low.bigEndian)
            _ = unsafe inet_ntop(AF_INET6, &bytes, &text, socklen_t(text.count))
            return String(
                decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)),
                as: UTF8.self
            )
        case .unix:
            return "unix"
        }
    }

    /// A numeric address (`10.0.0.1`, `::1`, without brackets) and a port; nil if `host` is a name.
    package init?(numericHost host: String, port: UInt16) {
        var v4 = UInt32(0)
        if unsafe inet_pton(AF_INET, host, &v4) == 1 {
            self = .v4(UInt32(bigEndian: v4), port: port)
            return
        }
        var v6: (UInt64, UInt64) = (0, 0)
        guard unsafe inet_pton(AF_INET6, host, &v6) == 1 else { return nil }
        self = .v6(
            high: UInt64(bigEndian: v6.0),
            low: UInt64(bigEndian: v6.1),
            port: port,
            zone: 0
        )
    }
}

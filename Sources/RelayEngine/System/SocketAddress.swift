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
    public func overlaps(_ other: SocketAddress) -> Bool { fatalError() }
}

extension SocketAddress: CustomStringConvertible {
    /// `127.0.0.1:80`, `[::1]:80` or `unix:/run/relay.sock`; IPv6 as RFC 5952 writes it.
    public var description: String { fatalError() }
}

extension SocketAddress {
    /// The address without the port, as a log or a header field shows it; `unix` for a unix socket.
    package var host: String { fatalError() }

    /// A numeric address (`10.0.0.1`, `::1`, without brackets) and a port; nil if `host` is a name.
    package init?(numericHost host: String, port: UInt16) { fatalError() }
}

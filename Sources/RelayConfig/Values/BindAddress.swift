/// An address to accept connections on: `HOST:PORT`, `"[IPV6]:PORT"` or `unix:PATH` in relay.yaml.
package enum BindAddress: Sendable, Hashable {
    /// A TCP address.
    ///
    /// `host` is an IPv4 or IPv6 literal, without brackets, or a host name; `port` 0 lets the
    /// system choose.
    case tcp(host: String, port: UInt16)

    /// A unix socket.
    ///
    /// `path` is absolute, or relative to relay's working directory (what stands in relay.yaml is
    /// relative to its file and has been joined), at most 107 bytes.
    case unix(path: String)
}

extension BindAddress: CustomStringConvertible {
    /// As relay.yaml writes it.
    package var description: String {
        switch self {
        case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }
}

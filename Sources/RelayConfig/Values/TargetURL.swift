/// A target's URL: `http://HOST[:PORT][/PATH]`, or `http://unix:SOCKET:/PATH`.
package struct TargetURL: Sendable, Hashable {
    /// As relay.yaml writes it: in the log and the metrics.
    package var text: String

    /// Where to connect to.
    package var address: Address

    /// The `Host` of the target itself: host and, if it is given, port; `localhost` for a unix
    /// socket.
    package var authority: String

    /// The path: empty, or beginning with `/`.
    ///
    /// Packets go to it (to `/` if it is empty); it is put before the path of other requests.
    package var path: String

    /// Makes a URL of its parts.
    package init(text: String, address: Address, authority: String, path: String) {
        self.text = text
        self.address = address
        self.authority = authority
        self.path = path
    }

    /// Where to connect to.
    package enum Address: Sendable, Hashable {
        /// A TCP address.
        ///
        /// `host` is an IPv4 or IPv6 literal, without brackets, or a host name; `port` is 1 to
        /// 65535.
        case tcp(host: String, port: UInt16)

        /// A unix socket: a path, at most 107 bytes, joined with the directory of its file.
        case unix(path: String)
    }
}

/// `admin`: the address for health checks and reloads.
package struct AdminConfiguration: Sendable, Equatable {
    /// `bind`: where it listens.
    ///
    /// Required. An address that is neither a loopback one nor a unix socket needs a `token`.
    package var bind: BindAddress

    /// `hosts`: names, besides `localhost` and IP literals, under which it may be asked (a guard
    /// against rebinding of names).
    ///
    /// None by default; lower case, without port.
    package var hosts: [String] = []

    /// `token`: the bearer token that requests must carry.
    ///
    /// Absent: none is asked for. 8 to 4096 visible ASCII characters.
    package var token: Secret?

    /// An admin address with every default.
    package init(bind: BindAddress) {
        self.bind = bind
    }
}

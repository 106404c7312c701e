/// `auth`: logs clients in by asking a pool.
package struct AuthConfiguration: Sendable, Equatable {
    /// `pool`: the name of the pool that decides who a client is.
    ///
    /// Required.
    package var pool: String

    /// `realm`: the name of the world its clients live in.
    ///
    /// Default: the pool's name; 1 to 255 bytes.
    package var realm: String

    /// `token_ttl`: how long a token is valid after its last use.
    ///
    /// Default 24h; 1s to 3650d.
    package var tokenTTL: Duration = .seconds(86400)

    /// `timeout`: how long the pool may take to answer, all tries together; then 504.
    ///
    /// Default 10s; 10ms to 1h.
    package var timeout: Duration = .seconds(10)

    /// `debug_servers`: whether clients may become debug servers; if not, asking for
    /// `Accept-Debug` is a 403 that the pool never sees.
    ///
    /// Default true; false is recommended in production.
    package var debugServers = true

    /// `paths.auth`: where clients log in.
    ///
    /// Default `/auth`; a path in its normal form.
    package var authPath = "/auth"

    /// `paths.register`: where clients register.
    ///
    /// Default `/register`; a path in its normal form.
    package var registerPath = "/register"

    /// `paths.logout`: where clients end their sessions.
    ///
    /// Default `/logout`; a path in its normal form.
    package var logoutPath = "/logout"

    /// An `auth` stage with every default.
    package init(pool: String) {
        self.pool = pool
        self.realm = pool
    }
}

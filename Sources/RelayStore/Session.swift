/// What a valid token says: which client asks, in which of its sessions.
///
/// A value to be used for one exchange. Operations look whether the session is still the client's
/// newest and refuse it otherwise.
package struct Session: Sendable {
    /// The record of the client.
    package let client: ClientHandle

    /// The client's id.
    package let name: ClientName

    /// The realm of its token.
    package let realm: RealmID

    /// Whether it was granted `Accept-Debug`: it may address any client of its realm.
    package let isDebugServer: Bool

    /// Whether it was in acknowledged mode when it was looked up.
    package let acknowledges: Bool

    /// Which session it is: unique in the store, growing.
    let epoch: UInt64
}

/// A login that a backend granted.
package struct Login: Sendable {
    /// Where the id and the token mean something.
    package let realm: RealmID

    /// The client's id.
    package let name: ClientName

    /// The token, trimmed.
    ///
    /// Never to be logged.
    package let token: [UInt8]

    /// How long the token is valid after its last use.
    package let tokenTTL: Duration

    /// Whether `Accept-Debug` was granted.
    package let isDebugServer: Bool

    /// The same with the digest of the token in its place.
    func withDigest() -> Login {
        Login(
            realm: self.realm,
            name: self.name,
            token: TokenDigest.of(self.token.span),
            tokenTTL: self.tokenTTL,
            isDebugServer: self.isDebugServer
        )
    }

    /// A login as a backend granted it.
    package init(
        realm: RealmID,
        name: ClientName,
        token: [UInt8],
        tokenTTL: Duration,
        isDebugServer: Bool
    ) {
        self.realm = realm
        self.name = name
        self.token = token
        self.tokenTTL = tokenTTL
        self.isDebugServer = isDebugServer
    }
}

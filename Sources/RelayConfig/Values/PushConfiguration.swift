/// `push`: takes packets for clients from anybody who knows a secret.
package struct PushConfiguration: Sendable, Equatable {
    /// Where packets are pushed.
    ///
    /// Not a key.
    package static let path = "/packets"

    /// `realm`: the name of the world whose clients the packets are for.
    ///
    /// Required; that of an `auth` stage.
    package var realm: String

    /// `secrets`: the bearer tokens of which a request has to show one.
    ///
    /// Required, at least one; each 8 to 4096 visible ASCII characters.
    package var secrets: [Secret]

    /// A `push` stage for the clients of `realm`.
    package init(realm: String, secrets: [Secret]) {
        self.realm = realm
        self.secrets = secrets
    }
}

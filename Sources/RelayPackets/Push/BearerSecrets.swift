import RelayConfig
import RelayHTTP

/// The secrets of which a request has to show one: several, so that one can be replaced by another
/// while both are known.
struct BearerSecrets {
    private let secrets: [[UInt8]]

    /// The secrets of relay.yaml.
    init(_ secrets: [Secret]) {
        self.secrets = secrets.map { Array($0.revealed.utf8) }
    }

    /// Whether the token is one of them.
    ///
    /// All are compared whatever the first ones say, so that the time does not tell which one was
    /// nearly right.
    func contain(_ token: Span<UInt8>) -> Bool {
        var matches = 0
        for secret in self.secrets where token.equalsInConstantTime(secret.span) { matches += 1 }
        return matches > 0
    }
}

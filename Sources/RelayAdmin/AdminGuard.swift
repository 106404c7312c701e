package import RelayConfig
package import RelayHTTP

/// Who may ask what of the admin address.
///
/// A page in an operator's browser can send requests to addresses that only the operator reaches. It cannot choose
/// `Host` freely (a name of its own that it has bound to 127.0.0.1 is refused), its requests bear `Origin` or
/// `Sec-Fetch-Site`, and it cannot add `Relay-Admin` without being asked first (Fetch standard, CORS preflight).
package struct AdminGuard: Sendable {
    /// Names, in lower case, besides IP literals and `localhost`.
    private let hosts: Set<[UInt8]>
    /// The bearer token, if one is asked for.
    private let token: [UInt8]?

    /// Guards by what relay.yaml says.
    package init(_ configuration: AdminConfiguration) {
        self.hosts = Set(configuration.hosts.map { Array($0.utf8) })
        self.token = configuration.token.map { Array($0.revealed.utf8) }
    }

    /// Why a request is refused.
    package enum Refusal: Sendable, Hashable, CaseIterable {
        /// `Host` is a name that is not in `admin.hosts`, or missing.
        case foreignHost
        /// A page of another origin has sent it.
        case foreignOrigin
        /// The token is missing or wrong.
        case noToken
        /// It would change something and lacks `Relay-Admin: 1`.
        case noAdminField
    }

    /// Why a request is refused; nil if it may pass.
    ///
    /// `changesSomething` asks for `Relay-Admin: 1`, too.
    package func refusal(
        of head: RequestHead,
        _ bytes: Span<UInt8>,
        changesSomething: Bool
    ) -> Refusal? {
        guard let authority = head.authority, self.isAllowed(authority, bytes) else {
            return .foreignHost
        }
        guard self.hasOwnOrigin(head, authority, bytes) else { return .foreignOrigin }
        guard self.hasToken(head, bytes) else { return .noToken }
        if changesSomething {
            guard let value = head.fields.value(of: .relayAdmin),
                !head.fields.isRepeated(.relayAdmin),
                value.count == 1, bytes[Int(value.start)] == 0x31
            else { return .noAdminField }
        }
        return nil
    }

    private func isAllowed(_ authority: Authority, _ bytes: Span<UInt8>) -> Bool {
        switch authority.kind {
        case .ipv4, .ipv6: return true
        case .name:
            let name = Self.lowercased(bytes.extracting(authority.host))
            return name == Array("localhost".utf8) || self.hosts.contains(name)
        }
    }

    /// Whether no browser says that a page of another origin is behind it.
    ///
    /// `Origin: null` is foreign.
    private func hasOwnOrigin(
        _ head: RequestHead,
        _ authority: Authority,
        _ bytes: Span<UInt8>
    ) -> Bool {
        if let site = head.fields.value(of: .secFetchSite) {
            let name = Self.lowercased(bytes.extracting(site))
            guard name == Array("same-origin".utf8) || name == Array("none".utf8) else {
                return false
            }
        }
        guard let origin = head.fields.value(of: .origin) else { return true }
        guard !head.fields.isRepeated(.origin) else { return false }
        let own = Array("http://".utf8) + Self.lowercased(bytes.extracting(authority.whole))
        return Self.lowercased(bytes.extracting(origin)) == own
    }

    private func hasToken(_ head: RequestHead, _ bytes: Span<UInt8>) -> Bool {
        guard let token else { return true }
        guard let field = head.fields.value(of: .authorization),
            !head.fields.isRepeated(.authorization)
        else { return false }
        let value = bytes.extracting(field)
        guard let range = FieldValue.bearerToken(value) else { return false }
        return value.extracting(range).equalsInConstantTime(token.span)
    }

    private static func lowercased(_ bytes: Span<UInt8>) -> [UInt8] {
        [UInt8](capacity: bytes.count) { output in
            for index in bytes.indices {
                let byte = bytes[index]
                output.append(0x41...0x5A ~= byte ? byte | 0x20 : byte)
            }
        }
    }
}

package import RelayConfig
import RelayHTTP
package import RelayPipeline
package import RelayStore

/// The `auth` stage: logs clients in and registers them by asking a pool, and logs them out; each at a
/// path.
package final class AuthStage: Stage {
    let owner: PacketLoop
    let configuration: AuthConfiguration

    /// Who the clients belong to.
    let realm: RealmID

    /// The pool that is asked.
    let pool: PoolConfiguration
    let targets: any TargetPool

    /// The fields worth passing on of what backends say.
    let kept: KeptNames

    /// How much of an answer is read: what a client may send, and at least 64 KiB.
    let answerBytesMax: UInt64

    private let authPath: [UInt8]
    private let registerPath: [UInt8]
    private let logoutPath: [UInt8]

    /// What a path of the stage is for.
    private enum Endpoint {
        case auth
        case register
        case logout
    }

    /// An `auth` stage on the loop of `owner`, that asks `targets` of `pool`.
    package init(
        _ owner: PacketLoop,
        configuration: AuthConfiguration,
        realm: RealmID,
        pool: PoolConfiguration,
        targets: any TargetPool,
        kept: KeptNames,
        limits: LimitsConfiguration
    ) {
        self.owner = owner
        self.configuration = configuration
        self.realm = realm
        self.pool = pool
        self.targets = targets
        self.kept = kept
        self.answerBytesMax = UInt64(max(limits.bodyBytesMax, 64 << 10))
        self.authPath = Array(configuration.authPath.utf8)
        self.registerPath = Array(configuration.registerPath.utf8)
        self.logoutPath = Array(configuration.logoutPath.utf8)
    }

    package func requestReceived(
        _ exchange: Exchange,
        _ request: Request,
        _ bytes: Span<UInt8>
    ) -> Verdict {
        guard let endpoint = self.endpoint(request, bytes) else { return .proceed }
        guard exchange.method == .post else { return self.refuse(exchange, .methodNotAllowed) }
        if case .length(let count) = request.head.framing {
            let limits = exchange.listener.configuration.limits
            guard count <= UInt64(limits.bodyBytesMax) else {
                return self.refuse(exchange, .bodyTooLarge)
            }
            let length = Int(count)
            guard exchange.listener.shared.hasRoom(for: length, max: limits.bufferedBytesMax) else {
                return self.refuse(exchange, .tooManyBodies)
            }
        }
        if endpoint == .logout { return self.logOut(exchange, request, bytes) }
        let asksForDebugging = Permission.isDebugging(in: request.head.fields, bytes) ?? false
        if asksForDebugging, !self.configuration.debugServers {
            return self.refuse(exchange, .debuggingForbidden)
        }
        return .take(
            LoginExchange(
                self,
                handle: exchange.enter(self.owner.exchanges),
                listener: exchange.listener,
                fields: Self.fields(isAuth: endpoint == .auth, of: exchange, request, bytes),
                asksForDebugging: asksForDebugging
            )
        )
    }

    private func endpoint(_ request: Request, _ bytes: Span<UInt8>) -> Endpoint? {
        let auth = self.authPath
        let register = self.registerPath
        let logout = self.logoutPath
        return request.withPath(bytes) { path in
            if path.equals(auth.span) { return .auth }
            if path.equals(register.span) { return .register }
            return path.equals(logout.span) ? .logout : nil
        }
    }

    private func logOut(
        _ exchange: Exchange,
        _ request: Request,
        _ bytes: Span<UInt8>
    ) -> Verdict {
        guard let token = request.head.fields.bearerToken(in: bytes) else {
            return self.refuse(exchange, .noToken)
        }
        let session = self.owner.store.session(
            forToken: bytes.extracting(token),
            in: self.realm,
            at: self.owner.now
        )
        guard let session else { return self.refuse(exchange, .sessionEnded) }
        return .take(
            LogoutExchange(
                self.owner,
                session: session,
                handle: exchange.enter(self.owner.exchanges)
            )
        )
    }

    /// The field lines that go to the backend: what is asked, the permissions as the client wrote
    /// them, and what is carried.
    private static func fields(
        isAuth: Bool,
        of exchange: Exchange,
        _ request: Request,
        _ bytes: Span<UInt8>
    ) -> [UInt8] {
        var fields: [UInt8] = []
        fields.append(isAuth ? "Type: Auth\r\n" : "Type: Register\r\n")
        var next = request.head.fields.firstIndex(of: .permissions)
        while let index = next {
            let value = request.head.fields[index].value
            fields.appendField(.permissions, bytes.extracting(value))
            next = request.head.fields.nextIndex(of: .permissions, after: index)
        }
        CarriedFields.appendRequest(
            exchange.responseFilters,
            of: exchange,
            request,
            bytes,
            to: &fields
        )
        return fields
    }

    private func refuse(_ exchange: Exchange, _ problem: PacketProblem) -> Verdict {
        problem.answer(exchange)
        return .responded
    }
}

@available(*, unavailable) extension AuthStage: Sendable {}

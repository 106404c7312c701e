package import RelayConfig
import RelayHTTP
package import RelayPipeline
package import RelayStore

/// The `auth` stage: logs clients in and registers them, at two paths, by asking a pool.
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
    }

    package func requestReceived(
        _ exchange: Exchange,
        _ request: Request,
        _ bytes: Span<UInt8>
    ) -> Verdict {
        let isAuth = Self.isPath(self.authPath, of: request, bytes)
        guard isAuth || Self.isPath(self.registerPath, of: request, bytes) else {
            return .proceed
        }
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
        return .take(
            LoginExchange(
                self,
                handle: exchange.enter(self.owner.exchanges),
                listener: exchange.listener,
                fields: Self.fields(isAuth: isAuth, of: exchange, request, bytes),
                asksForDebugging: Permission.isDebugging(in: request.head.fields, bytes) ?? false
            )
        )
    }

    private static func isPath(
        _ path: [UInt8],
        of request: Request,
        _ bytes: Span<UInt8>
    ) -> Bool {
        request.withPath(bytes) { $0.equals(path.span) }
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

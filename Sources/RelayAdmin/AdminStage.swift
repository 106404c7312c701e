import RelayEngine
import RelayHTTP
package import RelayPipeline

/// The one stage of the admin address: answers what it knows and nothing else.
///
/// | request | answer |
/// |---|---|
/// | `GET /healthz` | 200 as long as the process is alive |
/// | `GET /readyz` | 200 while relay accepts, else 503 |
/// | `GET /status` | JSON: the generation, and the pools with each target's health |
/// | `POST /reload` | 200, or 422 with the errors |
/// | `GET /dead-letters` | 200 with a line of JSON for each |
/// | `GET /dead-letters/ID`, `/dead-letters/ID/body` | 200 with one of them |
/// | `POST /dead-letters/ID/retry`, `/dead-letters/ID/drop` | 200, 404, 409 or 503 |
///
/// Bound to its loop.
package final class AdminStage: Stage {
    private let access: AdminGuard
    private let actions: any AdminActions

    /// A stage that lets pass what `access` allows, and asks `actions`.
    package init(access: AdminGuard, actions: any AdminActions) {
        self.access = access
        self.actions = actions
    }

    package func requestReceived(
        _ exchange: Exchange,
        _ request: Request,
        _ bytes: Span<UInt8>
    ) -> Verdict {
        guard let resource = request.withPath(bytes, Resource.init) else {
            exchange.respond(
                Problem(status: 404),
                detail: "There is only /healthz, /readyz, /status, /reload and /dead-letters here."
            )
            return .responded
        }
        if let refusal = self.access.refusal(
            of: request.head,
            bytes,
            changesSomething: resource.isGuarded
        ) {
            exchange.respond(refusal)
            return .responded
        }
        guard resource.allows(request.head.method) else {
            let allow: StaticString =
                resource.changesSomething ? "Allow: POST\r\n" : "Allow: GET, HEAD\r\n"
            allow.withSpan {
                exchange.respond(
                    Problem(status: 405),
                    detail: "This path knows another method.",
                    fields: $0
                )
            }
            return .responded
        }
        switch resource {
        case .health: exchange.respond("ok\n", status: 200)
        case .readiness:
            let isReady = self.actions.isReady
            exchange.respond(isReady ? "ready\n" : "not ready\n", status: isReady ? 200 : 503)
        case .status: exchange.respond(self.actions.status())
        case .reload: return .take(ReloadExchange(self.actions))
        case .deadLetters(let request): return .take(DeadLetterExchange(self.actions, request))
        }
        return .responded
    }

    /// What the admin address knows.
    private enum Resource {
        case health, readiness, status, reload
        case deadLetters(DeadLetterRequest)

        init?(path: Span<UInt8>) {
            switch path.count {
            case 8 where path.equals("/healthz"): self = .health
            case 7 where path.equals("/readyz"): self = .readiness
            case 7 where path.equals("/status"): self = .status
            case 7 where path.equals("/reload"): self = .reload
            default:
                guard let request = DeadLetterRequest(path: path) else { return nil }
                self = .deadLetters(request)
            }
        }

        /// Whether something is different afterwards.
        var changesSomething: Bool {
            switch self {
            case .health, .readiness, .status: false
            case .reload: true
            case .deadLetters(let request): request.changesSomething
            }
        }

        /// Whether it is done only for who says `Relay-Admin: 1`: it changes something or shows contents.
        var isGuarded: Bool {
            if case .deadLetters = self { true } else { self.changesSomething }
        }

        func allows(_ method: Method) -> Bool {
            self.changesSomething ? method == .post : method == .get || method == .head
        }
    }
}

extension Exchange {
    /// Answers with a line of text.
    fileprivate func respond(_ text: StaticString, status: UInt16) {
        let fields: StaticString = "Content-Type: text/plain\r\nCache-Control: no-store\r\n"
        fields.withSpan { fields in
            text.withSpan { self.respond(status: status, fields: fields, body: $0) }
        }
    }

    /// Answers with the status.
    fileprivate func respond(_ status: RelayStatus) {
        let fields: StaticString = "Content-Type: application/json\r\nCache-Control: no-store\r\n"
        let body = status.json
        fields.withSpan { self.respond(status: 200, fields: $0, body: body.span) }
    }

    /// Answers a request that the guard has refused.
    fileprivate func respond(_ refusal: AdminGuard.Refusal) {
        switch refusal {
        case .foreignHost:
            self.respond(
                Problem(status: 403),
                detail: "The Host is no IP address, nor localhost, nor named in admin.hosts."
            )
        case .foreignOrigin:
            self.respond(
                Problem(status: 403),
                detail: "Pages of another origin may not ask this address."
            )
        case .noToken:
            let fields: StaticString = "WWW-Authenticate: Bearer\r\n"
            fields.withSpan {
                self.respond(
                    Problem(status: 401),
                    detail: "The token of admin.token must be sent as a bearer token.",
                    fields: $0
                )
            }
        case .noAdminField:
            self.respond(
                Problem(status: 403),
                detail:
                    "A request that changes something, or shows packets, must carry 'Relay-Admin: 1'."
            )
        }
    }
}

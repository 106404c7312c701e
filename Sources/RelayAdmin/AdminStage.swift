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
                detail: "There is only /healthz, /readyz, /status and /reload here."
            )
            return .responded
        }
        let changesSomething = resource == .reload
        if let refusal = self.access.refusal(
            of: request.head,
            bytes,
            changesSomething: changesSomething
        ) {
            exchange.respond(refusal)
            return .responded
        }
        guard resource.allows(request.head.method) else {
            let allow: StaticString = changesSomething ? "Allow: POST\r\n" : "Allow: GET, HEAD\r\n"
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
        }
        return .responded
    }

    /// What the admin address knows.
    private enum Resource {
        case health, readiness, status, reload

        init?(path: Span<UInt8>) {
            switch path.count {
            case 8 where path.equals("/healthz"): self = .health
            case 7 where path.equals("/readyz"): self = .readiness
            case 7 where path.equals("/status"): self = .status
            case 7 where path.equals("/reload"): self = .reload
            default: return nil
            }
        }

        func allows(_ method: Method) -> Bool {
            switch self {
            case .health, .readiness, .status: method == .get || method == .head
            case .reload: method == .post
            }
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
                detail: "A request that changes something must carry 'Relay-Admin: 1'."
            )
        }
    }
}

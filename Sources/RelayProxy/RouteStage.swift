import RelayConfig
import RelayHTTP
package import RelayPipeline
package import RelayUpstream

/// The stage `route`: passes requests on, answers and redirects as its rules say; the end of a pipeline.
///
/// Packets never come this far: `buffer` takes them and asks the same `Route` for their pool.
package final class RouteStage: Stage {
    private let route: Route
    private let pools: [String: UpstreamPool]
    private let buffers = HeadBuffers()

    /// A stage that decides by `route`, and passes requests on to `pools`, which have their names in relay.yaml.
    package init(_ route: Route, pools: [String: UpstreamPool] = [:]) {
        self.route = route
        self.pools = pools
    }

    /// Answers by the first rule that holds; a request that none takes goes on, to be answered with 404.
    package func requestReceived(
        _ exchange: Exchange,
        _ request: Request,
        _ bytes: Span<UInt8>
    ) -> Verdict {
        guard let rule = self.route.rule(exchange, request, bytes) else { return .proceed }
        switch rule.configuration.action {
        case .respond(let answer):
            exchange.respond(answer)
        case .redirect(let target):
            exchange.redirect(to: target)
        case .pool, .pools:
            guard let name = rule.nextPool(), let pool = self.pools[name] else { return .proceed }
            if let filter = rule.filter { exchange.apply(filter, request, bytes) }
            let merges = exchange.listener.configuration.mergesSlashes
            if rule.rewrite?.apply(to: request, bytes, mergingSlashes: merges) != nil {
                exchange.respond(Problem(status: 400), detail: "There is no such path.")
                return .responded
            }
            let proxied = ProxiedExchange(
                exchange,
                request,
                bytes,
                to: pool,
                timeout: rule.configuration.timeout,
                buffers: self.buffers
            )
            exchange.takesBodyWhileAnswering = true
            if proxied.start() { return .take(proxied) }
        }
        return .responded
    }
}

@available(*, unavailable) extension RouteStage: Sendable {}

extension Exchange {
    fileprivate func respond(_ answer: RespondConfiguration) {
        let status = UInt16(clamping: answer.status)
        let body = Array(answer.body.utf8)
        var fields: [UInt8] = []
        if !body.isEmpty { fields.appendField(.contentType, "text/plain; charset=utf-8") }
        self.respond(status: status, fields: fields.span, body: body.span)
    }

    /// A Location that begins with `//` would name another host, and one with a control byte another field: where
    /// the configuration has not refused them, they are never sent.
    fileprivate func redirect(to target: RedirectConfiguration) {
        let location = Array(target.location.utf8)
        let span = location.span
        let leadsAway = span.count > 1 && span[0] == 0x2F && (span[1] == 0x2F || span[1] == 0x5C)
        guard span.count > 0, !leadsAway, span.isFieldValue else {
            self.respond(Problem(status: 500), detail: "The place to redirect to is not usable.")
            return
        }
        var fields: [UInt8] = []
        fields.appendField(.location, span)
        self.respond(status: UInt16(clamping: target.status), fields: fields.span, body: Span())
    }
}

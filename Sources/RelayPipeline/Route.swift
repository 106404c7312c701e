package import RelayConfig
import RelayHTTP

/// The rules of a `route`, compiled, for one event loop.
package final class Route {
    /// What relay.yaml says.
    package let configuration: RouteConfiguration

    private let rules: [RouteRule]
    private let index: RouteIndex
    private let takesPackets: Bool
    /// Whether a rule that takes packets has a filter for them.
    package let hasPacketFilters: Bool
    /// The rules that may hold for the request being looked at; kept, so that looking allocates nothing.
    private var candidates: [RouteIndex.Candidates] = []

    /// Compiles what relay.yaml says; `takesPackets` where the listener has a `buffer`.
    package init(_ configuration: RouteConfiguration, takesPackets: Bool) {
        self.configuration = configuration
        self.takesPackets = takesPackets
        self.rules = configuration.rules.map { RouteRule($0, takesPackets: takesPackets) }
        self.hasPacketFilters = self.rules.contains { $0.packetFilter != nil }
        self.index = RouteIndex(configuration.rules.map(\.match))
    }

    /// The pool that the packets of this request go to: the first rule that holds and names a
    /// pool.
    ///
    /// Nil: none, which is a 404.
    package func poolForPackets(
        _ exchange: Exchange,
        _ request: Request,
        _ bytes: Span<UInt8>
    )
        -> String?
    {
        guard let rule = self.ruleForPackets(exchange, request, bytes),
            case .pool(let name) = rule.configuration.action
        else { return nil }
        return name
    }

    /// The rule that says so.
    package func ruleForPackets(
        _ exchange: Exchange,
        _ request: Request,
        _ bytes: Span<UInt8>
    )
        -> RouteRule?
    {
        self.findCandidates(request, bytes)
        while let index = self.index.next(of: &self.candidates) {
            let rule = self.rules[index]
            guard case .pool = rule.configuration.action else { continue }
            if rule.matcher?.holds(exchange, request, bytes) ?? true { return rule }
        }
        return nil
    }

    /// The rule that says what becomes of a request that is no packet; nil: nothing takes it.
    package func rule(
        _ exchange: Exchange,
        _ request: Request,
        _ bytes: Span<UInt8>
    )
        -> RouteRule?
    {
        self.findCandidates(request, bytes)
        while let index = self.index.next(of: &self.candidates) {
            let rule = self.rules[index]
            // Beside a `buffer`, a rule for everything says where the packets go.
            if rule.matcher?.holds(exchange, request, bytes) ?? !self.takesPackets { return rule }
        }
        return nil
    }

    private func findCandidates(_ request: Request, _ bytes: Span<UInt8>) {
        self.candidates.removeAll(keepingCapacity: true)
        let host = request.head.authority?.host ?? .empty
        request.withPath(bytes) { path in
            self.index.find(host: bytes.extracting(host), path: path, into: &self.candidates)
        }
    }
}

@available(*, unavailable) extension Route: Sendable {}

/// A rule of a `route`, compiled, for one event loop.
package final class RouteRule {
    /// What relay.yaml says.
    package let configuration: RouteRuleConfiguration
    /// What becomes of the path of a request that goes to a pool; nil: it stays.
    package let rewrite: PathRewrite?
    /// Its filter for requests that are no packets.
    package let filter: HeaderFilter?
    /// The same for packets.
    package let packetFilter: HeaderFilter?
    /// Which requests it is for; nil: all.
    let matcher: Matcher?

    /// How far each pool of a split is behind its share.
    private var credits: [Int] = []

    init(_ configuration: RouteRuleConfiguration, takesPackets: Bool) {
        self.configuration = configuration
        self.rewrite = configuration.rewrite.map { PathRewrite($0) }
        self.filter = configuration.headers.map { HeaderFilter($0, isForPackets: false) }
        self.packetFilter =
            takesPackets
            ? configuration.headers.map { HeaderFilter($0, isForPackets: true) } : nil
        self.matcher = configuration.match.map { Matcher($0) }
        if case .pools(let shares) = configuration.action {
            self.credits = [Int](repeating: 0, count: shares.count)
        }
    }

    /// The pool that the next request goes to; nil if the rule leads to none.
    ///
    /// Of several each gets its share, evenly spread: the one that is furthest behind is next.
    package func nextPool() -> String? {
        switch self.configuration.action {
        case .pool(let name):
            return name
        case .pools(let shares):
            var chosen = 0
            var total = 0
            for index in shares.indices {
                self.credits[index] += shares[index].weight
                total += shares[index].weight
                if self.credits[index] > self.credits[chosen] { chosen = index }
            }
            guard shares.indices.contains(chosen) else { return nil }
            self.credits[chosen] -= total
            return shares[chosen].pool
        case .respond, .redirect:
            return nil
        }
    }
}

@available(*, unavailable) extension RouteRule: Sendable {}

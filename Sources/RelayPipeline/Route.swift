package import RelayConfig

/// The rules of a `route`, compiled.
///
/// Never changes.
package final class Route: Sendable {
    private struct Rule: Sendable {
        let matcher: Matcher?
        let configuration: RouteRuleConfiguration
    }

    /// What relay.yaml says.
    package let configuration: RouteConfiguration

    private let rules: [Rule]
    private let takesPackets: Bool

    /// Compiles what relay.yaml says; `takesPackets` where the listener has a `buffer`.
    package init(_ configuration: RouteConfiguration, takesPackets: Bool) {
        self.configuration = configuration
        self.takesPackets = takesPackets
        self.rules = configuration.rules.map { rule in
            Rule(matcher: rule.match.map(Matcher.init), configuration: rule)
        }
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
        for rule in self.rules {
            guard case .pool(let name) = rule.configuration.action else { continue }
            if rule.matcher?.holds(exchange, request, bytes) ?? true { return name }
        }
        return nil
    }

    /// The rule that says what becomes of a request that is no packet; nil: nothing takes it.
    package func rule(
        _ exchange: Exchange,
        _ request: Request,
        _ bytes: Span<UInt8>
    )
        -> RouteRuleConfiguration?
    {
        for rule in self.rules {
            // Beside a `buffer`, a rule for everything says where the packets go.
            if rule.matcher?.holds(exchange, request, bytes) ?? !self.takesPackets {
                return rule.configuration
            }
        }
        return nil
    }
}

/// `route`: where requests and packets go.
///
/// `route: NAME` is one rule that names a pool.
///
/// On a listener with `buffer` a rule without `match` is for packets only, and a rule that responds
/// or redirects never takes packets; of the others the first that holds decides. What no rule takes
/// is a 404.
package struct RouteConfiguration: Sendable, Equatable {
    /// The rules in order; at least one.
    package var rules: [RouteRuleConfiguration]

    /// A route by rules.
    package init(rules: [RouteRuleConfiguration]) {
        self.rules = rules
    }

    /// A route that is just a pool.
    package init(pool: String) {
        self.rules = [RouteRuleConfiguration(.pool(pool))]
    }
}

/// A rule of a `route`: for which requests, and what becomes of them.
package struct RouteRuleConfiguration: Sendable, Equatable {
    /// `match`: the requests it is for.
    ///
    /// Absent: all, and on a listener with `buffer` only packets.
    package var match: MatchConfiguration?

    /// `pool`, `respond` or `redirect`: exactly one.
    package var action: Action

    /// `timeout`: how long all attempts together may take to the head of the response, from the request's last
    /// byte on; not of packets.
    ///
    /// Absent: only the pool's own timeouts count. 10ms to 1d; only with a pool.
    package var timeout: Duration?

    /// Where it is written; nil if it was made by hand.
    ///
    /// Not compared.
    @Uncompared package var location: SourceLocation? = nil

    /// A rule.
    package init(_ action: Action, match: MatchConfiguration? = nil) {
        self.action = action
        self.match = match
    }

    /// What becomes of a request.
    package enum Action: Sendable, Equatable {
        /// It goes to the pool of that name.
        case pool(String)
        /// relay answers.
        case respond(RespondConfiguration)
        /// relay sends the client elsewhere.
        case redirect(RedirectConfiguration)
    }
}

/// `respond`: an answer of relay's own.
package struct RespondConfiguration: Sendable, Equatable {
    /// `status`: the answer's code.
    ///
    /// Default 200; 200 to 599.
    package var status = 200

    /// `body`: as it is, in UTF-8.
    ///
    /// Default: empty; always empty with status 204, 205 and 304.
    package var body = ""

    /// The defaults.
    package init() {}
}

/// `redirect`: sends the client elsewhere.
package struct RedirectConfiguration: Sendable, Equatable {
    /// `to`: the `Location`, a path that begins with one `/` or an absolute http or https URL.
    ///
    /// Required.
    package var location: String

    /// `status`: which kind of redirect.
    ///
    /// Default 302; 301, 302, 303, 307 or 308.
    package var status = 302

    /// A redirect with the default status.
    package init(to location: String) {
        self.location = location
    }
}

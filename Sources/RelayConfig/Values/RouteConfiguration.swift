/// `route`: where requests and packets go.
///
/// `route: NAME` is one rule that names a pool.
///
/// On a listener with `buffer` a rule without `match` is for packets only, and a rule that responds,
/// redirects or splits never takes packets; of the others the first that holds decides. What no rule takes
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

    /// `pool`, `pools`, `respond` or `redirect`: exactly one.
    package var action: Action

    /// `rewrite`: another path towards the pool.
    ///
    /// Absent: the path stays. Not for packets, which go to the path of the target's URL.
    package var rewrite: RewriteConfiguration?

    /// `headers`: a filter for the requests that the rule takes and their answers, behind those of the pipeline.
    ///
    /// Absent: none. Of packets the requests that bring or ask for them; only with a pool.
    package var headers: HeaderFilterConfiguration?

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
        /// Each goes to one of the pools, by their weights; never a packet, because a client's packets keep
        /// their order.
        case pools([PoolShare])
        /// relay answers.
        case respond(RespondConfiguration)
        /// relay sends the client elsewhere.
        case redirect(RedirectConfiguration)
    }
}

/// A pool of `pools`, and its share of the requests.
package struct PoolShare: Sendable, Equatable {
    /// Its name.
    package let pool: String

    /// Its share, relative to the others.
    ///
    /// 0 to 1000000; 0: it gets nothing. Not all are 0.
    package let weight: Int

    /// A share.
    package init(pool: String, weight: Int) {
        self.pool = pool
        self.weight = weight
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

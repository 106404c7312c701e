extension Form<RouteConfiguration> {
    /// A list of rules, or the name of a pool.
    static let route = Form(
        sections: RuleDraft.section.sections,
        read: { node, name, reading in
            guard node.scalar == nil else {
                return Form<String>.poolName.read(node, name, &reading).map {
                    RouteConfiguration(pool: $0)
                }
            }
            let rules = Form<[RouteRuleConfiguration]>.list(of: .rule).read(node, name, &reading)
            return rules.map { RouteConfiguration(rules: $0) }
        },
        print: { route, node, printing in
            if route.rules.count == 1, let rule = route.rules.first, rule.match == nil,
                rule.rewrite == nil, rule.timeout == nil, rule.headers == nil,
                case .pool(let pool) = rule.action
            {
                let written = node?.scalar == nil ? node?.items.first?["pool"] : node
                return Form<String>.poolName.print(pool, written, printing)
            }
            return Form<[RouteRuleConfiguration]>.list(of: .rule).print(route.rules, node, printing)
        }
    )
}

/// A rule with all that it may hold, before it is known to hold exactly one action.
private struct RuleDraft: Sendable {
    var match: MatchConfiguration?
    var pool: String?
    var pools: [PoolShare]?
    var rewrite: RewriteConfiguration?
    var respond: RespondConfiguration?
    var redirect: RedirectConfiguration?
    var timeout: Duration?
    var headers: HeaderFilterConfiguration?

    static let section = Section<Self>(
        "route",
        [
            Key(optional: "match", \.match, .match),
            Key(optional: "pool", \.pool, .poolName),
            Key(optional: "pools", \.pools, .poolShares),
            Key(
                optional: "rewrite",
                \.rewrite,
                .section(RewriteConfiguration.section, draft: RewriteConfiguration())
            ),
            Key(
                optional: "respond",
                \.respond,
                .section(RespondConfiguration.section, draft: RespondConfiguration())
            ),
            Key(
                optional: "redirect",
                \.redirect,
                .section(RedirectConfiguration.section, draft: RedirectConfiguration(to: "/"))
            ),
            Key(optional: "headers", \.headers, .headers),
            Key(optional: "timeout", \.timeout, .duration(.milliseconds(10) ... .days(1))),
        ],
    ) { _, node, reading in
        Self.checkPoolKeys(node, &reading)
        let actions = node.entries.filter { Self.actions.contains($0.name) }
        if let second = actions.dropFirst().first {
            reading.error(
                at: second.location,
                "a rule has one of 'pool', 'pools', 'respond' and 'redirect'; remove one"
            )
        } else if actions.isEmpty {
            reading.error(
                at: node,
                "the rule does nothing; add 'pool', 'pools', 'respond' or 'redirect'"
            )
        } else if let rewrite = node["rewrite"], ["respond", "redirect"].contains(actions[0].name) {
            let name = actions[0].name
            reading.error(
                at: rewrite,
                "'rewrite' is for what a pool gets, not for '\(name)'; remove it"
            )
        }
    }

    /// What is only for requests that go to a pool.
    private static func checkPoolKeys(_ node: Node, _ reading: inout Reading) {
        guard (node["respond"] ?? node["redirect"]) != nil else { return }
        for entry in node.entries where ["timeout", "headers"].contains(entry.name) {
            let message = "'\(entry.name)' is for what goes to a pool; remove it"
            reading.error(at: entry.location, message)
        }
    }

    private static let actions = ["pool", "pools", "respond", "redirect"]

    /// The action; nil if there was something wrong with it.
    var action: RouteRuleConfiguration.Action? {
        if let pool { return .pool(pool) }
        if let pools { return .pools(pools) }
        if let respond { return .respond(respond) }
        return self.redirect.map { .redirect($0) }
    }

    init() {}

    /// Takes a rule apart.
    init(_ rule: RouteRuleConfiguration) {
        self.match = rule.match
        self.timeout = rule.timeout
        self.headers = rule.headers
        self.rewrite = rule.rewrite
        switch rule.action {
        case .pool(let pool): self.pool = pool
        case .pools(let shares): self.pools = shares
        case .respond(let respond): self.respond = respond
        case .redirect(let redirect): self.redirect = redirect
        }
    }
}

extension Form<RouteRuleConfiguration> {
    /// A rule.
    fileprivate static let rule = Form(
        sections: RuleDraft.section.sections,
        read: { node, _, reading in
            var draft = RuleDraft()
            RuleDraft.section.read(node, as: "a rule", into: &draft, &reading)
            guard let action = draft.action else { return nil }
            var rule = RouteRuleConfiguration(action, match: draft.match)
            rule.timeout = draft.timeout
            rule.headers = draft.headers
            rule.rewrite = draft.rewrite
            rule.location = node.location
            return rule
        },
        print: { rule, node, printing in
            RuleDraft.section.print(RuleDraft(rule), node, printing)
        }
    )
}

extension Form<[PoolShare]> {
    /// A mapping of pools to their weights.
    fileprivate static let poolShares = Form(
        sections: [],
        read: { node, name, reading in
            guard let shares = pairs.read(node, name, &reading) else { return nil }
            if !shares.isEmpty, shares.allSatisfy({ $0.weight == 0 }) {
                reading.error(at: node, "'\(name)' are all 0; give one of them a share")
            }
            return shares
        },
        print: pairs.print
    )

    private static let pairs = Form.pairs(
        .count(0...1_000_000),
        name: .poolName,
        make: { PoolShare(pool: $0, weight: $1) },
        split: { ($0.pool, $0.weight) }
    )
}

extension RespondConfiguration {
    /// The keys of `respond`.
    static let section = Section<Self>(
        "respond",
        [
            Key("status", \.status, .count(200...599)),
            Key("body", \.body, .text()),
        ]
    ) { respond, node, reading in
        guard [204, 205, 304].contains(respond.status), !respond.body.isEmpty else { return }
        let place = node["body"] ?? node
        reading.error(at: place, "an answer with status \(respond.status) has no body; remove it")
    }
}

extension RedirectConfiguration {
    /// The keys of `redirect`.
    static let section = Section<Self>(
        "redirect",
        [
            Key("to", \.location, .redirectLocation, required: true),
            Key("status", \.status, .redirectStatus),
        ]
    )
}

extension Form<String> {
    /// Where a redirect goes.
    ///
    /// A browser takes what begins with `//` for another host, and `\` for `/`.
    fileprivate static let redirectLocation = scalar("a text", isText: true) {
        word throws(Rejection) in
        let location = try unbraced(word)
        guard location.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != 0x5C }) else {
            throw Rejection("holds a character that must be escaped: \(word.shown)")
        }
        if location.hasPrefix("//") {
            throw Rejection("begins with '//', which is another host; write one '/' or a whole URL")
        }
        let isURL = ["http://", "https://"].contains { prefix in
            location.hasPrefix(prefix) && !location.dropFirst(prefix.count).hasPrefix("/")
                && location.count > prefix.count
        }
        guard location.hasPrefix("/") || isURL else {
            throw Rejection("is a path or a URL of http or https, not \(word.shown)")
        }
        return location
    } print: {
        braced($0)
    }
}

extension Form<Int> {
    /// The status of a redirect.
    fileprivate static let redirectStatus = scalar("a status") { word throws(Rejection) in
        guard let status = Quantity(word.text), status.unit.isEmpty,
            [301, 302, 303, 307, 308].contains(status.number)
        else {
            throw Rejection("is 301, 302, 303, 307 or 308, not \(word.shown)")
        }
        return status.number
    } print: {
        "\($0)"
    }
}

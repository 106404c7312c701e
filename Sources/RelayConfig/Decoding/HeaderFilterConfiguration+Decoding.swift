extension HeaderFilterConfiguration {
    /// The keys of a header filter.
    static let section = Section<Self>(
        "header_filters",
        [
            Key("request", \.request, .headerRules),
            Key("response", \.response, .headerRules),
        ]
    ) { _, node, reading in
        ReservedFields.framing.check(filter: node, &reading)
    }
}

extension Form<HeaderFilterConfiguration> {
    /// A `headers` stage: the name of a filter, or the rules themselves.
    static let headers = Form(
        sections: [],
        read: { node, name, reading in
            guard let scalar = node.scalar, !scalar.isNull else {
                return inline.read(node, name, &reading)
            }
            let known = reading.headerFilters.map(\.filter)
            if let filter = known.first(where: { $0.name == scalar.text }) { return filter }
            reading.undefined("header filter", node, known: known.compactMap(\.name))
            return nil
        },
        print: { filter, node, printing in
            guard let name = filter.name else { return inline.print(filter, node, printing) }
            return Form<String>.text().print(name, node, printing)
        }
    )

    private static let inline = Form.section(
        HeaderFilterConfiguration.section,
        draft: HeaderFilterConfiguration()
    )
}

/// A rule with all that it may hold, before it is known to hold exactly one.
private struct HeaderRuleDraft: Sendable {
    var pass: [HeaderNamePattern]?
    var set: [HeaderRuleConfiguration.Field]?
    var add: [HeaderRuleConfiguration.Field]?
    var remove: [HeaderNamePattern]?
    var rename: [HeaderRuleConfiguration.Renaming]?

    static let section = Section<Self>(
        "header_filters.rules",
        [
            Key(optional: "pass", \.pass, .oneOrMore(.headerNamePattern)),
            Key(optional: "set", \.set, .fields),
            Key(optional: "add", \.add, .fields),
            Key(optional: "remove", \.remove, .oneOrMore(.headerNamePattern)),
            Key(optional: "rename", \.rename, .renamings),
        ]
    ) { _, node, reading in
        guard node.entries.count != 1 else { return }
        let remedy = "'pass', 'set', 'add', 'remove' or 'rename'"
        reading.error(at: node, "a rule has exactly one of \(remedy); begin another with '-'")
    }

    /// The rule; nil if there was something wrong with it.
    var rule: HeaderRuleConfiguration? {
        if let pass { return .pass(pass) }
        if let set { return .set(set) }
        if let add { return .add(add) }
        if let remove { return .remove(remove) }
        return self.rename.map { .rename($0) }
    }

    init() {}

    /// Takes a rule apart.
    init(_ rule: HeaderRuleConfiguration) {
        switch rule {
        case .pass(let names): self.pass = names
        case .set(let fields): self.set = fields
        case .add(let fields): self.add = fields
        case .remove(let names): self.remove = names
        case .rename(let renamings): self.rename = renamings
        }
    }
}

extension Form<[HeaderRuleConfiguration]> {
    /// A list of rules, which may be empty.
    fileprivate static let headerRules = Form(
        sections: HeaderRuleDraft.section.sections,
        read: { node, name, reading in
            if case .sequence = node.content, node.isEmpty { return [] }
            return Form.list(of: .headerRule).read(node, name, &reading)
        },
        print: Form.list(of: .headerRule).print
    )
}

extension Form<HeaderRuleConfiguration> {
    /// A rule.
    fileprivate static let headerRule = Form(
        sections: HeaderRuleDraft.section.sections,
        read: { node, _, reading in
            var draft = HeaderRuleDraft()
            HeaderRuleDraft.section.read(node, as: "a header rule", into: &draft, &reading)
            return draft.rule
        },
        print: { rule, node, printing in
            HeaderRuleDraft.section.print(HeaderRuleDraft(rule), node, printing)
        }
    )
}

extension Form<HeaderNamePattern> {
    /// A name, or the beginning of names and `*`.
    fileprivate static let headerNamePattern = scalar("the name of a field", isText: true) {
        word throws(Rejection) in
        let isPrefix = word.text.hasSuffix("*")
        let name = isPrefix ? String(word.text.dropLast()) : word.text
        if name.contains("*") {
            throw Rejection("takes '*' only at the end of a name, not so \(word.shown)")
        }
        guard name.isToken || (isPrefix && name.isEmpty) else {
            throw Rejection("cannot have a field of the name \(word.shown)")
        }
        return HeaderNamePattern(name: name, isPrefix: isPrefix)
    } print: {
        $0.name + ($0.isPrefix ? "*" : "")
    }
}

extension Form<[HeaderRuleConfiguration.Field]> {
    /// A mapping of names to values.
    fileprivate static let fields = pairs(
        Form<RequestText>.fieldValue,
        name: .fieldName,
        make: { HeaderRuleConfiguration.Field(name: $0, value: $1) },
        split: { ($0.name, $0.value) }
    )
}

extension Form<[HeaderRuleConfiguration.Renaming]> {
    /// A mapping of old names to new ones.
    fileprivate static let renamings = pairs(
        Form<String>.fieldName,
        name: .fieldName,
        make: { HeaderRuleConfiguration.Renaming(from: $0, to: $1) },
        split: { ($0.from, $0.to) }
    )
}

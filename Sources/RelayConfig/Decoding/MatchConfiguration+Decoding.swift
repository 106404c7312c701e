extension MatchConfiguration {
    /// The keys of `match` and `when`.
    static let section = Section<Self>(
        "match",
        [
            Key("host", \.hosts, .oneOrMore(.hostPattern)),
            Key("path", \.paths, .oneOrMore(.path)),
            Key("path_prefix", \.pathPrefixes, .oneOrMore(.path)),
            Key("path_regex", \.pathExpressions, .oneOrMore(.regularExpression)),
            Key("method", \.methods, .oneOrMore(.method)),
            Key("header", \.headers, .fieldMatches(name: .lowerCaseFieldName)),
            Key("query", \.queries, .fieldMatches(name: .text())),
            Key("client_ip", \.clientAddresses, .oneOrMore(.addressRange)),
        ]
    ) { match, node, reading in
        if node.isEmpty {
            reading.error(at: node, "no condition is given; add one or remove it")
        }
        var names: Set<String> = []
        for entry in node["header"]?.entries ?? []
        where !names.insert(entry.name.lowercased()).inserted {
            reading.error(
                at: entry.location,
                "\(quoted(entry.name)) is there already in another case; remove one"
            )
        }
    }
}

extension Form<MatchConfiguration> {
    /// `match` and `when`; of the conditions only those that are given are printed.
    static let match = Form(
        sections: MatchConfiguration.section.sections,
        read: Form.section(MatchConfiguration.section, draft: MatchConfiguration()).read,
        print: { match, node, printing in
            guard
                case .mapping(let entries) = MatchConfiguration.section.print(match, node, printing)
            else { return .mapping([]) }
            return .mapping(entries.filter { $0.value != .list([]) && $0.value != .mapping([]) })
        }
    )
}

extension Form<MatchConfiguration.HostPattern> {
    /// A host, or `*.` and what its name ends with.
    fileprivate static let hostPattern = scalar("a host", isText: true) { word throws(Rejection) in
        let isPattern = word.text.hasPrefix("*.")
        let name = isPattern ? String(word.text.dropFirst(2)) : word.text
        if name.hasPrefix("[") || name.split(separator: ":").count == 2 {
            throw Rejection("is compared without brackets and port; remove them from \(word.shown)")
        }
        guard name.isHost else {
            throw Rejection("is a host or '*.example.com', not \(word.shown)")
        }
        return isPattern ? .below(".\(name.lowercased())") : .exactly(name.lowercased())
    } print: { pattern in
        switch pattern {
        case .exactly(let host): host
        case .below(let end): "*\(end)"
        }
    }
}

extension Form<[MatchConfiguration.FieldMatch]> {
    /// A mapping of names to a value, or to several of which any will do.
    fileprivate static func fieldMatches(name: Form<String>) -> Form {
        .pairs(
            .oneOrMore(.wildcard),
            name: name,
            make: { MatchConfiguration.FieldMatch(name: $0, values: $1) },
            split: { ($0.name, $0.values) }
        )
    }
}

extension Form<Wildcard> {
    /// A text with `*` in it.
    fileprivate static let wildcard = Form<String>.text().map({ Wildcard($0) }, back: \.description)
}

extension Form<String> {
    /// The name of a field, as it is compared.
    fileprivate static let lowerCaseFieldName = fieldName.map({ $0.lowercased() }, back: { $0 })
}

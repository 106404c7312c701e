extension RewriteConfiguration {
    /// The keys of `rewrite`.
    static let section = Section<Self>(
        "rewrite",
        [
            Key(optional: "strip_prefix", \.strippedPrefix, .path),
            Key(optional: "regex", \.expression, .regularExpression),
            Key(optional: "to", \.replacement, .pathTemplate),
            Key(optional: "prefix", \.prefix, .path),
        ]
    ) { rewrite, node, reading in
        if node.isEmpty {
            reading.error(at: node, "'rewrite' changes nothing; add a change or remove it")
        }
        if let regex = node["regex"], node["to"] == nil {
            reading.error(at: regex, "'regex' has no 'to'; add what stands in its place")
        }
        if let to = node["to"], node["regex"] == nil {
            reading.error(at: to, "'to' has no 'regex'; add what it replaces, or use 'prefix'")
        }
        if let to = node["to"], let expression = rewrite.expression,
            let group = rewrite.replacement?.groupMax, group > expression.groupCount
        {
            let groups =
                expression.groupCount == 1 ? "one group" : "\(expression.groupCount) groups"
            reading.error(at: to, "'to' names '$\(group)', and 'regex' has \(groups)")
        }
    }
}

extension Form<RegularExpression> {
    /// A regular expression of PCRE2.
    static let regularExpression = scalar("a regular expression", isText: true) {
        word throws(Rejection) in
        do throws(RegularExpression.Fault) {
            return try RegularExpression(word.text)
        } catch {
            let place = "at character \(error.position)"
            throw Rejection("is no regular expression: \(word.shown), \(error.problem) \(place)")
        }
    } print: {
        $0.text
    }
}

extension Form<PathTemplate> {
    /// A piece of a path with `$1` in it.
    fileprivate static let pathTemplate = scalar("a path", isText: true) { word throws(Rejection) in
        guard let template = PathTemplate(word.text) else {
            let rule = "write '$1' for what a group took, '$$' for '$'"
            throw Rejection("has a '$' that stands for nothing in \(word.shown); \(rule)")
        }
        // Literal parts must be possible in a path; how they come together is known for each request only.
        for case .literal(let bytes) in template.parts {
            let literal = String(decoding: bytes, as: UTF8.self)
            guard RequestPath.normalized("/x\(literal)") != nil else {
                throw Rejection("holds what no path can hold: \(word.shown)")
            }
        }
        return template
    } print: {
        $0.text
    }
}

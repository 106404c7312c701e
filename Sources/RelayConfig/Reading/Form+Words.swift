extension Form where Value: RawRepresentable<String> & CaseIterable {
    /// One word of a few.
    ///
    /// - Parameter later: words that are known and not supported yet. If there are any, a mapping in
    ///   the word's place is such a thing, too.
    static func word(later: [String] = []) -> Form {
        let known = Value.allCases.map(\.rawValue)
        let form = Form.scalar("a word") { word throws(Rejection) in
            if let value = Value(rawValue: word.text) { return value }
            throw Rejection(unknown: word, known: known, later: later)
        } print: {
            $0.rawValue
        }
        return Form(
            sections: [],
            read: { node, name, reading in
                if let entry = node.entries.first, later.contains(entry.name) {
                    reading.error(at: entry.location, "'\(entry.name)' is not supported yet")
                    return nil
                }
                return form.read(node, name, &reading)
            },
            print: form.print
        )
    }
}

extension Rejection {
    /// For a word that is none of those known.
    init(unknown word: Word, known: [String], later: [String] = []) {
        if later.contains(word.text) {
            self.init(sentence: "\(word.shown) is not supported yet")
        } else {
            let nearest = Suggestion.nearest(to: word.text, among: known)
            let remedy = Suggestion.remedy(nearest: nearest, known: known)
            self.init("cannot be \(word.shown); \(remedy)")
        }
    }
}

extension Form<Bool> {
    /// `true` or `false`; nothing else is a boolean.
    static let flag = Form.scalar("true or false") { word throws(Rejection) in
        switch word.text {
        case "true": return true
        case "false": return false
        default: throw Rejection("is true or false, not \(word.shown)")
        }
    } print: {
        $0 ? "true" : "false"
    }
}

extension Form {
    /// A form, or a word that stands for nil: `auto`.
    ///
    /// - Parameter what: what the form is, if it is not the word: `a number`.
    func orWord(_ special: String, else what: String) -> Form<Value?> {
        Form<Value?>(
            sections: self.sections,
            read: { node, name, reading in
                guard let scalar = node.scalar, !scalar.isNull, Quantity(scalar.text) == nil else {
                    return self.read(node, name, &reading)
                }
                if scalar.text == special { return .some(nil) }
                let word = Word(scalar).shown
                reading.error(at: node, "'\(name)' is \(what) or '\(special)', not \(word)")
                return nil
            },
            print: { value, node, printing in
                if let value { return self.print(value, node, printing) }
                if let node, node.isExpanded { return Printed(node) }
                return .text(special)
            }
        )
    }
}

extension Form<String> {
    /// The name of a pool of this configuration.
    static let poolName = Form(
        read: { node, name, reading in
            guard let text = Form.text().read(node, name, &reading) else { return nil }
            guard !reading.poolNames.contains(text) else { return text }
            reading.undefined("pool", node, known: reading.poolNames)
            return nil
        },
        print: { .text($0) }
    )
}

extension Form<RetryPolicyConfiguration> {
    /// The name of a retry policy, of which the value is a copy.
    static let policyName = Form(
        read: { node, name, reading in
            guard let text = Form<String>.text().read(node, name, &reading) else { return nil }
            if let policy = reading.retryPolicies.first(where: { $0.name == text }) {
                return policy
            }
            reading.undefined("retry policy", node, known: reading.retryPolicies.map(\.name))
            return nil
        },
        print: { .text($0.name) }
    )
}

extension Reading {
    /// Reports a name that nothing has, as far as everything could be read.
    mutating func undefined(_ kind: String, _ node: Node, known: [String]) {
        guard let scalar = node.scalar, !self.isIncomplete else { return }
        let nearest = self.nearest(to: scalar.text, among: known)
        let remedy =
            known.isEmpty ? "none is defined" : Suggestion.remedy(nearest: nearest, known: known)
        self.error(at: node, "no \(kind) has the name \(Word(scalar).shown); \(remedy)")
    }
}

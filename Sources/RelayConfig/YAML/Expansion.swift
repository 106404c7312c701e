/// A text with its references to the environment replaced: `${NAME}`, `${NAME:-default}`, and
/// `$${` for a literal `${`.
///
/// What comes from the environment is text, and is not looked at again. As in the shell, a default
/// stands in for a variable that is not set, and for one that is empty.
struct Expansion {
    /// The text with everything replaced that could be.
    private(set) var text = ""

    /// Whether anything was taken from the environment, or from a default.
    private(set) var hasReferences = false

    /// What could not be replaced, of very much only the first.
    private(set) var problems: [Problem] = []

    /// A reference that means nothing.
    struct Problem {
        /// The reference as written.
        var text: String
        /// How many times the same stands before it.
        var occurrence: Int
        var message: String
    }

    /// Replaces the references of `written`.
    init(of written: String, environment: [String: String]) {
        var rest = written[...]
        while let dollar = rest.firstIndex(of: "$") {
            self.text += rest[..<dollar]
            rest = rest[dollar...]
            if rest.hasPrefix("$${") {
                self.text += "${"
                rest = rest.dropFirst(3)
            } else if rest.hasPrefix("${") {
                guard let end = rest.firstIndex(of: "}") else {
                    self.report(rest, "is not closed; write '$${' for a literal '${'")
                    return
                }
                self.replace(rest[...end], environment)
                rest = rest[rest.index(after: end)...]
            } else {
                self.text.append("$")
                rest = rest.dropFirst()
            }
        }
        self.text += rest
    }

    /// Takes one `${…}`.
    private mutating func replace(_ reference: Substring, _ environment: [String: String]) {
        let inner = reference.dropFirst(2).dropLast()
        let separator = inner.firstRange(of: ":-")
        let name = inner[..<(separator?.lowerBound ?? inner.endIndex)]
        let fallback = separator.map { inner[$0.upperBound...] }
        self.hasReferences = true
        guard name.isVariableName else {
            let remedy = "names have A-Z, 0-9 and '_'; write '$${' for a literal '${'"
            return self.report(reference, "is not a name of the environment; \(remedy)")
        }
        let value = environment[String(name)]
        if let fallback, value?.isEmpty ?? true {
            self.text += fallback
        } else if let value {
            self.text += value
        } else {
            let remedy = "set it, or write '${\(name):-default}'"
            self.report(reference, "is not in the environment; \(remedy)")
        }
    }

    private mutating func report(_ reference: Substring, _ message: String) {
        guard self.problems.count < 100 else { return }
        let text = String(reference)
        let occurrence = self.problems.count { $0.text == text }
        self.problems.append(
            Problem(text: text, occurrence: occurrence, message: "\(quoted(text)) \(message)")
        )
    }
}

extension Substring {
    fileprivate var isVariableName: Bool {
        guard let first = self.utf8.first, !(0x30...0x39).contains(first) else { return false }
        return self.utf8.allSatisfy {
            (0x41...0x5A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5F
        }
    }
}

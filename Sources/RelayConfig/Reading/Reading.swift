/// One reading of a configuration: what is known so far, and what is wrong.
struct Reading {
    /// Problems that are worth knowing at once; those beyond are only counted.
    static let problemsMax = 1000

    /// Everything that is wrong so far.
    private(set) var problems: [Diagnostic] = []

    /// How many problems there are beyond ``problems``.
    private(set) var problemsOmitted = 0

    /// Texts that no diagnostic may show.
    private(set) var secrets: [Node] = []

    /// The pools that may be named.
    var poolNames: [String] = []

    /// The retry policies that may be named.
    var retryPolicies: [RetryPolicyConfiguration] = []

    /// The header filters that may be named, with the nodes they were read from.
    var headerFilters: [(filter: HeaderFilterConfiguration, node: Node)] = []

    /// The plugins that may be named.
    var pluginNames: [String] = []

    /// Whether a part of the configuration could not be read, so that what seems to be missing may
    /// well be there.
    var isIncomplete = false

    /// Reports what makes the configuration unusable.
    mutating func error(at location: SourceLocation, _ message: String) {
        guard self.problems.count < Self.problemsMax else { return self.problemsOmitted += 1 }
        self.problems.append(Diagnostic(.error, at: location, message))
    }

    /// Reports what makes the configuration unusable.
    ///
    /// Of a text that refers to something that is not there, this has been said already.
    mutating func error(at node: Node, _ message: String) {
        if node.scalar?.isBroken ?? false { return }
        self.error(at: node.location, message)
    }

    /// Reports a key that has no default and is not there.
    mutating func missing(_ key: String, at location: SourceLocation, _ place: String) {
        // It may stand in a file that could not be read; and who refers to it is not to blame.
        let isTop = place.isEmpty
        if isTop, self.isIncomplete { return }
        if isTop { self.isIncomplete = true }
        self.error(at: location, "'\(key)' is missing\(place); it has no default")
    }

    /// The known word that was likely meant; nil if nobody will read it anyway.
    func nearest(to word: String, among known: [String]) -> String? {
        guard self.problems.count < Self.problemsMax else { return nil }
        return Suggestion.nearest(to: word, among: known)
    }

    /// Reports what is likely not meant.
    mutating func warning(at node: Node, _ message: String) {
        guard self.problems.count < Self.problemsMax else { return self.problemsOmitted += 1 }
        self.problems.append(Diagnostic(.warning, at: node.location, message))
    }

    /// Keeps a text out of all diagnostics, also out of the lines that they show.
    mutating func hide(_ node: Node) {
        self.secrets.append(node)
    }

    /// Reports a key that a section does not have; returns the one that is likely meant.
    mutating func unknownKey(_ entry: Node.Entry, in context: String, known: [String]) -> String? {
        let nearest = self.nearest(to: entry.name, among: known)
        // What was meant to be a secret is one.
        if nearest?.namesSecret ?? false { self.hide(entry.value) }
        let place = context.isEmpty ? "" : " in \(context)"
        let remedy =
            entry.name == "<<"
            ? "YAML 1.2 has no merging of mappings; write the keys out"
            : Suggestion.remedy(nearest: nearest, known: known)
        self.error(at: entry.location, "unknown key \(quoted(entry.name))\(place); \(remedy)")
        return nearest
    }
}

/// A text of the file in single quotes, as messages show it.
func quoted(_ text: String) -> String { "'\(shown(text))'" }

/// A text of the file on one line, not too long for one, and without anything invisible.
func shown(_ text: String) -> String {
    let lengthMax = 60
    let scalars = text.unicodeScalars
    let start = scalars.prefix(lengthMax).map {
        $0.isVisible ? String($0) : $0.escaped(asASCII: true)
    }
    return start.joined() + (scalars.count > lengthMax ? "…" : "")
}

extension Unicode.Scalar {
    /// Whether it stands for itself on a line of a terminal.
    var isVisible: Bool {
        switch self.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: false
        default: true
        }
    }
}

/// Makes diagnostics ready to be shown: in order, each once, with its line and without secrets.
struct Presentation {
    /// The files in the order in which they were read.
    let sources: [SourceText]

    /// Those of them that are no YAML: nobody knows where their secrets are.
    let unreadable: Set<String>

    /// Texts that must not be shown.
    let secrets: [Node]

    /// The diagnostics as they are shown.
    func present(_ diagnostics: [Diagnostic]) -> [Diagnostic] {
        let order = Dictionary(
            self.sources.enumerated().map { ($0.element.file, $0.offset) },
            uniquingKeysWith: { first, _ in first }
        )
        func place(_ diagnostic: Diagnostic) -> (Int, Int, Int, String) {
            guard let location = diagnostic.location else { return (-1, 0, 0, diagnostic.message) }
            let file = order[location.file] ?? self.sources.count
            return (file, location.line, location.column, diagnostic.message)
        }
        return Set(diagnostics).sorted { place($0) < place($1) }.map { diagnostic in
            var diagnostic = diagnostic
            diagnostic.sourceLine = diagnostic.location.flatMap { self.line(at: $0) }
            return diagnostic
        }
    }

    /// The line at a place, with every secret in it covered.
    ///
    /// Nil if it is empty or longer than anybody reads, or could show a secret.
    private func line(at location: SourceLocation) -> String? {
        let source = self.sources.first { $0.file == location.file }
        guard let text = source?.line(location.line), (1...1000).contains(text.utf8.count) else {
            return nil
        }
        if self.unreadable.contains(location.file), text.mayHoldSecret { return nil }
        var line = text.map { $0.isHarmless ? $0 : "\u{FFFD}" }
        for secret in self.secrets where secret.location.file == location.file {
            let first = secret.location
            guard (first.line...max(first.line, secret.end.line)).contains(location.line) else {
                continue
            }
            let start = location.line == first.line ? first.column - 1 : 0
            let end = location.line == secret.end.line ? secret.end.column - 1 : line.count
            for index in line.indices where index >= start && index < end { line[index] = "*" }
        }
        return String(line)
    }
}

extension Character {
    /// Whether a terminal only draws it: nothing invisible but the tab.
    fileprivate var isHarmless: Bool {
        guard let scalar = self.unicodeScalars.first, self.unicodeScalars.count == 1 else {
            return !self.unicodeScalars.contains { $0.isControl }
        }
        return self == "\t" || scalar.isVisible
    }
}

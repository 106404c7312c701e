/// The text of a file, by lines: diagnostics show them.
struct SourceText: Sendable {
    /// The file as relay was told of it.
    let file: String

    /// Its lines, without their ends.
    let lines: [String]

    /// Splits a text where libyaml does (YAML 1.1, 5.4), so that both count the same lines.
    init(file: String, text: String) {
        self.file = file
        var lines: [String] = []
        var line = String.UnicodeScalarView()
        var endsWithReturn = false
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\n" where endsWithReturn:
                endsWithReturn = false
            case "\n", "\r", "\u{85}", "\u{2028}", "\u{2029}":
                endsWithReturn = scalar == "\r"
                lines.append(String(line))
                line.removeAll(keepingCapacity: true)
            default:
                endsWithReturn = false
                line.append(scalar)
            }
        }
        lines.append(String(line))
        self.lines = lines
    }

    /// The line with that number, from 1; nil behind the end.
    func line(_ number: Int) -> String? {
        self.lines.indices.contains(number - 1) ? self.lines[number - 1] : nil
    }

    /// The place of a mark, which counts lines and code points from 0; a location counts characters
    /// from 1.
    func location(of mark: YAMLMark) -> SourceLocation {
        var column = mark.column
        if let line = self.line(mark.line + 1), !line.utf8.allSatisfy({ $0 < 0x80 }) {
            column = String(line.unicodeScalars.prefix(mark.column)).count
        }
        return SourceLocation(file: self.file, line: mark.line + 1, column: column + 1)
    }

    /// Where `text` stands for the `count`th time (from 0) at or behind `start`, and before `end`.
    ///
    /// Nil if it is not there as it is, for instance because it is written with escapes.
    func location(
        of text: String,
        count: Int,
        from start: SourceLocation,
        to end: SourceLocation
    ) -> SourceLocation? {
        var count = count
        for number in start.line...max(start.line, end.line) {
            guard let line = self.line(number) else { return nil }
            var rest = line[...]
            if number == start.line { rest = rest.dropFirst(start.column - 1) }
            while let match = rest.firstRange(of: text) {
                if count == 0 {
                    let column = line.distance(from: line.startIndex, to: match.lowerBound) + 1
                    return SourceLocation(file: self.file, line: number, column: column)
                }
                count -= 1
                rest = rest[match.upperBound...]
            }
        }
        return nil
    }
}

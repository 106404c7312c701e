/// The text of a file, by lines: diagnostics show them.
struct SourceText: Sendable {
    /// The file as relay was told of it.
    let file: String

    /// Its lines, without their ends.
    let lines: [String]

    /// The numbers of the lines that are not all ASCII.
    private let wideLines: Set<Int>

    /// Bytes of a line.
    static let lineBytesMax = 64 << 10

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
        self.wideLines = Set(
            lines.indices.filter { !lines[$0].utf8.allSatisfy { $0 < 0x80 } }.map { $0 + 1 }
        )
    }

    /// The line with that number, from 1; nil behind the end.
    func line(_ number: Int) -> String? {
        self.lines.indices.contains(number - 1) ? self.lines[number - 1] : nil
    }

    /// The place of a mark, which counts lines and code points from 0; a location counts characters
    /// from 1.
    ///
    /// So far behind in a line that nobody counts, it takes each code point for a character: the
    /// time that this takes must not grow with the length of the line.
    func location(of mark: YAMLMark) -> SourceLocation {
        var column = mark.column
        if column <= 1000, self.wideLines.contains(mark.line + 1) {
            let before = self.line(mark.line + 1)?.unicodeScalars.prefix(mark.column)
            column = before.map { String($0).count } ?? column
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

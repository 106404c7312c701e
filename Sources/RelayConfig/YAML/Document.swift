/// One file of the configuration, read as YAML.
struct Document {
    /// The text, to show lines of it.
    let source: SourceText

    /// The tree; nil if there is none, and then there are problems.
    let root: Node?

    /// What is wrong with it.
    let problems: [Diagnostic]

    /// What no diagnostic may show.
    let secrets: [Node]

    /// Bytes of a file.
    static let bytesMax = 4 << 20

    /// Reads a file's bytes.
    ///
    /// - Parameter file: its name, for locations.
    init(file: String, bytes: [UInt8], environment: [String: String]) {
        let source = SourceText(file: file, text: String(decoding: bytes, as: UTF8.self))
        self.source = source
        if let problem = Self.problem(of: bytes, source) {
            self.root = nil
            self.problems = [problem]
            self.secrets = []
            return
        }
        var builder = NodeBuilder(source: source, environment: environment)
        do throws(YAMLProblem) {
            try readYAMLEvents(bytes) { builder.eventRead($0) }
            self.root = builder.root
            let isEmpty = builder.root == nil && builder.problems.isEmpty
            let start = SourceLocation(file: file, line: 1, column: 1)
            let empty = Diagnostic(.error, at: start, "the file is empty; begin with 'version: 1'")
            self.problems = builder.problems + (isEmpty ? [empty] : [])
            self.secrets = builder.secrets
        } catch {
            self.root = nil
            self.problems = builder.problems + [Self.describe(error, source)]
            self.secrets = builder.secrets
        }
    }

    /// What is wrong with the bytes, before YAML comes into it.
    private static func problem(of bytes: [UInt8], _ source: SourceText) -> Diagnostic? {
        let start = SourceLocation(file: source.file, line: 1, column: 1)
        guard bytes.count <= Self.bytesMax else {
            let megabytes = Self.bytesMax >> 20
            return Diagnostic(
                .error,
                at: start,
                "the file is above \(megabytes)MiB; split it by 'include'"
            )
        }
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) {
            return Diagnostic(
                .error,
                at: start,
                "the file begins with a byte order mark; save it without one"
            )
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            // The decoder put U+FFFD in the place of what is wrong.
            let place = source.location(
                of: "\u{FFFD}",
                count: 0,
                from: start,
                to: SourceLocation(file: source.file, line: source.lines.count, column: 1)
            )
            return Diagnostic(
                .error,
                at: place ?? start,
                "the file is not UTF-8; save it in that encoding"
            )
        }
        if let line = source.lines.firstIndex(where: { $0.utf8.count > SourceText.lineBytesMax }) {
            let place = SourceLocation(file: source.file, line: line + 1, column: 1)
            return Diagnostic(
                .error,
                at: place,
                "the line is above \(SourceText.lineBytesMax >> 10)KiB; break it"
            )
        }
        if let (character, mark) = findForbiddenCharacter(in: text) {
            let code = String(character.value, radix: 16, uppercase: true)
            let name = "U+" + String(repeating: "0", count: max(0, 4 - code.count)) + code
            let message = "the character \(name) is not allowed in YAML; remove it"
            return Diagnostic(.error, at: source.location(of: mark), message)
        }
        return nil
    }

    /// Turns libyaml's words into ours, with the remedy if the mistake is a known one.
    private static func describe(_ error: YAMLProblem, _ source: SourceText) -> Diagnostic {
        let line = error.mark.line + 1
        // A trap is noticed on its own line, or at the next token, on a later one.
        let first = max(1, line - 3, min(line, error.contextMark.line + 1))
        if let trap = YAMLTraps.find(in: source, lines: first...line) {
            let isShown = !(source.line(trap.location.line) ?? "").mayHoldSecret
            let text = isShown ? quoted(trap.text) : "the text"
            let message = "\(text) means something else in YAML; put it in quotes"
            return Diagnostic(.error, at: trap.location, message)
        }
        let location = source.location(of: error.mark)
        let message: String
        switch error.problem {
        case "mapping values are not allowed in this context":
            message = "a key is not allowed here; if it is a text with ': ', put it in quotes"
        case "found character that cannot start any token"
        where source.line(line)?.dropFirst(location.column - 1).first == "\t":
            message = "a tab cannot indent; write spaces"
        default:
            let context = source.location(of: error.contextMark)
            let within = context.line < line ? "; look at what begins at \(context)" : ""
            message = "not YAML: \(error.problem)\(within)"
        }
        return Diagnostic(.error, at: location, message)
    }
}

extension String {
    /// Whether a line may hold a secret, for files of which nothing better is known.
    var mayHoldSecret: Bool {
        let line = self.lowercased()
        return ["token", "secret", "password"].contains { line.contains($0) }
    }
}

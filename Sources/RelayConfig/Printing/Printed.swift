/// A piece of YAML that is about to be printed.
indirect enum Printed: Sendable, Equatable {
    /// A scalar as the file has it after YAML's own quoting: `${NAME}` is a reference.
    case scalar(String)
    /// The same in quotes, or never in quotes, where that tells a text from a number.
    case quoted(String)
    case plain(String)
    case list([Printed])
    case mapping([Entry])

    /// A key and its value.
    struct Entry: Sendable, Equatable {
        let name: String
        let value: Printed
    }

    /// A text in which nothing is a reference.
    static func text(_ text: String) -> Printed {
        .scalar(text.replacing("${", with: "$${"))
    }

    /// What a file says, word by word.
    init(_ node: Node) {
        switch node.content {
        case .scalar(let scalar):
            self = .scalar(scalar.written)
        case .sequence(let items):
            self = .list(items.map { Printed($0) })
        case .mapping(let entries):
            self = .mapping(entries.map { Entry(name: $0.name, value: Printed($0.value)) })
        }
    }
}

/// What printing needs to know of the file that is printed.
struct Printing: Sendable {
    /// The directory of the main file, to which relative paths are made relative again.
    let directory: String
}

extension Printed {
    /// As lines of YAML.
    var lines: [String] {
        switch self {
        case .scalar, .quoted, .plain, .list([]), .mapping([]):
            [self.inline ?? ""]
        case .list(let items):
            items.flatMap { item in
                item.lines.enumerated().map { $0 == 0 ? "- \($1)" : "  \($1)" }
            }
        case .mapping(let entries):
            entries.flatMap { entry in
                let name = Self.quote(entry.name)
                if let inline = entry.value.inline { return ["\(name): \(inline)"] }
                return ["\(name):"] + entry.value.lines.map { "  \($0)" }
            }
        }
    }

    /// On one line: scalars, lists of nothing but scalars, and what is empty; else nil.
    var inline: String? {
        switch self {
        case .scalar(let text):
            return Self.quote(text)
        case .quoted(let text):
            return Self.inQuotes(text)
        case .plain(let text):
            return text
        case .list(let items):
            let scalars = items.compactMap { item in
                switch item {
                case .scalar, .quoted, .plain: item.inline
                case .list, .mapping: nil
                }
            }
            return scalars.count == items.count ? "[\(scalars.joined(separator: ", "))]" : nil
        case .mapping(let entries):
            return entries.isEmpty ? "{}" : nil
        }
    }

    /// A text as a scalar: plain if nobody can mistake it, else in double quotes (YAML 1.2, 7.3).
    private static func quote(_ text: String) -> String {
        isSafe(text) ? text : Self.inQuotes(text)
    }

    private static func inQuotes(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": quoted += "\\\(scalar)"
            case "\n": quoted += "\\n"
            case "\t": quoted += "\\t"
            case "\r": quoted += "\\r"
            case "\0"..." ", "!"..."~", "\u{A0}"..."\u{2027}", "\u{202A}"..."\u{FEFE}",
                "\u{FF00}"..."\u{FFFD}", "\u{10000}"..."\u{10FFFF}":
                quoted += scalar < " " ? escape(scalar) : String(scalar)
            default:
                quoted += escape(scalar)
            }
        }
        return quoted + "\""
    }

    /// `\uXXXX`: everything that is not printable is below U+10000.
    private static func escape(_ scalar: Unicode.Scalar) -> String {
        let code = String(scalar.value, radix: 16, uppercase: true)
        return "\\u" + String(repeating: "0", count: max(0, 4 - code.count)) + code
    }

    private static func isSafe(_ text: String) -> Bool {
        guard let first = text.utf8.first, let last = text.utf8.last else { return false }
        let isWord = text.utf8.allSatisfy { $0.isLetterOrDigit || "_./-:%+".utf8.contains($0) }
        let isNull = ["null", "Null", "NULL"].contains(text)
        return isWord && !isNull && last != 0x3A && (first.isLetterOrDigit || first == 0x2F)
    }
}

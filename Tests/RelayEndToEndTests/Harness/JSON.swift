/// A JSON value, to check what relay writes (RFC 8259).
enum JSON: Hashable, Sendable {
    case null
    case boolean(Bool)
    case number(Double)
    case string(String)
    case array([JSON])
    case object([String: JSON])

    /// Reads a whole text; nil if it is not JSON.
    init?(_ text: String) {
        var reader = Reader(text)
        reader.skipBlanks()
        guard let value = reader.value() else { return nil }
        reader.skipBlanks()
        guard reader.isAtEnd else { return nil }
        self = value
    }

    /// The member of an object.
    subscript(name: String) -> JSON? {
        guard case .object(let members) = self else { return nil }
        return members[name]
    }

    /// The text of a string.
    var text: String? {
        guard case .string(let text) = self else { return nil }
        return text
    }
}

/// Reads JSON from the front of a text.
private struct Reader {
    private var rest: Substring.UnicodeScalarView

    init(_ text: String) { self.rest = Substring(text).unicodeScalars }

    var isAtEnd: Bool { self.rest.isEmpty }

    mutating func skipBlanks() {
        while let next = self.rest.first, " \t\r\n".unicodeScalars.contains(next) {
            self.rest.removeFirst()
        }
    }

    mutating func value() -> JSON? {
        switch self.rest.first {
        case "{": self.object()
        case "[": self.array()
        case "\"": self.string().map { .string($0) }
        case "t": self.take("true") ? .boolean(true) : nil
        case "f": self.take("false") ? .boolean(false) : nil
        case "n": self.take("null") ? .null : nil
        default: self.number()
        }
    }

    private mutating func take(_ text: String) -> Bool {
        guard self.rest.starts(with: text.unicodeScalars) else { return false }
        self.rest.removeFirst(text.unicodeScalars.count)
        return true
    }

    private mutating func number() -> JSON? {
        let digits = self.rest.prefix { "+-.eE0123456789".unicodeScalars.contains($0) }
        guard let number = Double(String(digits)) else { return nil }
        self.rest.removeFirst(digits.count)
        return .number(number)
    }

    private mutating func string() -> String? {
        guard self.take("\"") else { return nil }
        var text = String.UnicodeScalarView()
        while let next = self.rest.popFirst() {
            switch next {
            case "\"": return String(text)
            case "\\":
                guard let escaped = self.escape() else { return nil }
                text.append(escaped)
            case "\u{0}"..."\u{1F}": return nil
            default: text.append(next)
            }
        }
        return nil
    }

    private mutating func escape() -> Unicode.Scalar? {
        switch self.rest.popFirst() {
        case "n": return "\n"
        case "r": return "\r"
        case "t": return "\t"
        case "b": return "\u{8}"
        case "f": return "\u{C}"
        case "u":
            let digits = String(self.rest.prefix(4))
            guard digits.count == 4, let code = UInt32(digits, radix: 16) else { return nil }
            self.rest.removeFirst(4)
            return Unicode.Scalar(code)
        case let other?: return "\"\\/".unicodeScalars.contains(other) ? other : nil
        case nil: return nil
        }
    }

    private mutating func array() -> JSON? {
        guard self.take("[") else { return nil }
        var elements: [JSON] = []
        self.skipBlanks()
        if self.take("]") { return .array([]) }
        while true {
            self.skipBlanks()
            guard let element = self.value() else { return nil }
            elements.append(element)
            self.skipBlanks()
            if self.take("]") { return .array(elements) }
            guard self.take(",") else { return nil }
        }
    }

    private mutating func object() -> JSON? {
        guard self.take("{") else { return nil }
        var members: [String: JSON] = [:]
        self.skipBlanks()
        if self.take("}") { return .object([:]) }
        while true {
            self.skipBlanks()
            guard let name = self.string() else { return nil }
            self.skipBlanks()
            guard self.take(":") else { return nil }
            self.skipBlanks()
            guard let value = self.value() else { return nil }
            guard members.updateValue(value, forKey: name) == nil else { return nil }
            self.skipBlanks()
            if self.take("}") { return .object(members) }
            guard self.take(",") else { return nil }
        }
    }
}

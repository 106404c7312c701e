extension Form<RequestText> {
    /// The value of a header field (RFC 9110, 5.5), in which `{host}` is a value of the request, and `{{` and `}}` are
    /// braces.
    ///
    /// Printing doubles the braces again.
    static let fieldValue = scalar("a text", isText: true) { word throws(Rejection) in
        let text = try requestText(word)
        for part in text.parts {
            guard case .literal(let characters) = part else { continue }
            if characters.unicodeScalars.contains(where: { $0.isControl && $0 != "\t" }) {
                throw Rejection("cannot hold a control character; remove it")
            }
        }
        if text.parts.first?.hasBlank(at: \.first) ?? false
            || text.parts.last?.hasBlank(at: \.last) ?? false
        {
            throw Rejection("cannot begin or end with a blank; remove it")
        }
        return text
    } print: { text in
        text.parts.map { part in
            switch part {
            case .literal(let characters): braced(characters)
            case .value(let value): "{\(value.name)}"
            }
        }
        .joined()
    }
}

extension RequestText.Part {
    /// Whether it is literal and begins, or ends, with a blank.
    fileprivate func hasBlank(at end: KeyPath<Substring.UTF8View, UInt8?>) -> Bool {
        guard case .literal(let characters) = self,
            let byte = characters[...].utf8[keyPath: end]
        else { return false }
        return byte == 0x20 || byte == 0x09
    }
}

/// A text with its `{values}`, and `{{` and `}}` made single.
func requestText(_ word: Word) throws(Rejection) -> RequestText {
    var parts: [RequestText.Part] = []
    var literal = ""
    var rest = word.text[...]
    while let brace = rest.firstIndex(where: { $0 == "{" || $0 == "}" }) {
        literal += rest[..<brace]
        rest = rest[brace...]
        if rest.hasPrefix("{{") || rest.hasPrefix("}}") {
            literal.append(rest.removeFirst())
            rest = rest.dropFirst()
            continue
        }
        guard rest.first == "{", let end = rest.firstIndex(of: "}") else {
            throw Rejection("has a single brace; write '{{' or '}}' for a literal one")
        }
        if word.isExpanded {
            throw Rejection("has braces; write '{{' and '}}' for literal ones")
        }
        if !literal.isEmpty { parts.append(.literal(literal)) }
        literal = ""
        parts.append(.value(try requestValue(String(rest.dropFirst()[..<end]))))
        rest = rest[end...].dropFirst()
    }
    literal += rest
    if !literal.isEmpty { parts.append(.literal(literal)) }
    return RequestText(parts: parts)
}

/// The value of the request that has this name.
private func requestValue(_ name: String) throws(Rejection) -> RequestValue {
    if let value = RequestValue(name: name) { return value }
    let nearest = Suggestion.nearest(to: name, among: RequestValue.named.map(\.name))
    let remedy = nearest.map { "did you mean '{\($0)}'?" } ?? "write '{{' for a literal brace"
    throw Rejection(sentence: "no value of the request is \(quoted("{\(name)}")); \(remedy)")
}

/// The text with `{{` and `}}` made single, where no value of the request can stand.
func unbraced(_ word: Word) throws(Rejection) -> String {
    let text = try requestText(word)
    if let literal = text.literal { return literal }
    throw Rejection("takes no value of the request; write '{{' and '}}' for literal braces")
}

/// The text with its braces doubled.
func braced(_ text: String) -> String {
    text.replacing("{", with: "{{").replacing("}", with: "}}")
}

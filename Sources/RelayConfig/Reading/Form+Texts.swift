extension Form<String> {
    /// Any text; what is wrong with it, if anything, is what `problem` says:
    /// `is longer than 255 bytes`.
    static func text(
        _ what: String = "a text",
        problem: @escaping @Sendable (Word) -> Rejection? = { _ in nil }
    ) -> Form {
        .scalar(what, isText: true) { word throws(Rejection) in
            if let rejection = problem(word) { throw rejection }
            return word.text
        } print: {
            $0
        }
    }

    /// A path of requests, in its normal form.
    static let path = text("a path") { word in
        guard word.text.hasPrefix("/") else {
            return Rejection("begins with '/', not so \(word.shown)")
        }
        if word.text.contains("?") || word.text.contains("#") {
            return Rejection("is a path without query and fragment, not \(word.shown)")
        }
        guard let normal = RequestPath.normalized(word.text) else {
            return Rejection("is no valid path: \(word.shown)")
        }
        if normal == word.text { return nil }
        let remedy = word.isExpanded ? "" : "; write '\(normal)'"
        return Rejection("is not in its normal form: \(word.shown)\(remedy)")
    }

    /// The name of a header field (RFC 9110, 5.1).
    static let fieldName = text("the name of a field") { word in
        word.text.isToken ? nil : Rejection("cannot have a field of the name \(word.shown)")
    }

    /// The method of a request (RFC 9110, 9.1): case matters.
    static let method = text("a method") { word in
        guard word.text.isToken else { return Rejection("is a method, not \(word.shown)") }
        let upper = word.text.uppercased()
        let known = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH"]
        guard known.contains(upper), upper != word.text else { return nil }
        return Rejection("cannot be \(word.shown), because case matters; write '\(upper)'")
    }
}

extension Form<Secret> {
    /// A bearer token, which no message shows.
    static let secret = Form(
        read: { node, name, reading in
            reading.hide(node)
            guard let scalar = node.scalar, !scalar.isNull else {
                reading.error(at: node, "'\(name)' is a text; give it one or remove it")
                return nil
            }
            let isVisible = scalar.text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
            guard isVisible, (8...4096).contains(scalar.text.utf8.count) else {
                let rule = "8 to 4096 visible ASCII characters without blanks"
                reading.error(at: node, "'\(name)' is not \(rule)")
                return nil
            }
            return Secret(scalar.text)
        },
        print: { .text($0.revealed) }
    )
}

extension String {
    /// Whether it is a token (RFC 9110, 5.6.2), as methods and names of fields are.
    var isToken: Bool {
        !self.isEmpty
            && self.utf8.allSatisfy { $0.isLetterOrDigit || "!#$%&'*+-.^_`|~".utf8.contains($0) }
    }
}

extension Unicode.Scalar {
    /// Whether it is a control character of ASCII or Latin-1.
    var isControl: Bool { self.value < 0x20 || (0x7F...0x9F).contains(self.value) }
}

/// How a value is written in relay.yaml: how to read it, and how to print it.
struct Form<Value: Sendable>: Sendable {
    /// Reads a value.
    ///
    /// Nil after something was reported. The text is what messages call the value: the key's name.
    let read: @Sendable (Node, String, inout Reading) -> Value?

    /// Prints a value; the node is what it was read from, if the file has it.
    let print: @Sendable (Value, Node?, Printing) -> Printed

    /// The sections within it.
    let sections: [SectionKeys]

    /// A form whose print depends on what was written.
    init(
        sections: [SectionKeys],
        read: @escaping @Sendable (Node, String, inout Reading) -> Value?,
        print: @escaping @Sendable (Value, Node?, Printing) -> Printed
    ) {
        self.sections = sections
        self.read = read
        self.print = print
    }

    /// A form without sections, whose print depends on the value alone.
    ///
    /// Only what the environment had a part in is printed as it was written.
    init(
        read: @escaping @Sendable (Node, String, inout Reading) -> Value?,
        print: @escaping @Sendable (Value) -> Printed
    ) {
        self.sections = []
        self.read = read
        self.print = { value, node, _ in
            if let node, node.isExpanded { Printed(node) } else { print(value) }
        }
    }

    /// The same form for a type that goes back and forth without loss.
    func map<Other: Sendable>(
        _ forth: @escaping @Sendable (Value) -> Other,
        back: @escaping @Sendable (Other) -> Value
    ) -> Form<Other> {
        Form<Other>(
            sections: self.sections,
            read: { node, name, reading in self.read(node, name, &reading).map(forth) },
            print: { value, node, printing in self.print(back(value), node, printing) }
        )
    }
}

/// Why a scalar is not what it should be.
struct Rejection: Error {
    /// The message, for a value of that name.
    let message: @Sendable (_ name: String) -> String

    /// A sentence that begins with the value's name: `is at most 1h, not '2h'`.
    init(_ predicate: String) {
        self.message = { "'\($0)' \(predicate)" }
    }

    /// A sentence of its own.
    init(sentence: String) {
        self.message = { _ in sentence }
    }
}

/// The text of a scalar, and how messages may show it.
struct Word {
    /// With references to the environment replaced.
    let text: String

    /// In single quotes, as it was written: what comes from the environment may be a secret.
    let shown: String

    /// Whether the environment had a part in it.
    let isExpanded: Bool

    /// Takes a scalar.
    init(_ scalar: Node.Scalar) {
        self.text = scalar.text
        self.isExpanded = scalar.isExpanded
        self.shown = quoted(scalar.isExpanded ? scalar.written : scalar.text)
    }

    /// Takes a text that stands in no file.
    init(text: String) {
        self.text = text
        self.isExpanded = false
        self.shown = quoted(text)
    }
}

extension Form {
    /// A form of one scalar.
    ///
    /// - Parameters:
    ///   - what: what it is: `a duration`.
    ///   - isText: whether quotes can make one of what YAML takes for a list or mapping.
    static func scalar(
        _ what: String,
        isText: Bool = false,
        parse: @escaping @Sendable (Word) throws(Rejection) -> Value,
        print: @escaping @Sendable (Value) -> String
    ) -> Form {
        Form(
            read: { node, name, reading in
                guard let scalar = node.scalar else {
                    let remedy = isText && node.isFlow ? "; put it in quotes" : ""
                    reading.error(at: node, "'\(name)' is \(what), not \(node.kind)\(remedy)")
                    return nil
                }
                guard !scalar.isNull else {
                    reading.error(at: node, "'\(name)' has no value; write \(what) or remove it")
                    return nil
                }
                do throws(Rejection) {
                    return try parse(Word(scalar))
                } catch {
                    reading.error(at: node, error.message(name))
                    return nil
                }
            },
            print: { .text(print($0)) }
        )
    }
}

/// A part of a YAML document: what it holds and where it stands.
///
/// Aliases are resolved and references to the environment are replaced; a node knows what was
/// written in their place.
struct Node: Sendable {
    /// What it holds.
    let content: Content

    /// Its first character.
    let location: SourceLocation

    /// The place behind its last character.
    let end: SourceLocation

    /// Whether it is a list or a mapping in brackets.
    var isFlow = false

    /// Nodes that it is made of, itself included.
    let size: Int

    /// The three kinds of nodes.
    enum Content: Sendable {
        case scalar(Scalar)
        case sequence([Node])
        case mapping([Entry])
    }

    /// A text.
    struct Scalar: Sendable {
        /// As the file has it, after YAML's own quoting.
        var written: String

        /// With references to the environment replaced.
        var text: String

        /// Whether it stands without quotes.
        var isPlain: Bool

        /// Whether the environment had a part in `text`.
        var isExpanded: Bool

        /// Whether it refers to something that is not there, which has been reported.
        var isBroken = false

        /// The null of the core schema (YAML 1.2, 10.3.2): only a plain scalar can be it.
        var isNull: Bool {
            self.isPlain && ["", "~", "null", "Null", "NULL"].contains(self.written)
        }
    }

    /// A key of a mapping and its value.
    struct Entry: Sendable {
        /// The key.
        let name: String

        /// Where the key stands.
        let location: SourceLocation

        /// The value.
        let value: Node
    }
}

extension Node {
    /// The scalar, if it is one.
    var scalar: Scalar? {
        if case .scalar(let scalar) = self.content { scalar } else { nil }
    }

    /// The entries of a mapping; none if it is something else.
    var entries: [Entry] {
        if case .mapping(let entries) = self.content { entries } else { [] }
    }

    /// The items of a list; anything else is its own only item.
    var items: [Node] {
        if case .sequence(let items) = self.content { items } else { [self] }
    }

    /// Whether it is a list or a mapping with nothing in it.
    var isEmpty: Bool {
        switch self.content {
        case .scalar: false
        case .sequence(let items): items.isEmpty
        case .mapping(let entries): entries.isEmpty
        }
    }

    /// The value of a key of a mapping.
    subscript(name: String) -> Node? {
        self.entries.first { $0.name == name }?.value
    }

    /// Whether the environment had a part in it.
    var isExpanded: Bool {
        switch self.content {
        case .scalar(let scalar): scalar.isExpanded
        case .sequence(let items): items.contains { $0.isExpanded }
        case .mapping(let entries): entries.contains { $0.value.isExpanded }
        }
    }

    /// What it is, as messages call it.
    var kind: String {
        switch self.content {
        case .scalar: "a text"
        case .sequence: "a list"
        case .mapping: "a mapping"
        }
    }
}

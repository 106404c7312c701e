/// A section of relay.yaml: the keys of a mapping, and the value that they make.
///
/// Reading, printing and the list of keys all come from the same table.
struct Section<Value: Sendable>: Sendable {
    /// What the manual calls it: `listeners`, `auth.paths`.
    let title: String

    /// The keys, in the order in which they are read and printed.
    let keys: [Key<Value>]

    /// Keys that are known, and not supported yet.
    let later: [String]

    /// What must hold between the keys.
    let check: @Sendable (inout Value, Node, inout Reading) -> Void

    /// A section.
    init(
        _ title: String,
        _ keys: [Key<Value>],
        later: [String] = [],
        check: @escaping @Sendable (inout Value, Node, inout Reading) -> Void = { _, _, _ in }
    ) {
        self.title = title
        self.keys = keys
        self.later = later
        self.check = check
    }

    /// Reads a mapping into `value`, which holds the defaults.
    ///
    /// - Parameters:
    ///   - context: what messages call it: `pool 'app'`; empty for the whole file.
    ///   - name: where its name stands, if it has one: what is missing is missing there.
    func read(
        _ node: Node,
        as context: String,
        at name: SourceLocation? = nil,
        into value: inout Value,
        _ reading: inout Reading
    ) {
        guard case .mapping(let entries) = node.content else {
            reading.error(at: node, "\(context) \(self.problem(of: node, context))")
            return
        }
        let place = context.isEmpty ? "" : " in \(context)"
        let known = self.keys.map(\.name)
        var meant: Set<String> = []
        for entry in entries where !known.contains(entry.name) {
            if self.later.contains(entry.name) {
                reading.error(at: entry.location, "'\(entry.name)' is not supported yet")
            } else if let nearest = reading.unknownKey(entry, in: context, known: known) {
                meant.insert(nearest)
            }
        }
        for key in self.keys {
            if let written = node[key.name] {
                key.read(&value, written, &reading)
            } else if key.isRequired, !meant.contains(key.name) {
                reading.missing(key.name, at: name ?? node.location, place)
            }
        }
        self.check(&value, node, &reading)
    }

    /// What is wrong with a node that is no mapping, and what to write instead.
    private func problem(of node: Node, _ context: String) -> String {
        let required = self.keys.filter(\.isRequired).map(\.name)
        if let scalar = node.scalar, scalar.isNull {
            if let key = required.first { return "has no value; it needs '\(key)'" }
            return "has no value; " + (context.hasPrefix("'") ? "write '{}' or " : "") + "remove it"
        }
        var remedy = ""
        if let scalar = node.scalar {
            let isKey = self.keys.contains { $0.name == scalar.text }
            if isKey { remedy = "; write '\(scalar.text): …'" }
            if let key = required.first, required.count == 1 { remedy = "; write '{ \(key): … }'" }
        }
        return "is a mapping, not \(node.kind)\(remedy)"
    }

    /// Prints a value with all its keys.
    func print(_ value: Value, _ node: Node?, _ printing: Printing) -> Printed {
        .mapping(
            self.keys.compactMap { key in
                key.print(value, node?[key.name], printing).map {
                    Printed.Entry(name: key.name, value: $0)
                }
            }
        )
    }

    /// Its keys, and those of the sections within it.
    var sections: [SectionKeys] {
        [SectionKeys(title: self.title, keys: self.keys.map(\.name))]
            + self.keys.flatMap(\.sections)
    }
}

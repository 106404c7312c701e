extension Form {
    /// A section that is a value of its own; `draft` holds its defaults.
    static func section(_ section: Section<Value>, draft: Value) -> Form {
        Form(
            sections: section.sections,
            read: { node, name, reading in
                var value = draft
                section.read(node, as: "'\(name)'", into: &value, &reading)
                return value
            },
            print: { value, node, printing in section.print(value, node, printing) }
        )
    }

    /// A list with at least one item.
    static func list<Item>(of form: Form<Item>) -> Form where Value == [Item] {
        Form(
            sections: form.sections,
            read: { node, name, reading in
                guard case .sequence(let items) = node.content else {
                    reading.error(at: node, "'\(name)' is a list, not \(node.kind)")
                    return nil
                }
                if items.isEmpty {
                    reading.error(at: node, "'\(name)' is empty; it needs at least one")
                }
                return items.compactMap { form.read($0, name, &reading) }
            },
            print: { values, node, printing in
                let nodes = node?.items ?? []
                return .list(
                    values.enumerated().map { index, value in
                        let node = nodes.indices.contains(index) ? nodes[index] : nil
                        return form.print(value, node, printing)
                    }
                )
            }
        )
    }

    /// Items of which each is one scalar: a list of them, or a single one.
    static func oneOrMore<Item>(_ form: Form<Item>, allowsNone: Bool = false) -> Form
    where Value == [Item] {
        Form(
            read: { node, name, reading in
                if node.items.isEmpty, !allowsNone {
                    reading.error(at: node, "'\(name)' is empty; give one or remove it")
                }
                return node.items.compactMap { form.read($0, name, &reading) }
            },
            print: { values in
                .list(values.map { form.print($0, nil, Printing(directory: "")) })
            }
        )
    }

    /// Named things, in the order of the file: a mapping from names to sections.
    ///
    /// - Parameters:
    ///   - kind: what one of them is: `pool`.
    ///   - draft: a thing with that name, written there, with every default.
    ///   - defined: hears of each that was read.
    static func named<Item>(
        _ kind: String,
        _ section: Section<Item>,
        name: any KeyPath<Item, String> & Sendable,
        draft: @escaping @Sendable (String, SourceLocation) -> Item,
        defined: @escaping @Sendable (Item, Node, inout Reading) -> Void = { _, _, _ in }
    ) -> Form where Value == [Item] {
        Form(
            sections: section.sections,
            read: { node, key, reading in
                guard case .mapping(let entries) = node.content else {
                    let isNull = node.scalar?.isNull ?? false
                    let problem =
                        isNull
                        ? "has no value; add a \(kind)" : "is a mapping of names, not \(node.kind)"
                    reading.error(at: node, "'\(key)' \(problem)")
                    reading.isIncomplete = true
                    return nil
                }
                return entries.map { entry in
                    if !entry.name.isConfigurationName {
                        let rule =
                            "letters, digits, '_', '-' and '.', at most 64, a letter or digit first"
                        reading.error(
                            at: entry.location,
                            "\(quoted(entry.name)) is no name; write \(rule)"
                        )
                    }
                    var item = draft(entry.name, entry.location)
                    let context = "\(kind) \(quoted(entry.name))"
                    section.read(
                        entry.value,
                        as: context,
                        at: entry.location,
                        into: &item,
                        &reading
                    )
                    defined(item, entry.value, &reading)
                    return item
                }
            },
            print: { items, node, printing in
                .mapping(
                    items.map { item in
                        let name = item[keyPath: name]
                        let printed = section.print(item, node?[name], printing)
                        return Printed.Entry(name: name, value: printed)
                    }
                )
            }
        )
    }

    /// Things that are each one key and its value, in the order of the file: `{ X-A: a, X-B: b }`.
    static func pairs<Item, Inner>(
        _ form: Form<Inner>,
        name nameForm: Form<String>,
        make: @escaping @Sendable (String, Inner) -> Item,
        split: @escaping @Sendable (Item) -> (String, Inner)
    ) -> Form where Value == [Item] {
        Form(
            read: { node, key, reading in
                guard case .mapping(let entries) = node.content else {
                    reading.error(at: node, "'\(key)' is a mapping of names, not \(node.kind)")
                    return nil
                }
                if entries.isEmpty {
                    reading.error(at: node, "'\(key)' is empty; give a name or remove it")
                }
                return entries.compactMap { entry in
                    let named = nameForm.read(entry.asKeyNode, key, &reading)
                    let value = form.read(entry.value, shown(entry.name), &reading)
                    guard let named, let value else { return nil }
                    return make(named, value)
                }
            },
            print: { items in
                .mapping(
                    items.map { item in
                        let (name, value) = split(item)
                        let printed = form.print(value, nil, Printing(directory: ""))
                        return Printed.Entry(name: name, value: printed)
                    }
                )
            }
        )
    }
}

extension Node.Entry {
    /// The key as a node, to be read like a value.
    var asKeyNode: Node {
        let scalar = Node.Scalar(
            written: self.name,
            text: self.name,
            isPlain: false,
            isExpanded: false
        )
        return Node(
            content: .scalar(scalar),
            location: self.location,
            end: self.location,
            size: 1
        )
    }
}

extension String {
    /// Whether it can name a listener, a pool, a policy or a filter.
    var isConfigurationName: Bool {
        guard let first = self.utf8.first, first.isLetterOrDigit, self.utf8.count <= 64 else {
            return false
        }
        return self.utf8.allSatisfy { $0.isLetterOrDigit || [0x5F, 0x2D, 0x2E].contains($0) }
    }
}

extension UInt8 {
    /// Whether it is an ASCII letter or digit.
    var isLetterOrDigit: Bool {
        switch self {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        default: false
        }
    }
}

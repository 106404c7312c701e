/// A key of a section: its name, its place in the value, and its form.
struct Key<Owner: Sendable>: Sendable {
    /// As relay.yaml writes it.
    let name: String

    /// Whether the section cannot do without it.
    let isRequired: Bool

    /// Whether all stages of one realm must have the same here.
    let isOfRealm: Bool

    /// Reads it into the section's value, which stays as it is if something is wrong.
    let read: @Sendable (inout Owner, Node, inout Reading) -> Void

    /// Prints it; nil for what is absent and has no default.
    let print: @Sendable (Owner, Node?, Printing) -> Printed?

    /// The sections within it.
    let sections: [SectionKeys]

    /// A key that has a default, or is required.
    init<Value>(
        _ name: String,
        _ path: any WritableKeyPath<Owner, Value> & Sendable,
        _ form: Form<Value>,
        required: Bool = false,
        ofRealm: Bool = false
    ) {
        self.name = name
        self.isRequired = required
        self.isOfRealm = ofRealm
        self.sections = form.sections
        self.read = { owner, node, reading in
            if let value = form.read(node, name, &reading) { owner[keyPath: path] = value }
        }
        self.print = { owner, node, printing in
            form.print(owner[keyPath: path], node, printing)
        }
    }

    /// A key that may be absent.
    init<Value>(
        optional name: String,
        _ path: any WritableKeyPath<Owner, Value?> & Sendable,
        _ form: Form<Value>
    ) {
        self.name = name
        self.isRequired = false
        self.isOfRealm = false
        self.sections = form.sections
        self.read = { owner, node, reading in
            if let value = form.read(node, name, &reading) { owner[keyPath: path] = value }
        }
        self.print = { owner, node, printing in
            owner[keyPath: path].map { form.print($0, node, printing) }
        }
    }

    /// A key that something else reads, and that is not printed.
    init(readElsewhere name: String) {
        self.name = name
        self.isRequired = false
        self.isOfRealm = false
        self.sections = []
        self.read = { _, _, _ in }
        self.print = { _, _, _ in nil }
    }

    /// A section within the section, whose keys all have defaults.
    init<Value>(
        _ name: String,
        _ path: any WritableKeyPath<Owner, Value> & Sendable,
        _ inner: Section<Value>
    ) {
        self.name = name
        self.isRequired = false
        self.isOfRealm = false
        self.sections = inner.sections
        self.read = { owner, node, reading in
            inner.read(node, as: "'\(name)'", into: &owner[keyPath: path], &reading)
        }
        self.print = { owner, node, printing in
            inner.print(owner[keyPath: path], node, printing)
        }
    }
}

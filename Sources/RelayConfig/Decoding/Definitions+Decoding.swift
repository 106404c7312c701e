// The sections whose keys are names that the operator chooses.

extension Form<[RetryPolicyConfiguration]> {
    /// `retry_policies`.
    static let retryPolicies = named(
        "retry policy",
        RetryPolicyConfiguration.section,
        name: \.name,
        draft: { name, _ in RetryPolicyConfiguration(name: name) },
        defined: { policy, _, reading in reading.retryPolicies.append(policy) }
    )
}

extension Form<[HeaderFilterConfiguration]> {
    /// `header_filters`.
    static let headerFilters = named(
        "header filter",
        HeaderFilterConfiguration.section,
        name: \.ownName,
        draft: { name, _ in HeaderFilterConfiguration(name: name) },
        defined: { filter, node, reading in reading.headerFilters.append((filter, node)) }
    )
}

extension Form<[PoolConfiguration]> {
    /// `pools`.
    static let pools = named(
        "pool",
        PoolConfiguration.section,
        name: \.name,
        draft: { name, location in
            var pool = PoolConfiguration(name: name, targets: [])
            pool.location = location
            return pool
        },
        defined: { pool, _, reading in reading.poolNames.append(pool.name) }
    )
    .notEmpty("pool")
}

extension Form<[ListenerConfiguration]> {
    /// `listeners`.
    static let listeners = named(
        "listener",
        ListenerConfiguration.section,
        name: \.name,
        draft: ListenerConfiguration.draft
    )
    .notEmpty("listener")
}

extension HeaderFilterConfiguration {
    /// The name; those under `header_filters` have one.
    fileprivate var ownName: String { self.name ?? "" }
}

extension Form {
    /// The same form, with at least one item.
    fileprivate func notEmpty<Item>(_ kind: String) -> Form where Value == [Item] {
        Form(
            sections: self.sections,
            read: { node, name, reading in
                if node.isEmpty {
                    reading.error(at: node, "'\(name)' is empty; add a \(kind)")
                    reading.isIncomplete = true
                }
                return self.read(node, name, &reading)
            },
            print: self.print
        )
    }
}

extension Form<Configuration> {
    /// `version: 1`; it says how the file is to be read and is no value of its own.
    static let version = Form(
        read: { node, _, reading in
            if node.scalar?.text != "1" {
                let shown = node.scalar.map { Word($0).shown } ?? node.kind
                reading.error(at: node, "'version' is 1, not \(shown); write 'version: 1'")
            }
            return nil
        },
        print: { _ in .text("1") }
    )
}

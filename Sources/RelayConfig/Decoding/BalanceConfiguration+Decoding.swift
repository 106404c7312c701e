extension Form<PoolConfiguration.Balance> {
    /// A word, or `{ hash: … }`.
    static let balance = Form(
        sections: [],
        read: { node, name, reading in
            guard node.scalar == nil else { return word.read(node, name, &reading) }
            var draft = HashDraft()
            HashDraft.section.read(node, as: "'\(name)'", into: &draft, &reading)
            return draft.key.map { .hash($0) }
        },
        print: { balance, node, printing in
            guard case .hash(let key) = balance else { return word.print(balance, node, printing) }
            let value = Form<PoolConfiguration.HashKey>.hashKey.print(key, node?["hash"], printing)
            return .mapping([Printed.Entry(name: "hash", value: value)])
        }
    )

    private static let words: [(String, PoolConfiguration.Balance)] = [
        ("round_robin", .roundRobin), ("least_requests", .leastRequests),
        ("random_two", .randomTwo),
    ]

    private static let word = scalar("a word or '{ hash: … }'") { word throws(Rejection) in
        if let (_, balance) = words.first(where: { $0.0 == word.text }) { return balance }
        if word.text == "hash" {
            throw Rejection("says by what, as in '{ hash: client_ip }'")
        }
        throw Rejection(unknown: word, known: words.map(\.0))
    } print: { balance in
        words.first { $0.1 == balance }?.0 ?? ""
    }
}

/// `{ hash: … }` while it is read.
private struct HashDraft: Sendable {
    var key: PoolConfiguration.HashKey?

    static let section = Section<Self>(
        "balance",
        [Key(optional: "hash", \.key, .hashKey)]
    ) { _, node, reading in
        guard node.isEmpty else { return }
        reading.error(at: node, "'balance' is empty; write a word or '{ hash: … }'")
    }
}

/// `{ header: … }` while it is read.
private struct HeaderDraft: Sendable {
    var name = ""

    static let section = Section<Self>(
        "hash",
        [Key("header", \.name, .fieldName, required: true)]
    )
}

extension Form<PoolConfiguration.HashKey> {
    /// A word, or `{ header: NAME }`.
    fileprivate static let hashKey = Form(
        sections: [],
        read: { node, name, reading in
            guard node.scalar == nil else { return word.read(node, name, &reading) }
            var draft = HeaderDraft()
            HeaderDraft.section.read(node, as: "'\(name)'", into: &draft, &reading)
            return draft.name.isEmpty ? nil : .field(draft.name)
        },
        print: { key, node, printing in
            guard case .field(let name) = key else { return word.print(key, node, printing) }
            let value = Form<String>.fieldName.print(name, node?["header"], printing)
            return .mapping([Printed.Entry(name: "header", value: value)])
        }
    )

    private static let words: [(String, PoolConfiguration.HashKey)] = [
        ("client_ip", .clientAddress), ("client_id", .clientID),
    ]

    private static let word = scalar("a word or '{ header: NAME }'") { word throws(Rejection) in
        if let (_, key) = words.first(where: { $0.0 == word.text }) { return key }
        throw Rejection(unknown: word, known: words.map(\.0) + ["{ header: NAME }"])
    } print: { key in
        words.first { $0.1 == key }?.0 ?? ""
    }
}

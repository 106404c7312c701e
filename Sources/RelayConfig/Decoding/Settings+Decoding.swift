// The sections that stand at the top of the file and concern relay as a whole.

extension ShutdownConfiguration {
    /// The keys of `shutdown`.
    static let section = Section<Self>(
        "shutdown",
        [
            Key("drain_timeout", \.drainTimeout, .duration(.zero ... .days(1))),
            Key("grace", \.grace, .duration(.zero ... .days(1))),
        ]
    )
}

extension MemoryConfiguration {
    /// The keys of `memory`.
    static let section = Section<Self>(
        "memory",
        [
            Key(
                "limit",
                \.limitBytes,
                Form<Int>.size(32 << 20...Int.max - 1).orWord("auto", else: "a size")
            )
        ]
    )
}

extension LogConfiguration {
    /// The keys of `log`.
    static let section = Section<Self>(
        "log",
        [
            Key("level", \.level, .word()),
            Key("format", \.format, .word()),
            Key("access", \.access, .word(later: ["path", "format", "stdout", "stderr"])),
        ]
    )
}

extension StoreConfiguration {
    /// The keys of `store`.
    static let section = Section<Self>(
        "store",
        [
            Key("memory", \.kind, .section(memory, draft: .memory)),
            Key("dead_letters", \.deadLetters, DeadLettersConfiguration.section),
        ],
        later: ["disk", "reserve"]
    )

    /// The keys of `store.memory`: none.
    private static let memory = Section<Kind>("store.memory", [])
}

extension DeadLettersConfiguration {
    /// The keys of `store.dead_letters`.
    static let section = Section<Self>(
        "store.dead_letters",
        [
            Key("keep", \.keep, .duration(.zero ... .days(3650))),
            Key("max", \.packetsMax, .count(0...100_000_000)),
            Key("bytes", \.bytesMax, .size(0...1 << 40)),
        ]
    )
}

extension AdminConfiguration {
    /// The keys of `admin`.
    static let section = Section<Self>(
        "admin",
        [
            Key("bind", \.bind, .bind, required: true),
            Key("hosts", \.hosts, .oneOrMore(.hostName, allowsNone: true)),
            Key(optional: "token", \.token, .secret),
        ],
        later: ["metrics_bind"]
    ) { admin, node, reading in
        guard node["token"] == nil, !admin.bind.isPrivate, let bind = node["bind"] else { return }
        reading.error(
            at: bind,
            "'bind' is open to other machines; add a 'token' or bind to 127.0.0.1"
        )
    }

    /// An address that stands in until `bind` is read, which is required.
    static let draft = AdminConfiguration(bind: .tcp(host: "127.0.0.1", port: 0))
}

extension BindAddress {
    /// Whether only this machine can connect to it.
    fileprivate var isPrivate: Bool {
        switch self {
        case .unix: true
        case .tcp(let host, _): host == "localhost" || IPAddress(host)?.isLoopback ?? false
        }
    }
}

extension Form<String> {
    /// The name of a host, without port, in lower case.
    fileprivate static let hostName = text("the name of a host") { word in
        word.text.isHost
            ? nil : Rejection("is the name of a host, without port, not \(word.shown)")
    }
    .map({ $0.lowercased() }, back: { $0 })
}

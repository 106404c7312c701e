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
            Key(optional: "memory", \.memory, .section(Memory.section, draft: Memory())),
            Key(
                optional: "disk",
                \.disk,
                .section(DiskConfiguration.section, draft: DiskConfiguration(path: ""))
            ),
            Key("dead_letters", \.deadLetters, DeadLettersConfiguration.section),
        ]
    ) { _, node, reading in
        guard node["memory"] != nil, let disk = node["disk"] else { return }
        reading.error(at: disk, "a store is 'memory' or 'disk', not both; remove one")
    }

    /// What stands under `memory`: nothing.
    fileprivate struct Memory: Sendable {
        static let section = Section<Self>("store.memory", [])
    }

    /// `memory`, if that is the kind.
    fileprivate var memory: Memory? {
        get { self.kind == .memory ? Memory() : nil }
        set { if newValue != nil { self.kind = .memory } }
    }

    /// `disk`, if that is the kind.
    fileprivate var disk: DiskConfiguration? {
        get { if case .disk(let disk) = self.kind { disk } else { nil } }
        set { if let newValue { self.kind = .disk(newValue) } }
    }
}

extension DiskConfiguration {
    /// The keys of `store.disk`.
    fileprivate static let section = Section<Self>(
        "store.disk",
        [
            Key("path", \.path, .folder, required: true),
            Key("reserve", \.reserveBytes, .size(0...1 << 40)),
        ]
    )
}

extension Form<String> {
    /// The path of a folder; a relative one is beside the file.
    static let folder = located { word, directory throws(Rejection) in
        guard !word.text.isEmpty, !word.text.utf8.contains(0) else {
            throw Rejection("is the path of a folder, not \(word.shown)")
        }
        return Path.joined(directory, word.text)
    } print: { path, directory in
        Path.relative(path, to: directory)
    }
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

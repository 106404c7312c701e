extension Form<StageConfiguration> {
    /// A stage: one key that says what it does, and `when`.
    static let stage = Form(
        sections: StageDraft.section.sections,
        read: { node, _, reading in
            var draft = StageDraft()
            StageDraft.section.read(node, as: "a stage", into: &draft, &reading)
            guard let kind = draft.kind else { return nil }
            var stage = StageConfiguration(kind, when: draft.when)
            stage.location = node.location
            return stage
        },
        print: { stage, node, printing in
            StageDraft.section.print(StageDraft(stage), node, printing)
        }
    )
}

/// A stage with all that it may hold, before it is known to do exactly one thing.
private struct StageDraft: Sendable {
    var auth: AuthConfiguration?
    var headers: HeaderFilterConfiguration?
    var buffer: BufferConfiguration?
    var push: PushConfiguration?
    var route: RouteConfiguration?
    var plugin: String?
    var onError: PluginUse.OnError?
    var when: MatchConfiguration?

    static let section = Section<Self>(
        "pipeline",
        [
            Key(
                optional: "auth",
                \.auth,
                .section(AuthConfiguration.section, draft: AuthConfiguration(pool: ""))
            ),
            Key(optional: "headers", \.headers, .headers),
            Key(
                optional: "buffer",
                \.buffer,
                .section(BufferConfiguration.section, draft: BufferConfiguration(realm: ""))
            ),
            Key(
                optional: "push",
                \.push,
                .section(PushConfiguration.section, draft: PushConfiguration.draft)
            ),
            Key(optional: "route", \.route, .route),
            Key(optional: "plugin", \.plugin, .pluginName),
            Key(optional: "on_error", \.onError, .word()),
            Key(optional: "when", \.when, .match),
        ],
        later: ["limit", "access"]
    ) { _, node, reading in
        let stages = node.entries.filter { !["when", "on_error"].contains($0.name) }
        if let second = stages.dropFirst().first {
            let message = "a stage does one thing; begin another with '-'"
            reading.error(at: second.location, message)
        } else if stages.isEmpty {
            let kinds = "'auth', 'headers', 'plugin', 'buffer', 'push' or 'route'"
            reading.error(at: node, "the stage does nothing; add \(kinds)")
        } else if let onError = node["on_error"], node["plugin"] == nil {
            reading.error(at: onError, "'on_error' is for a 'plugin'; remove it")
        }
    }

    /// What the stage does; nil if that is not one thing, or there was something wrong with it.
    var kind: StageConfiguration.Kind? {
        let kinds: [StageConfiguration.Kind?] = [
            self.auth.map { .auth($0) }, self.headers.map { .headers($0) },
            self.buffer.map { .buffer($0) }, self.push.map { .push($0) },
            self.route.map { .route($0) },
            self.plugin.map { .plugin(PluginUse(name: $0, onError: self.onError ?? .fail)) },
        ]
        let given = kinds.compactMap(\.self)
        return given.count == 1 ? given.first : nil
    }

    init() {}

    /// Takes a stage apart.
    init(_ stage: StageConfiguration) {
        self.when = stage.when
        switch stage.kind {
        case .auth(let auth): self.auth = auth
        case .headers(let headers): self.headers = headers
        case .buffer(let buffer): self.buffer = buffer
        case .push(let push): self.push = push
        case .route(let route): self.route = route
        case .plugin(let use):
            self.plugin = use.name
            self.onError = use.onError
        }
    }
}

extension AuthConfiguration {
    /// The keys of `auth`.
    static let section = Section<Self>(
        "auth",
        [
            Key("pool", \.pool, .poolName, required: true),
            Key("realm", \.realm, .realm),
            Key("token_ttl", \.tokenTTL, .duration(.seconds(1) ... .days(3650)), ofRealm: true),
            Key("timeout", \.timeout, .duration(.milliseconds(10) ... .hours(1))),
            Key("debug_servers", \.debugServers, .flag),
            Key("paths", \.self, paths),
        ]
    ) { auth, node, _ in
        if node["realm"] == nil { auth.realm = auth.pool }
    }

    /// The keys of `auth.paths`.
    private static let paths = Section<Self>(
        "auth.paths",
        [
            Key("auth", \.authPath, .path),
            Key("register", \.registerPath, .path),
            Key("logout", \.logoutPath, .path),
        ]
    ) { auth, node, reading in
        let paths = auth.paths
        for (index, (key, path)) in paths.enumerated() {
            guard let (other, _) = paths[..<index].first(where: { $0.path == path }) else {
                continue
            }
            let place = node[key] ?? node[other] ?? node
            reading.error(at: place, "'\(other)' and '\(key)' are the same path; change one")
        }
    }

    /// Its paths, each with its key.
    var paths: [(key: String, path: String)] {
        [("auth", self.authPath), ("register", self.registerPath), ("logout", self.logoutPath)]
    }
}

extension Form<String> {
    /// The name of a realm.
    static let realm = text("a name") { word in
        let isPlain = !word.text.unicodeScalars.contains { $0.isControl }
        let rule = "write 1 to 255 bytes without control characters"
        return isPlain && (1...255).contains(word.text.utf8.count)
            ? nil : Rejection("cannot be \(word.shown); \(rule)")
    }
}

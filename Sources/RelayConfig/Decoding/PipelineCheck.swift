/// What must hold between the stages of a pipeline.
struct PipelineCheck {
    /// The stages, those with `buffer` now in their realm, and what they were read from.
    let stages: [(stage: StageConfiguration, node: Node)]

    private let node: Node

    /// Whether a stage is missing here because it could not be read.
    private let isIncomplete: Bool

    /// Takes a pipeline and what it was read from.
    init(_ pipeline: [StageConfiguration], _ node: Node) {
        self.node = node
        self.isIncomplete = pipeline.count < node.items.count
        var realm = ""
        self.stages = pipeline.compactMap { stage in
            guard let written = node.items.first(where: { $0.location == stage.location }) else {
                return nil
            }
            var stage = stage
            switch stage.kind {
            case .auth(let auth):
                realm = auth.realm
            case .buffer(var buffer):
                buffer.realm = realm
                stage.kind = .buffer(buffer)
            case .headers, .push, .route, .plugin:
                break
            }
            return (stage, written)
        }
    }

    /// Reports everything that does not fit.
    func run(_ reading: inout Reading) {
        self.checkNumbers(&reading)
        self.checkOrder(&reading)
        self.checkPaths(&reading)
        self.checkFilters(&reading)
        for (stage, node) in self.stages {
            if case .route(let route) = stage.kind { self.check(route, node, &reading) }
        }
    }

    /// The key of a stage.
    private func name(_ stage: StageConfiguration) -> String {
        switch stage.kind {
        case .auth: "auth"
        case .headers: "headers"
        case .buffer: "buffer"
        case .push: "push"
        case .route: "route"
        case .plugin: "plugin"
        }
    }

    private func first(_ name: String) -> (stage: StageConfiguration, node: Node)? {
        self.stages.first { self.name($0.stage) == name }
    }

    /// The `buffer` stage, if there is one.
    private var buffer: BufferConfiguration? {
        if case .buffer(let buffer) = self.first("buffer")?.stage.kind { buffer } else { nil }
    }

    private func checkNumbers(_ reading: inout Reading) {
        var places: [String: SourceLocation] = [:]
        for (stage, node) in self.stages {
            let name = self.name(stage)
            guard !["headers", "plugin"].contains(name) else { continue }
            if let first = places[name] {
                reading.error(at: node, "a second '\(name)'; the first is at \(first); remove one")
            } else {
                places[name] = node.location
            }
        }
    }

    private func checkOrder(_ reading: inout Reading) {
        let names = self.stages.map { self.name($0.stage) }
        if let buffer = names.firstIndex(of: "buffer"), !self.isIncomplete,
            !names[..<buffer].contains("auth")
        {
            let remedy = "add '- auth: { pool: NAME }'"
            reading.error(
                at: self.stages[buffer].node,
                "'buffer' has no 'auth' before it; \(remedy)"
            )
        }
        if let route = names.firstIndex(of: "route") {
            for (stage, node) in self.stages[(route + 1)...] where self.name(stage) != "route" {
                let name = self.name(stage)
                reading.error(at: node, "'\(name)' stands behind 'route'; move it before")
            }
        } else if !self.isIncomplete, !names.isEmpty, self.needsRoute {
            let remedy = "end it with '- route: POOL'"
            reading.error(at: self.node, "the pipeline has no 'route'; \(remedy)")
        }
    }

    private func checkPaths(_ reading: inout Reading) {
        var taken: [(name: String, path: String)] = []
        if let buffer = self.buffer { taken.append(("buffer", buffer.path)) }
        if self.first("push") != nil { taken.append(("push", PushConfiguration.path)) }
        if let (stage, node) = self.first("auth"), case .auth(let auth) = stage.kind {
            for (key, path) in auth.paths {
                for (name, other) in taken where path == other {
                    let place = node["auth"]?["paths"]?[key] ?? self.first(name)?.node ?? node
                    reading.error(
                        at: place,
                        "'\(key)' and '\(name)' have the same path; change one"
                    )
                }
            }
        }
        if let (_, node) = self.first("buffer"), taken.count == 2, taken[0].path == taken[1].path {
            let place = node["buffer"]?["path"] ?? node
            reading.error(at: place, "'buffer' and 'push' have the same path; change one")
        }
    }

    /// Whether something comes in that has to go somewhere: pushed packets go to clients.
    private var needsRoute: Bool { self.buffer != nil || self.first("push") == nil }

    private func checkFilters(_ reading: inout Reading) {
        guard self.buffer != nil || self.first("push") != nil else { return }
        for (stage, node) in self.stages {
            switch stage.kind {
            case .headers(let filter):
                self.check(filter, at: node["headers"], &reading)
            case .route(let route):
                for (rule, written) in zip(route.rules, node["route"]?.items ?? []) {
                    guard let filter = rule.headers else { continue }
                    self.check(filter, at: written["headers"], &reading)
                }
            case .auth, .buffer, .push, .plugin: break
            }
        }
    }

    /// Reports what a filter on the way of packets may not name.
    private func check(
        _ filter: HeaderFilterConfiguration,
        at node: Node?,
        _ reading: inout Reading
    ) {
        let named = reading.headerFilters.first { $0.filter.name == filter.name }
        guard let rules = filter.name == nil ? node : named?.node else { return }
        ReservedFields.protocolFields.check(filter: rules, &reading)
    }

    /// Reports `cors` where nobody speaks the packet protocol, so that nobody takes it for more than it is.
    func checkCrossOrigin(_ node: Node, _ reading: inout Reading) {
        guard self.first("auth") == nil, !self.isIncomplete else { return }
        let remedy = "remove it, and let the application answer"
        reading.error(at: node, "'cors' is for the packet protocol, which is not here; \(remedy)")
    }

    private func check(
        _ route: RouteConfiguration,
        _ node: Node,
        _ reading: inout Reading
    ) {
        let path = self.buffer?.path
        // The rule from which on nothing is left: of packets, where there are packets.
        let last = route.rules.firstIndex { rule in
            rule.match == nil && (path == nil || rule.pool != nil)
        }
        for (index, rule) in route.rules.enumerated() {
            guard let written = node["route"]?.items.first(where: { $0.location == rule.location })
            else { continue }
            if let last, index > last, path == nil || rule.match == nil {
                let place = route.rules[last].location.map { " (\($0))" } ?? ""
                let message = "the rule is never reached, because one before it\(place) takes all"
                reading.warning(at: written, "\(message); move it up or remove it")
            } else if path != nil, rule.match == nil, rule.pool == nil {
                let message = "without 'match' the rule is for packets, which it cannot take"
                reading.error(at: written, "\(message); add 'match' or remove it")
            } else if path != nil, rule.match == nil, rule.rewrite != nil {
                let message = "without 'match' the rule is for packets, whose path stays"
                reading.warning(at: written["rewrite"] ?? written, "\(message); remove 'rewrite'")
            } else if let path, let last, index < last, rule.mayTakePackets(at: path) {
                let message = "the rule takes packets as well, before the packets' own rule"
                reading.warning(at: written, "\(message); narrow its 'match' or move it down")
            }
        }
        let takesPackets = route.rules.contains { $0.mayTakePackets(at: path ?? "") }
        let isWhole = route.rules.count == node["route"]?.items.count
        if path != nil, isWhole, !takesPackets {
            reading.error(at: node, "no rule takes the packets of 'buffer'; add '- pool: NAME'")
        }
    }
}

extension RouteRuleConfiguration {
    /// The pool that the rule sends to, if it sends to one.
    var pool: String? {
        if case .pool(let pool) = self.action { pool } else { nil }
    }

    /// Whether there are packets that the rule takes: a POST to that path.
    package func mayTakePackets(at path: String) -> Bool {
        guard self.pool != nil else { return false }
        guard let match else { return true }
        let isPath = match.paths.isEmpty || match.paths.contains(path)
        let isBelow =
            match.pathPrefixes.isEmpty
            || match.pathPrefixes.contains { prefix in
                let directory = prefix.hasSuffix("/") ? prefix : "\(prefix)/"
                return path == prefix || path.hasPrefix(directory)
            }
        let isFound =
            match.pathExpressions.isEmpty
            || match.pathExpressions.contains { expression in
                let bytes = Array(path.utf8)
                return RegularExpressionSearch(expression).find(in: bytes.span)
            }
        return isPath && isBelow && isFound
            && (match.methods.isEmpty || match.methods.contains("POST"))
    }
}

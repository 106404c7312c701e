extension PoolConfiguration {
    /// The keys of a pool.
    static let section = Section<Self>(
        "pools",
        [
            Key("targets", \.targets, .list(of: .target), required: true),
            Key("balance", \.balance, .balance),
            Key("slow_start", \.slowStart, .duration(.zero ... .hours(1))),
            Key(optional: "retry", \.retry, .policyName),
            Key("packet_timeout", \.packetTimeout, .duration(.milliseconds(10) ... .days(1))),
            Key("fetch", \.fetch, FetchConfiguration.section),
            Key("reject", \.rejectStatuses, .statuses(300...599)),
            Key("connect_timeout", \.connectTimeout, .duration(.milliseconds(1) ... .minutes(10))),
            Key("response_timeout", \.responseTimeout, .duration(.milliseconds(10) ... .days(1))),
            Key("stall_timeout", \.stallTimeout, .duration(.milliseconds(10) ... .days(1))),
            Key("tunnel_timeout", \.tunnelTimeout, .duration(.milliseconds(10) ... .days(30))),
            Key("retry_buffer", \.retryBufferBytes, .size(0...16 << 20)),
            Key("wait", \.wait, .duration(.zero ... .hours(1))),
            Key("host", \.host, .upstreamHost),
            Key("connections", \.connections, ConnectionsConfiguration.section),
            Key(optional: "health", \.health, .health),
        ],
        check: { pool, node, reading in
            pool.checkTargets(node, &reading)
            pool.checkBackups(node, &reading)
            pool.checkFetches(node, &reading)
        }
    )

    /// No target twice: it would get twice its share, which is what `weight` is for.
    private func checkTargets(_ node: Node, _ reading: inout Reading) {
        var seen: [String: SourceLocation] = [:]
        for target in self.targets {
            guard let location = target.location, !target.url.text.isEmpty else { continue }
            if let first = seen[target.url.text] {
                let remedy = "give that one a 'weight'"
                reading.error(at: location, "the same target as at \(first); \(remedy)")
            } else {
                seen[target.url.text] = location
            }
        }
    }

    /// Backups stand in for others.
    private func checkBackups(_ node: Node, _ reading: inout Reading) {
        guard !self.targets.isEmpty, self.targets.allSatisfy(\.isBackup) else { return }
        let message = "all targets are backups; remove 'backup' from those that are used first"
        reading.error(at: node["targets"] ?? node, message)
    }

    /// Fetches need connections; client by client, they may have all.
    private mutating func checkFetches(_ node: Node, _ reading: inout Reading) {
        if self.fetch.mode == .client, node["fetch"]?["connections"] == nil {
            self.fetch.connections = self.connections.max
        }
        guard self.fetch.connections > self.connections.max else { return }
        let place = node["fetch"]?["connections"] ?? node["connections"]?["max"] ?? node
        let message = "'fetch.connections' is above 'connections.max'"
        reading.error(at: place, "\(message); lower it or raise 'connections.max'")
    }
}

extension TargetConfiguration {
    /// The keys of a target.
    static let section = Section<Self>(
        "targets",
        [
            Key("url", \.url, .targetURL, required: true),
            Key("weight", \.weight, .count(1...1000)),
            Key("backup", \.isBackup, .flag),
            Key(optional: "resolve", \.resolve, .duration(.seconds(1) ... .hours(1))),
        ]
    ) { target, node, reading in
        guard let resolve = node["resolve"], !target.url.text.isEmpty else { return }
        if case .tcp(let host, _) = target.url.address, IPAddress(host) == nil { return }
        reading.error(at: resolve, "the URL holds no name to look up; remove 'resolve'")
    }
}

extension Form<TargetConfiguration> {
    /// A target; its URL is empty if that was wrong.
    fileprivate static let target = Form(
        sections: TargetConfiguration.section.sections,
        read: { node, _, reading in
            let none = TargetURL(text: "", address: .unix(path: ""), authority: "", path: "")
            var target = TargetConfiguration(url: none)
            target.location = node.location
            TargetConfiguration.section.read(node, as: "a target", into: &target, &reading)
            return target
        },
        print: { target, node, printing in
            TargetConfiguration.section.print(target, node, printing)
        }
    )
}

extension FetchConfiguration {
    /// The keys of `fetch`.
    static let section = Section<Self>(
        "fetch",
        [
            Key("mode", \.mode, .word()),
            Key("connections", \.connections, .count(1...1_000_000)),
            Key("interval", \.interval, .duration(.milliseconds(1) ... .hours(1))),
            Key("timeout", \.timeout, .durationOrNever),
        ]
    )
}

extension ConnectionsConfiguration {
    /// The keys of `connections`.
    static let section = Section<Self>(
        "connections",
        [
            Key("max", \.max, .count(1...1_000_000)),
            Key("idle", \.idleMax, .count(0...1_000_000)),
            Key("idle_timeout", \.idleTimeout, .duration(.milliseconds(10) ... .days(1))),
            Key("pending", \.pendingMax, .count(0...1_000_000)),
        ]
    )
}

extension Form<PoolConfiguration.Host> {
    /// `pass`, `target`, or a host.
    fileprivate static let upstreamHost = scalar("a host", isText: true) { word throws(Rejection) in
        switch word.text {
        case "pass": return .pass
        case "target": return .target
        default:
            if word.text.contains("/") {
                throw Rejection("is 'pass', 'target' or a host, not \(word.shown)")
            }
            _ = try HostAndPort.split(word.text, of: word)
            return .literal(word.text)
        }
    } print: { host in
        switch host {
        case .pass: "pass"
        case .target: "target"
        case .literal(let text): text
        }
    }
}

extension Form<Duration?> {
    /// How long a fetch may be held; `0s` is for ever.
    fileprivate static let durationOrNever = Form<Duration>.duration(.zero ... .days(1))
        .map({ $0 == .zero ? nil : $0 }, back: { $0 ?? .zero })
}

extension Form<Set<Int>> {
    /// A list of status codes, which may be empty.
    fileprivate static func statuses(_ range: ClosedRange<Int>) -> Form {
        Form<[Int]>.oneOrMore(.count(range), allowsNone: true)
            .map({ Set($0) }, back: { $0.sorted() })
    }
}

/// What must hold between listeners, and between listeners and pools.
struct ConfigurationCheck {
    private let configuration: Configuration
    private let node: Node

    /// Takes a configuration and what it was read from.
    init(_ configuration: Configuration, _ node: Node) {
        self.configuration = configuration
        self.node = node
    }

    /// Reports everything that does not fit.
    func run(_ reading: inout Reading) {
        self.checkAddresses(&reading)
        self.checkPoolsOfRealms(&reading)
        self.checkRealmsOfPushes(&reading)
        self.checkAgreement(of: self.auths, AuthConfiguration.section, &reading)
        self.checkAgreement(of: self.buffers, BufferConfiguration.section, &reading)
    }

    /// A stage's values, where they are written, and their realm.
    private struct Placed<Value> {
        let value: Value
        let realm: String
        let node: Node
    }

    private var auths: [Placed<AuthConfiguration>] {
        self.stages.compactMap { stage, node in
            guard case .auth(let auth) = stage.kind else { return nil }
            return Placed(value: auth, realm: auth.realm, node: node["auth"] ?? node)
        }
    }

    private var buffers: [Placed<BufferConfiguration>] {
        self.stages.compactMap { stage, node in
            guard case .buffer(let buffer) = stage.kind else { return nil }
            return Placed(value: buffer, realm: buffer.realm, node: node["buffer"] ?? node)
        }
    }

    private var stages: [(StageConfiguration, Node)] {
        self.configuration.listeners.flatMap { listener in
            let written = self.node["listeners"]?[listener.name]?["pipeline"]?.items ?? []
            return listener.pipeline.compactMap { stage in
                written.first { $0.location == stage.location }.map { (stage, $0) }
            }
        }
    }

    /// No two listen on the same address; port 0 is another one each time.
    private func checkAddresses(_ reading: inout Reading) {
        var owners: [BindAddress: SourceLocation] = [:]
        let listeners = self.configuration.listeners.map { listener in
            (listener.bind, self.node["listeners"]?[listener.name]?["bind"])
        }
        let admin = self.configuration.admin.map { ($0.bind, self.node["admin"]?["bind"]) }
        for (address, written) in listeners + [admin].compactMap({ $0 }) {
            guard let written, !address.isChosenBySystem else { continue }
            if let first = owners[address.canonical] {
                reading.error(at: written, "the same address as at \(first); change one")
            } else {
                owners[address.canonical] = written.location
            }
        }
    }

    /// A pool takes packets of one realm only: in two, the `To` of a reply would be ambiguous.
    private func checkPoolsOfRealms(_ reading: inout Reading) {
        var realms: [String: (realm: String, location: SourceLocation)] = [:]
        for listener in self.configuration.listeners {
            guard let buffer = listener.buffer, !buffer.realm.isEmpty else { continue }
            for (pool, location) in listener.packetPools(at: buffer.path) {
                guard let first = realms[pool] else {
                    realms[pool] = (buffer.realm, location)
                    continue
                }
                guard first.realm != buffer.realm else { continue }
                let message = "pool '\(pool)' takes packets of another realm at \(first.location)"
                reading.error(at: location, "\(message); use two pools or one realm")
            }
        }
    }

    /// Packets are pushed to clients that can log in somewhere.
    private func checkRealmsOfPushes(_ reading: inout Reading) {
        let realms = self.auths.map(\.realm)
        for (stage, node) in self.stages {
            guard case .push(let push) = stage.kind, !push.realm.isEmpty,
                !realms.contains(push.realm), !reading.isIncomplete
            else { continue }
            let nearest = reading.nearest(to: push.realm, among: realms)
            let remedy = nearest.map { "did you mean '\($0)'?" } ?? "name the realm of an 'auth'"
            reading.error(
                at: node["push"]?["realm"] ?? node,
                "no 'auth' has the realm \(quoted(push.realm)); \(remedy)"
            )
        }
    }

    /// All stages of a realm agree in what concerns its clients.
    private func checkAgreement<Value>(
        of stages: [Placed<Value>],
        _ section: Section<Value>,
        _ reading: inout Reading
    ) {
        var firsts: [String: Placed<Value>] = [:]
        for stage in stages where !stage.realm.isEmpty {
            guard let first = firsts[stage.realm] else {
                firsts[stage.realm] = stage
                continue
            }
            for key in section.keys where key.isOfRealm {
                guard key.text(stage.value) != key.text(first.value) else { continue }
                let here = key.text(stage.value, stage.node)
                let there = key.text(first.value, first.node)
                let place = stage.node[key.name] ?? stage.node
                let other = (first.node[key.name] ?? first.node).location
                let message = "'\(key.name)' is \(here) here and \(there) at \(other)"
                reading.error(at: place, "\(message), both of the same realm; make them agree")
            }
        }
    }
}

extension Key {
    /// The value as messages show it: what comes from the environment as it is written.
    fileprivate func text(_ owner: Owner, _ node: Node? = nil) -> String {
        self.print(owner, node?[self.name], Printing(directory: ""))?.inline ?? ""
    }
}

extension ListenerConfiguration {
    /// The pools that can get a packet that was sent to that path, and where a rule names them.
    fileprivate func packetPools(at path: String) -> [(pool: String, location: SourceLocation)] {
        self.pipeline.flatMap { stage -> [(pool: String, location: SourceLocation)] in
            guard case .route(let route) = stage.kind else { return [] }
            return route.rules.compactMap { rule in
                guard let pool = rule.pool, rule.mayTakePackets(at: path) else { return nil }
                return (rule.location ?? stage.location).map { (pool, $0) }
            }
        }
    }
}

extension BindAddress {
    /// Whether the system chooses a free port.
    fileprivate var isChosenBySystem: Bool {
        if case .tcp(_, 0) = self { true } else { false }
    }

    /// The same for every spelling of an address.
    fileprivate var canonical: BindAddress {
        switch self {
        case .tcp(let host, let port):
            .tcp(host: IPAddress(host)?.description ?? host.lowercased(), port: port)
        case .unix(let path):
            .unix(path: Path.normalized(path))
        }
    }
}

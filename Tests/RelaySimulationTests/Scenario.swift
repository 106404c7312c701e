import RelayEngine
import SimulatedSystem

/// What one seed is about: relay.yaml, who is there, and how the world behaves.
struct Scenario {
    /// Worker loops of relay.
    var workers = 1
    /// Targets of each pool.
    var targets = 1
    /// Whether packets with `X-Pool: side` go to a pool of their own.
    var hasSidePool = false
    var hold: Duration = .seconds(10)
    var packetTimeout: Duration = .seconds(30)
    var fetchConnections = 1
    var fetchIntervalMilliseconds = 1000
    /// 0: packets are never fetched.
    var fetches = true
    /// Nil: without limit.
    var attemptsMax: Int?
    var connectionsMax = 1024
    var idleMax = 64
    /// Nil: far more than is sent.
    var clientPacketsMax: Int?
    var inboxPacketsMax: Int?
    var dropsOldest = false
    /// Nil: as long as the run.
    var packetTTL: Duration?
    var graceMilliseconds = 0
    /// How many reloads happen while there is traffic.
    var reloads = 0
    /// Clients, by kind.
    var kinds: [ClientKind] = []
    /// How long there is traffic.
    var duration: Duration = .seconds(20)
    /// Whether connections break by themselves.
    var isFaulty = false
    /// How connections go, those of clients and those to backends.
    var network = Conditions.calm
    var machine = MachineConditions.calm
    /// Whether backends misbehave.
    var hasMoods = true
    /// Whether relay is stopped in the middle of the traffic.
    var stopsEarly = false

    /// The scenario of a seed.
    init(seed: UInt64) {
        var generator = SeededGenerator(seed: seed &* 0x9e37_79b9 &+ 17)
        self.workers = Int.random(in: 1...3, using: &generator)
        self.targets = Int.random(in: 1...3, using: &generator)
        self.hasSidePool = generator.chance(0.3)
        self.hold = .milliseconds([1000, 2500, 5000, 10_000].randomElement(using: &generator) ?? 0)
        self.packetTimeout = .seconds(Int.random(in: 2...30, using: &generator))
        self.fetchConnections = Int.random(in: 1...3, using: &generator)
        self.fetchIntervalMilliseconds = Int.random(in: 100...1500, using: &generator)
        self.fetches = generator.chance(0.8)
        if generator.chance(0.15) { self.attemptsMax = Int.random(in: 2...6, using: &generator) }
        if generator.chance(0.3) { self.connectionsMax = Int.random(in: 4...8, using: &generator) }
        if generator.chance(0.3) { self.idleMax = Int.random(in: 0...3, using: &generator) }
        if generator.chance(0.15) {
            self.clientPacketsMax = Int.random(in: 2...6, using: &generator)
            self.dropsOldest = generator.chance(0.5)
        }
        if generator.chance(0.15) {
            self.inboxPacketsMax = Int.random(in: 2...8, using: &generator)
        }
        if generator.chance(0.1) {
            self.packetTTL = .seconds(Int.random(in: 1...8, using: &generator))
        }
        if generator.chance(0.3) { self.graceMilliseconds = 500 }
        if generator.chance(0.4) { self.reloads = Int.random(in: 1...4, using: &generator) }
        let count = Int.random(in: 2...7, using: &generator)
        self.kinds = (0..<count).map { _ in
            ClientKind.allCases.randomElement(using: &generator) ?? .keepAlive
        }
        self.duration = .seconds(Int.random(in: 8...25, using: &generator))
        self.isFaulty = generator.chance(0.25)
        self.network =
            self.isFaulty ? .faulty(using: &generator) : .uneven(using: &generator)
        if generator.chance(0.2) { self.network = .calm }
        // What is held up for longer looks like a dead peer, by the rules of delivery.
        if !self.isFaulty { self.network.stall = .milliseconds(50)...(.milliseconds(600)) }
        self.machine = .uneven(using: &generator)
        self.hasMoods = generator.chance(0.8)
        self.stopsEarly = generator.chance(0.15)
    }

    /// Whether every packet of a client is tried until a backend has taken or refused it.
    var triesForEver: Bool { self.attemptsMax == nil && self.packetTTL == nil }

    /// Whether every packet for a client waits until it has arrived.
    var keepsForEver: Bool { self.clientPacketsMax == nil && self.packetTTL == nil }

    /// The longest that a connection delays what is sent, without faults.
    var networkDelay: Duration {
        let perSegment = self.network.latency.upperBound
        return self.network.stallChance > 0
            ? perSegment + self.network.stall.upperBound : perSegment
    }

    static let listener = SocketAddress.loopback(port: 8080)

    /// Where target `index` of a pool is.
    static func address(ofTarget index: Int, isSide: Bool) -> SocketAddress {
        .loopback(port: UInt16((isSide ? 9101 : 9001) + index))
    }

    /// relay.yaml; `revision` above 0 changes what a reload may change.
    func text(revision: Int = 0) -> String {
        var lines = ["version: 1", "store: { memory: {} }"]
        lines.append(
            "shutdown: { drain_timeout: 60s, grace: \(self.graceMilliseconds)ms }"
        )
        lines += ["listeners:", "  packets:", "    bind: 127.0.0.1:8080", "    pipeline:"]
        lines.append("      - auth: { pool: main }")
        var buffer = ["hold: \(self.hold.milliseconds)ms"]
        if let duration = self.packetTTL {
            buffer.append("packet_ttl: \(duration.milliseconds)ms")
        }
        if let packets = self.clientPacketsMax {
            buffer.append("client_packets: \(packets)")
            if self.dropsOldest { buffer.append("overflow: drop_oldest") }
        }
        if let packets = self.inboxPacketsMax { buffer.append("inbox_packets: \(packets)") }
        lines.append("      - buffer: { \(buffer.joined(separator: ", ")) }")
        if self.hasSidePool {
            lines.append("      - route:")
            lines.append("          - { match: { header: { X-Pool: side } }, pool: side }")
            lines.append("          - { pool: main }")
        } else {
            lines.append("      - route: main")
        }
        lines.append("pools:")
        lines += self.pool("main", isSide: false, revision)
        if self.hasSidePool { lines += self.pool("side", isSide: true, revision) }
        lines.append("retry_policies:")
        lines.append("  packets:")
        lines.append("    attempts: \(self.attemptsMax.map { "\($0)" } ?? "unlimited")")
        lines.append("    backoff: { initial: 100ms, max: 2s }")
        return lines.joined(separator: "\n") + "\n"
    }

    private func pool(_ name: String, isSide: Bool, _ revision: Int) -> [String] {
        let targets = revision == 2 ? max(self.targets - 1, 1) : self.targets
        let urls = (0..<targets).map { index in
            "{ url: \"http://\(Self.address(ofTarget: index, isSide: isSide))/endpoint\" }"
        }
        let fetch =
            self.fetches
            ? "connections: \(self.fetchConnections), interval: \(self.fetchIntervalMilliseconds)ms"
            : "mode: off"
        return [
            "  \(name):",
            "    targets: [ \(urls.joined(separator: ", ")) ]",
            "    retry: packets",
            "    packet_timeout: \(self.packetTimeout.milliseconds + revision)ms",
            "    fetch: { \(fetch) }",
            "    connections: { max: \(self.connectionsMax), idle: \(self.idleMax) }",
        ]
    }
}

extension Duration {
    /// Whole milliseconds.
    var milliseconds: Int {
        let (seconds, attoseconds) = self.components
        return Int(seconds) * 1000 + Int(attoseconds / 1_000_000_000_000_000)
    }
}

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
    /// Who the clients are.
    var cast: [Player] = []
    /// Whether fetches name a client: `mode: client`.
    var fetchesForClients = false
    /// Whether backends give the packets that answer fetches a key, and again until that comes back.
    var hasKeyedFetches = false
    /// Whether backends end sessions.
    var endsSessions = false
    /// Whether somebody pushes packets.
    var pushes = false
    /// How many clients send requests to the web pool.
    var webClients = 0
    /// Nil: far more than is given.
    var outboxPacketsMax: Int?
    /// Whether backends give packets that are larger than is allowed.
    var hasHugeReplies = false
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
        self.cast = (0..<count).map { index in
            let kind = ClientKind.allCases.randomElement(using: &generator) ?? .keepAlive
            return Player(name: "c\(index)", kind: kind)
        }
        self.completeCast(&generator)
        self.duration = .seconds(Int.random(in: 8...25, using: &generator))
        self.isFaulty = generator.chance(0.25)
        self.network =
            self.isFaulty ? .faulty(using: &generator) : .uneven(using: &generator)
        if generator.chance(0.2) { self.network = .calm }
        // What is held up for longer looks like a dead peer, by the rules of delivery.
        if !self.isFaulty { self.network.stall = .milliseconds(50)...(.milliseconds(600)) }
        self.machine = .uneven(using: &generator)
        if generator.chance(0.4) {
            self.machine.turnDuration = .microseconds(1)...(.microseconds(300))
        }
        if generator.chance(0.5) {
            self.machine.overlapChance = 0.5
            // A read for nothing, in front of what has happened, is where another loop comes in between.
            self.machine.spuriousEventChance = 0.5
            // What only happens between two loops needs somebody who hangs up while a packet is on its way.
            if generator.chance(0.5) {
                self.cast.append(Player(name: "c\(self.cast.count)", kind: .hangingUp))
            }
        }
        self.hasMoods = generator.chance(0.8)
        self.stopsEarly = generator.chance(0.15)
        self.addRarities(&generator)
    }

    /// What few worlds have, so that the others stay simple.
    private mutating func addRarities(_ generator: inout SeededGenerator) {
        self.fetchesForClients = generator.chance(0.25)
        self.hasKeyedFetches = generator.chance(0.4)
        self.endsSessions = generator.chance(0.25)
        self.pushes = generator.chance(0.4)
        self.webClients = generator.chance(0.3) ? Int.random(in: 1...3, using: &generator) : 0
        self.hasHugeReplies = generator.chance(0.2)
        if generator.chance(0.1) {
            self.outboxPacketsMax = Int.random(in: 5...30, using: &generator)
        }
    }

    /// Who asks for a debug server mostly finds one.
    private mutating func completeCast(_ generator: inout SeededGenerator) {
        guard self.cast.contains(where: { $0.kind == .debugging }),
            !self.cast.contains(where: { $0.kind == .debugServer }), generator.chance(0.8)
        else { return }
        self.cast.append(Player(name: "c\(self.cast.count)", kind: .debugServer))
    }

    /// A client's name and kind.
    struct Player: Equatable {
        let name: String
        let kind: ClientKind
    }

    /// Whether every packet of a client is tried until a backend has taken or refused it.
    var triesForEver: Bool { self.attemptsMax == nil && self.packetTTL == nil }

    /// Whether every packet for a client waits until it has arrived.
    var keepsForEver: Bool {
        self.clientPacketsMax == nil && self.packetTTL == nil && !self.hasHugeReplies
    }

    /// The longest that a connection delays what is sent, without faults.
    var networkDelay: Duration {
        let perSegment = self.network.latency.upperBound
        return self.network.stallChance > 0
            ? perSegment + self.network.stall.upperBound : perSegment
    }
}

extension Duration {
    /// Whole milliseconds.
    var milliseconds: Int {
        let (seconds, attoseconds) = self.components
        return Int(seconds) * 1000 + Int(attoseconds / 1_000_000_000_000_000)
    }
}

@testable import RelayStore

/// Random operations on a store whose machine loses its power again and again, from a seed.
///
/// Each time the disk is given back with what was not synced there, not there, or half, a copy of it
/// is opened and emptied, and compared with what the store has promised.
struct CrashWalk: ~Copyable {
    var model = CrashModel()
    /// How often the power was cut.
    private(set) var crashes = 0

    let disk: PowerCutDisk
    let clock: SimulatedClock
    var life: PowerCutLife
    var generator: SeededGenerator
    var effects = Effects()

    /// What operations that are not answered yet are.
    var pending: [UInt64: Pending] = [:]
    var sessions: [String: Session] = [:]
    var deliveries: [(name: String, delivery: Delivery)] = []
    var sends: [LaneSend] = []
    /// The packets that were sent under each key, which is `client key`.
    var keys: [String: [Int]] = [:]

    private var texts = 0
    private var tickets: UInt64 = 0

    static let names = (0..<4).map { "c\($0)" }

    enum Pending {
        case packet([Int], key: String?)
        case login(String)
        /// Of this client; it acknowledges that packet.
        case poll(String, Int?)
    }

    /// A store in an empty folder.
    static func begin(seed: UInt64, ignoresSyncs: Bool = false) throws -> CrashWalk {
        let disk = try PowerCutDisk(seed: seed)
        if ignoresSyncs { disk.ignoreSyncs() }
        let clock = SimulatedClock()
        let life = try PowerCutLife(on: disk, clock: clock)
        return CrashWalk(seed: seed, disk, life, clock)
    }

    private init(seed: UInt64, _ disk: PowerCutDisk, _ life: PowerCutLife, _ clock: SimulatedClock)
    {
        self.generator = SeededGenerator(seed: seed)
        self.disk = disk
        self.clock = clock
        self.life = life
    }

    /// Does so many things, until one goes wrong.
    mutating func run(steps: Int) throws {
        for _ in 0..<steps where self.model.fault == nil { try self.step() }
        if self.model.fault == nil { try self.crash() }
        self.life.end()
    }

    private mutating func step() throws {
        self.clock.advance(microseconds: UInt64(self.random(3000)))
        try self.doSomething()
        self.performEffects()
        if self.disk.isOff { try self.crash() }
    }

    private mutating func doSomething() throws {
        switch self.random(100) {
        case ..<16: self.append()
        case ..<34: self.send()
        case ..<36: self.fetch()
        case ..<46: _ = self.life.turn()
        case ..<54: while self.life.turn() {}
        case ..<66: self.poll()
        case ..<72: self.endDelivery()
        case ..<82: self.consume()
        case ..<84: self.reject()
        case ..<86: self.retry()
        case ..<90: self.logIn()
        case ..<91: self.logOut()
        case ..<93: self.checkpoint()
        case ..<94: self.failSyncs()
        case ..<95: self.disk.failWrites(1 + self.random(2))
        case ..<98: self.disk.cut(after: self.random(40))
        case ..<99: try self.restart()
        default: try self.crash()
        }
    }

    // MARK: Chance

    mutating func random(_ count: Int) -> Int { Int.random(in: 0..<count, using: &self.generator) }

    mutating func randomName() -> String { Self.names[self.random(Self.names.count)] }

    /// A name of its own, with a few bytes behind it or many.
    mutating func text() -> String {
        self.texts += 1
        let length = self.random(12) == 0 ? self.random(12_000) : self.random(200)
        return "\(self.texts) " + String(repeating: "x", count: length)
    }

    mutating func ticket() -> Ticket {
        self.tickets += 1
        return StoreHarness.ticket(self.tickets)
    }

    // MARK: Lives

    /// The store ends in order, and is opened again.
    private mutating func restart() throws {
        self.model.note("restarts")
        self.life.end()
        self.performEffects()
        if self.disk.isOff { return }
        try self.open()
    }

    /// The power fails, if it has not yet, and comes back.
    private mutating func crash() throws {
        self.model.note("the power fails")
        self.disk.cut(after: 0)
        self.life.end()
        // What it still says nobody hears.
        _ = self.life.takeEffects()
        self.crashes += 1
        try self.open()
    }

    /// Looks at what the disk has, and opens it, which may fail as everything else.
    private mutating func open() throws {
        self.sends = []
        self.deliveries = []
        self.pending = [:]
        self.effects = Effects()
        while true {
            self.disk.restore()
            self.model.compare(try self.found())
            if self.random(3) == 0 { self.disk.cut(after: self.random(30)) }
            do {
                self.life = try PowerCutLife(on: self.disk, clock: self.clock)
                break
            } catch {
                guard self.disk.isOff else { throw error }
            }
        }
        self.sessions = [:]
        for (name, token) in self.model.tokens {
            self.sessions[name] = self.life.store.session(
                forToken: Array(token.utf8).span,
                in: self.life.realm,
                at: self.clock.now
            )
        }
        for shard in 0..<PacketStore.shardCount {
            self.life.store.adoptLanes(
                of: self.life.pool,
                shard: shard,
                loop: 0,
                at: self.clock.now,
                &self.effects
            )
        }
    }

    /// Everything that a store finds in these files, read from a copy of them.
    private func found() throws -> CrashModel.Found {
        let copy = try PowerCutDisk(seed: 0)
        self.disk.copy(to: copy)
        var emptying = EmptiedStore(try PowerCutLife(on: copy, clock: self.clock), self.clock)
        defer { emptying.life.end() }
        return emptying.all(of: Self.names, tokens: self.model.knownTokens)
    }
}

extension CrashModel {
    /// Every token that may be good for something, by client.
    fileprivate var knownTokens: [String: [String]] {
        var known = self.tokens.mapValues { [$0] }
        for (name, changes) in self.sessionChanges {
            known[name, default: []] += changes.compactMap(\.token)
        }
        return known
    }
}

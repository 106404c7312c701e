import RelayStore
import Synchronization
import Testing

/// Several event loops hammer one store; then every packet is accounted for.
struct StoreStressTests {
    @Test func `loses, doubles and reorders nothing under many threads`() throws {
        let system = StressedSystem(loopCount: 4, clientCount: 12)
        onThreads(4) { index in
            var loop = StressedLoop(system, index: UInt16(index), seed: UInt64(index))
            for _ in 0..<8000 { loop.turn() }
            loop.stop()
        }
        var last = StressedLoop(system, index: 0, seed: 99)
        last.finish()

        let ledger = system.ledger.withLock { $0 }
        #expect(ledger.sent.count > 5000)
        #expect(ledger.consumed.values.map(\.count).reduce(0, +) == ledger.sent.count)
        #expect(Set(ledger.consumed.values.joined()) == ledger.sent)
        #expect(ledger.consumed.values.allSatisfy { $0.isStrictlyAscending })
        #expect(ledger.replies > 2000)
        #expect(ledger.proven.values.map(\.count).reduce(0, +) == ledger.replies)
        #expect(ledger.proven.values.allSatisfy { $0.isStrictlyAscending })
        #expect(ledger.answeredTwice == 0)

        last.forgetEverything()
        #expect(system.store.statistics() == StoreStatistics())
        #expect(system.store.acceptsReplies)
    }

    @Test func `every session has one token and every token one session`() throws {
        let harness = StoreHarness()
        let (store, realm, now) = (harness.store, harness.realm, harness.now)
        onThreads(4) { index in
            var generator = SeededGenerator(seed: UInt64(index))
            var effects = Effects()
            for _ in 0..<5000 {
                let login = Login(
                    realm: realm,
                    name: StoreHarness.name("c\(Int.random(in: 0..<4, using: &generator))"),
                    token: Array("token \(Int.random(in: 0..<6, using: &generator))".utf8),
                    tokenTTL: .seconds(60),
                    isDebugServer: false
                )
                _ = store.logIn(login, ticket: StoreHarness.ticket(0), at: now, &effects)
                while effects.next() != nil {}
            }
        }
        let sessions = (0..<6).compactMap { harness.session("token \($0)") }
        #expect(Set(sessions.map(\.name)).count == sessions.count)
        #expect(sessions.count == store.statistics().sessions)
        harness.advance(milliseconds: 60_001)
        _ = harness.sweep()
        #expect(store.statistics() == StoreStatistics())
        for name in ["a", "b", "c", "d", "e", "f"].enumerated() {
            #expect(harness.logIn(name.element, token: "token \(name.offset)") == ["loggedIn 0"])
        }
    }
}

/// What the loops share.
private final class StressedSystem: Sendable {
    let store: PacketStore
    let realm: RealmID
    let pool: PoolID
    let names: [ClientName]
    let sessions: Mutex<[Session]>
    let mailboxes: [Mailbox]
    let ledger = Mutex(Ledger())
    private let clock = Atomic<UInt64>(1_000_000_000)

    final class Mailbox: Sendable {
        let effects = Mutex<[Effect]>([])
    }

    /// What went in and came out, in the order in which the owner of a lane or delivery said so.
    struct Ledger {
        var sent: Set<PacketNumber> = []
        var consumed: [ClientName: [PacketNumber]] = [:]
        var replies = 0
        var proven: [ClientHandle: [PacketNumber]] = [:]
        /// Polls that are held, delivered to or on their way.
        var open: Set<UInt64> = []
        var answeredTwice = 0
    }

    init(loopCount: Int, clientCount: Int) {
        self.store = PacketStore(
            limits: StoreLimits(),
            now: StoreInstant(nanoseconds: 0, unixMicroseconds: 1)
        )
        var settings = RealmSettings()
        settings.clientPacketsMax = .max
        self.realm = self.store.realm(named: "app", settings: settings)
        self.pool = self.store.pool(named: "backend", limits: InboxLimits())
        self.names = (0..<clientCount).map { StoreHarness.name("c\($0)") }
        self.mailboxes = (0..<loopCount).map { _ in Mailbox() }
        self.sessions = Mutex([])
        for name in self.names {
            let session = self.logIn(name)
            self.sessions.withLock { sessions in
                if let session { sessions.append(session) }
            }
        }
    }

    func logIn(_ name: ClientName) -> Session? {
        let now = self.now()
        let token = Array("\(name) \(now.nanoseconds)".utf8)
        let login = Login(
            realm: self.realm,
            name: name,
            token: token,
            tokenTTL: .seconds(1000),
            isDebugServer: false
        )
        var effects = Effects()
        _ = self.store.logIn(login, ticket: Ticket(loop: 0, handle: 0), at: now, &effects)
        self.post(&effects)
        return self.store.session(forToken: token.span, in: self.realm, at: now)
    }

    func now() -> StoreInstant {
        let nanoseconds = self.clock.wrappingAdd(1_000_000, ordering: .relaxed).newValue
        return StoreInstant(nanoseconds: nanoseconds, unixMicroseconds: nanoseconds / 1000)
    }

    func post(_ effects: inout Effects) {
        while let effect = effects.next() {
            self.mailboxes[Int(effect.loop ?? 0)].effects.withLock { $0.append(effect) }
        }
    }
}

/// One event loop, which does random things and performs what follows from them.
private struct StressedLoop: ~Copyable {
    private let system: StressedSystem
    private let index: UInt16
    private var generator: SeededGenerator
    private var effects = Effects()
    private var waitingLanes: [LaneHandle] = []
    private var lastTicket: UInt64
    private var isStopping = false

    init(_ system: StressedSystem, index: UInt16, seed: UInt64) {
        self.system = system
        self.index = index
        self.generator = SeededGenerator(seed: seed)
        self.lastTicket = seed << 32
    }

    mutating func turn() {
        switch self.random(10) {
        case 0..<4: self.send()
        case 4..<7: self.poll()
        case 7: self.nextAttempt()
        case 8: self.adoptLanes(of: self.random(PacketStore.shardCount))
        default: self.somethingRare()
        }
        self.system.post(&self.effects)
        self.performMail()
    }

    /// Ends the attempts under way and leaves nothing that only this loop can do.
    mutating func stop() {
        self.performMail()
        for lane in self.waitingLanes { self.system.store.releaseLane(lane, loop: self.index) }
        self.waitingLanes = []
    }

    /// Does, as all loops, what is left to do.
    mutating func finish() {
        self.isStopping = true
        var rounds = 0
        while self.waiting > 0, rounds < 100_000 {
            rounds += 1
            for shard in 0..<PacketStore.shardCount { self.adoptLanes(of: shard) }
            self.poll()
            self.system.post(&self.effects)
            self.performAllMail()
        }
    }

    mutating func forgetEverything() {
        let now = StoreInstant(nanoseconds: .max / 2, unixMicroseconds: 1)
        for shard in 0..<PacketStore.shardCount {
            self.system.store.sweep(shard: shard, at: now, &self.effects)
        }
    }

    private var waiting: Int {
        let statistics = self.system.store.statistics()
        return statistics.waitingForBackends.packets + statistics.waitingForClients.packets
    }

    // MARK: Doing

    private mutating func send() {
        let text = "\(self.random(1000))"
        _ = self.system.store.send(
            StoreHarness.contents(text),
            from: self.session(),
            to: self.system.pool,
            ticket: self.ticket(isPoll: false),
            at: self.system.now(),
            &self.effects
        )
    }

    private mutating func poll() {
        let ticket = self.ticket(isPoll: true)
        self.system.ledger.withLock { _ = $0.open.insert(ticket.handle) }
        self.system.store.poll(
            self.session(),
            ticket: ticket,
            mayHold: self.random(3) != 0,
            at: self.system.now(),
            &self.effects
        )
    }

    private mutating func nextAttempt() {
        guard let lane = self.waitingLanes.popLast() else { return }
        self.system.store.nextAttempt(
            lane,
            loop: self.index,
            at: self.system.now(),
            &self.effects
        )
    }

    private mutating func adoptLanes(of shard: Int) {
        self.system.store.adoptLanes(
            of: self.system.pool,
            shard: shard,
            loop: self.index,
            at: self.system.now(),
            &self.effects
        )
    }

    private mutating func somethingRare() {
        self.system.store.sweep(
            shard: self.random(PacketStore.shardCount),
            at: self.system.now(),
            &self.effects
        )
        guard self.random(20) == 0 else { return }
        let client = self.random(self.system.names.count)
        if let session = self.system.logIn(self.system.names[client]) {
            self.system.sessions.withLock { $0[client] = session }
        }
    }

    // MARK: Performing

    private mutating func performMail() { self.performMail(of: self.index) }

    private mutating func performAllMail() {
        for index in self.system.mailboxes.indices { self.performMail(of: UInt16(index)) }
    }

    private mutating func performMail(of loop: UInt16) {
        let mailbox = self.system.mailboxes[Int(loop)]
        while true {
            let effects = mailbox.effects.withLock { effects in
                defer { effects = [] }
                return effects
            }
            if effects.isEmpty { return }
            for effect in effects {
                self.perform(effect)
                self.system.post(&self.effects)
            }
        }
    }

    private mutating func perform(_ effect: Effect) {
        switch effect {
        case .stored(_, let number):
            self.system.ledger.withLock { _ = $0.sent.insert(number) }
        case .send(let send): self.perform(send)
        case .deliver(let delivery): self.perform(delivery)
        case .answerEmpty(let ticket, _, _), .refused(let ticket, .sessionEnded):
            self.answered(ticket)
        case .held(let ticket, let client):
            if self.random(8) == 0, self.system.store.pollEnded(client, ticket: ticket) {
                self.answered(ticket)
            }
        default: break
        }
    }

    private mutating func perform(_ send: LaneSend) {
        let (store, number, now) = (self.system.store, send.packet.number, self.system.now())
        switch self.isStopping ? 9 : self.random(10) {
        case 0:
            store.attemptFailed(
                send.lane,
                number,
                isCounted: true,
                loop: send.loop,
                at: now,
                &self.effects
            )
            self.waitingLanes.append(send.lane)
        case 1:
            store.releaseLane(send.lane, loop: send.loop)
        default:
            let name = self.system.names[self.random(self.system.names.count)]
            let reply =
                self.random(3) == 0
                ? nil : Reply(recipients: .one(name), contents: send.packet.contents)
            self.system.ledger.withLock { ledger in
                if let sender = send.packet.from {
                    ledger.consumed[sender, default: []].append(number)
                }
                if reply != nil { ledger.replies += 1 }
            }
            // The second time it is not under way any more.
            for _ in 0..<2 {
                _ = store.consumed(
                    send.lane,
                    number,
                    reply: reply,
                    loop: send.loop,
                    at: now,
                    &self.effects
                )
            }
        }
    }

    private mutating func perform(_ delivery: Delivery) {
        let (store, number, now) = (self.system.store, delivery.packet.number, self.system.now())
        let ticket = delivery.ticket
        self.answered(ticket)
        switch self.isStopping ? 9 : self.random(6) {
        case 0:
            store.deliveryFailed(delivery.client, number, ticket: ticket, at: now, &self.effects)
        case 1:
            store.deliveryReturned(delivery.client, number, ticket: ticket, at: now, &self.effects)
        default:
            self.system.ledger.withLock {
                $0.proven[delivery.client, default: []].append(number)
            }
            store.deliveryProven(delivery.client, number, ticket: ticket, at: now, &self.effects)
        }
    }

    private func answered(_ ticket: Ticket) {
        self.system.ledger.withLock { ledger in
            if ticket.handle % 2 == 1, ledger.open.remove(ticket.handle) == nil {
                ledger.answeredTwice += 1
            }
        }
    }

    private mutating func session() -> Session {
        let index = self.random(self.system.names.count)
        return self.system.sessions.withLock { $0[index] }
    }

    /// Polls have odd tickets, packets even ones.
    private mutating func ticket(isPoll: Bool) -> Ticket {
        self.lastTicket += 2
        return Ticket(loop: self.index, handle: self.lastTicket + (isPoll ? 1 : 0))
    }

    private mutating func random(_ count: Int) -> Int {
        Int.random(in: 0..<count, using: &self.generator)
    }
}

extension [PacketNumber] {
    fileprivate var isStrictlyAscending: Bool { zip(self, self.dropFirst()).allSatisfy { $0 < $1 } }
}

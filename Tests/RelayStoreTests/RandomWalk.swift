@testable import RelayStore

/// Random operations on a store and its model, with the effects and figures compared after each.
struct RandomWalk: ~Copyable {
    /// The first thing that the store did and the model did not.
    private(set) var difference: String?

    let store: PacketStore
    var model: StoreModel
    var now: StoreInstant
    var effects = Effects()
    private(set) var realms: [RealmID] = []
    private(set) var pools: [PoolID] = []

    /// Sessions of which some are not the newest of their client any more.
    var sessions: [KnownSession] = []
    var deliveries: [(key: StoreModel.Key, delivery: Delivery)] = []
    var sends: [LaneSend] = []
    var polls: [(key: StoreModel.Key, client: ClientHandle, ticket: UInt64)] = []

    /// Answers without a packet that told of losses, and up to which of them.
    var notices: [(key: StoreModel.Key, client: ClientHandle, upTo: UInt64, inModel: Int)] = []

    /// The newest lane of each client and pool that was sent on.
    private(set) var lanes: [KnownLane: LaneHandle] = [:]

    /// What went in and what came out, counted apart from the model.
    var copies = Copies()

    private var generator: SeededGenerator
    private var steps = 0
    private var lastTicket: UInt64 = 0

    struct KnownSession {
        let key: StoreModel.Key
        let session: Session
        let id: Int
    }

    struct KnownLane: Hashable {
        let key: StoreModel.Key
        let pool: Int
    }

    struct Copies {
        var stored = 0
        var ended = 0
        var lastProven: [StoreModel.Key: PacketNumber] = [:]
        var lastConsumed: [KnownLane: PacketNumber] = [:]
    }

    init(seed: UInt64) {
        self.generator = SeededGenerator(seed: seed)
        self.now = StoreInstant(nanoseconds: 5_000_000_000, unixMicroseconds: 1_700_000_000_000_000)
        self.store = PacketStore(limits: StoreLimits(), now: self.now)
        self.model = StoreModel(microseconds: self.now.unixMicroseconds)
        self.model.now = self.now.nanoseconds
        for index in 0..<2 {
            self.model.realms.append(
                .init(ttl: 0, packetsMax: 0, bytesMax: 0, drops: false, strangersMax: 0)
            )
            self.model.inboxes.append(.init(packetsMax: 0, bytesMax: 0))
            self.realms.append(
                self.store.realm(named: "realm \(index)", settings: RealmSettings())
            )
            self.pools.append(self.store.pool(named: "pool \(index)", limits: InboxLimits()))
        }
        self.reload()
    }

    /// Does one thing.
    mutating func step() {
        self.steps += 1
        switch self.random(100) {
        case 0..<12: self.advance()
        case 12..<18: self.logIn()
        case 18..<24: self.lookUp("token \(self.random(10))", in: self.random(2))
        case 24..<36: self.send()
        case 36..<41: self.sendDirect()
        case 41..<53: self.consume()
        case 53..<57: self.endAttempt()
        case 57..<60: self.nextAttempt()
        case 60..<62: self.adoptLanes()
        case 62..<70: self.append()
        case 70..<83: self.poll()
        case 83..<86: self.endPoll()
        case 86..<97: self.endDelivery()
        case 97: self.sweep()
        case 98: self.tellLosses()
        default: self.reload()
        }
        self.compareFigures()
    }

    /// Ends what is under way, lets everything run out, and looks that nothing is left.
    mutating func finish() {
        while !self.deliveries.isEmpty { self.endDelivery() }
        while !self.polls.isEmpty { self.endPoll() }
        for _ in 0..<2 {
            while !self.sends.isEmpty { self.endAttempt() }
            self.releaseLanes()
            self.moveClock(nanoseconds: 1_000_000_000_000)
            self.sweep()
        }
        self.compareFigures()
        if self.store.statistics() != StoreStatistics() {
            self.differ("left at the end: \(self.store.statistics())")
        }
        let extras = self.store.sum { $0.extras.count }
        if extras != 0 { self.differ("\(extras) extras are left at the end") }
        if self.copies.stored != self.copies.ended {
            self.differ("\(self.copies.stored) packets came, \(self.copies.ended) went")
        }
    }

    mutating func moveClock(nanoseconds: UInt64) {
        self.now.nanoseconds += nanoseconds
        self.now.unixMicroseconds += nanoseconds / 1000
        self.model.now = self.now.nanoseconds
        self.model.microseconds = self.now.unixMicroseconds
    }

    // MARK: Comparison

    /// Compares what followed from an operation.
    ///
    /// - Parameters:
    ///   - copies: how many packets the operation stored if it was not refused.
    ///   - inAnyOrder: for walks through all clients.
    mutating func compareEffects(_ operation: String, copies: Int = 1, inAnyOrder: Bool = false) {
        var texts: [String] = []
        while let effect = self.effects.next() {
            texts.append(effect.textWithNumbers)
            self.note(effect, copies: copies)
        }
        var expected = self.model.takeEffects()
        if inAnyOrder {
            texts.sort()
            expected.sort()
        }
        if texts != expected { self.differ("\(operation): \(texts), not \(expected)") }
        if inAnyOrder {
            // Which of them are the newest depends on the order in which they died.
            self.model.reorderDeadLetters(self.store.keptDeadLetters().map(\.contents.text))
        }
    }

    mutating func differ(_ text: String) {
        if self.difference == nil { self.difference = "step \(self.steps): \(text)" }
    }

    private mutating func note(_ effect: Effect, copies: Int) {
        switch effect {
        case .deliver(let delivery):
            let ticket = delivery.ticket.handle
            let client = self.model.clients.first { $0.value.deliveries.contains(ticket) }
            guard let client else { return self.differ("a delivery to \(ticket)") }
            self.deliveries.append((client.key, delivery))
        case .send(let send):
            self.sends.append(send)
            self.lanes[self.lane(of: send)] = send.lane
        case .answerEmpty(let ticket, _, let notice?):
            let poll = self.polls.last { $0.ticket == ticket.handle }
            guard let poll else { return self.differ("an answer to \(ticket)") }
            let mark = self.model.notices[ticket.handle] ?? 0
            self.notices.append((poll.key, poll.client, notice.upTo, mark))
        case .stored: self.copies.stored += copies
        case .died, .dropped: self.copies.ended += 1
        case .acknowledged(_, let packets): self.copies.ended += packets
        default: break
        }
    }

    private mutating func compareFigures() {
        let clients = self.model.clients.values
        let outboxes = self.model.outboxes
        let inboxes = self.pools.indices.map { self.model.backlog(of: $0) }
        var expected = StoreStatistics()
        expected.clients = clients.count
        expected.sessions = clients.count { $0.session != nil }
        expected.heldPolls = clients.map(\.held.count).reduce(0, +)
        expected.deliveries = clients.map(\.deliveries.count).reduce(0, +)
        expected.waitingForClients = Backlog(packets: outboxes.packets, bytes: outboxes.bytes)
        expected.waitingForBackends = Backlog(
            packets: inboxes.map(\.packets).reduce(0, +),
            bytes: inboxes.map(\.bytes).reduce(0, +)
        )
        expected.deadLetters = Backlog(
            packets: self.model.deadLetters.count,
            bytes: self.model.deadLetters.map(\.text.utf8.count).reduce(0, +)
        )
        let statistics = self.store.statistics()
        if statistics != expected { self.differ("\(statistics), not \(expected)") }
        if self.store.acceptsReplies == self.model.isFull { self.differ("room in the outboxes") }
        let unowned = self.store.sum { $0.counts.unownedLanes }
        if unowned != clients.flatMap(\.lanes.values).count(where: { $0.owner == nil }) {
            self.differ("\(unowned) lanes are nobody's")
        }
    }

    // MARK: Chance

    mutating func random(_ count: Int) -> Int { Int.random(in: 0..<count, using: &self.generator) }

    mutating func randomKey() -> StoreModel.Key {
        StoreModel.Key(realm: self.random(8) == 0 ? 1 : 0, name: "c\(self.random(6))")
    }

    /// Up to three clients, of which some never log in.
    mutating func randomNames() -> [String] {
        let count = [1, 1, 1, 1, 2, 3][self.random(6)]
        return Array((0..<9).map { "c\($0)" }.shuffled(using: &self.generator).prefix(count))
    }

    mutating func randomSession() -> KnownSession? {
        self.sessions.isEmpty ? nil : self.sessions[self.random(self.sessions.count)]
    }

    /// A key that some packets have in common, or none.
    mutating func packetKey() -> String? {
        self.random(2) == 0 ? nil : "key-\(self.random(8))"
    }

    /// A text that no other packet has.
    mutating func text() -> String {
        "\(self.steps)" + String(repeating: "x", count: self.random(12))
    }

    mutating func ticket(loop: UInt16? = nil) -> Ticket {
        self.lastTicket += 1
        return Ticket(loop: loop ?? UInt16(self.random(3)), handle: self.lastTicket)
    }

    /// The lane that a packet is or was sent on; in realm 0 if packet and client are gone.
    func lane(of send: LaneSend) -> KnownLane {
        if let known = self.lanes.first(where: { $0.value == send.lane }) { return known.key }
        let pool = self.pools.firstIndex(of: send.lane.pool) ?? 0
        let realm = self.model.clients.first { _, client in
            client.lanes[pool]?.packets.contains { $0.number == send.packet.number } == true
        }?.key.realm
        let name = send.packet.from?.description ?? ""
        return KnownLane(key: StoreModel.Key(realm: realm ?? 0, name: name), pool: pool)
    }
}

extension PacketStore {
    /// Whether the record that a handle names is there.
    func isKnown(_ client: ClientHandle) -> Bool {
        self.withShard(client.shard) { $0.slot(of: client) != nil }
    }

    /// A figure of all shards together.
    func sum(_ figure: (borrowing Shard) -> Int) -> Int {
        (0..<UInt8(Self.shardCount)).map { index in self.withShard(index) { figure($0) } }
            .reduce(0, +)
    }
}

extension Effect {
    fileprivate var textWithNumbers: String {
        switch self {
        case .stored(_, let number) where number != 0: "\(self.text) #\(number)"
        case .checkProof(_, _, let number), .dropped(_, _, let number): "\(self.text) #\(number)"
        default: self.text
        }
    }
}

import Synchronization

/// Where packets wait, in memory: sessions, packets to backends and to clients, held polls, dead
/// letters.
///
/// Operations may be called from any thread. They never call back and never block for longer than
/// the few hundred nanoseconds that another thread needs in the same one of 64 shards; what follows
/// from them stands in the effects, which the caller performs. No thread holds two locks at a time.
package final class PacketStore: Sendable {
    /// How many shards there are to be swept.
    package static let shardCount = 64

    /// The records of the clients, by the hash of realm and id.
    private let shards: InlineArray<64, Mutex<Shard>>

    /// Which client a token belongs to, by the hash of realm and token.
    private let tokens: InlineArray<64, Mutex<TokenTable>>

    /// The realms and pools, of which each shard has a copy.
    private let rules = Mutex(Rules())

    let deadLetters: Mutex<DeadLetters>

    /// The last id that a dead letter was given.
    let letterIDs = Atomic<UInt64>(0)

    /// The keys of pushed packets.
    let pushKeys = Mutex(PushKeys())

    /// The keys of fetched packets.
    let fetchKeys = Mutex(FetchKeys())

    let outboxes: OutboxAccount

    let numbers: PacketNumbers

    /// Numbers the sessions.
    let epochs = Atomic<UInt64>(0)

    /// What keeps operations before they happen, if anything does.
    let journal: (any Journal)?

    /// A store without packets, whose numbers begin with this moment.
    package init(limits: StoreLimits, now: StoreInstant, journal: (any Journal)? = nil) {
        let outboxes = OutboxAccount(limits)
        let numbers = PacketNumbers(from: now)
        self.outboxes = outboxes
        self.numbers = numbers
        self.shards = InlineArray { index in
            Mutex(
                Shard(
                    index: UInt8(truncatingIfNeeded: index),
                    numbers: numbers,
                    outboxes: outboxes,
                    isJournaled: journal != nil
                )
            )
        }
        self.tokens = InlineArray { _ in Mutex(TokenTable()) }
        self.deadLetters = Mutex(DeadLetters(limits))
        self.journal = journal
    }

    // MARK: Configuration, at start and at each reload

    /// The number of the realm, for which `settings` hold from now on.
    package func realm(named name: String, settings: RealmSettings) -> RealmID {
        self.changeRules { $0.setRealm(named: name, settings) }
    }

    /// The number of the pool, for which `limits` hold from now on.
    package func pool(named name: String, limits: InboxLimits) -> PoolID {
        self.changeRules { $0.setPool(named: name, limits) }
    }

    /// What holds for the whole store from the next sweep on.
    package func setLimits(_ limits: StoreLimits) {
        self.outboxes.setLimits(limits)
        self.deadLetters.withLock { $0.limits = limits }
    }

    /// How long keys are known in a realm, in nanoseconds.
    func dedupeWindow(of realm: RealmID) -> UInt64 {
        self.rules.withLock { $0.realms[realm.index].dedupeWindow }
    }

    /// The same of all realms, by their numbers.
    private var dedupeWindows: [UInt64] {
        self.rules.withLock { $0.realms.map(\.dedupeWindow) }
    }

    /// The name that a realm was made with.
    package func name(of realm: RealmID) -> String {
        self.rules.withLock { $0.realms[realm.index].name }
    }

    /// What holds for the clients of a realm.
    func settings(of realm: RealmID) -> RealmSettings {
        self.rules.withLock { $0.realms[realm.index].settings }
    }

    /// The name that a pool was made with.
    package func name(of pool: PoolID) -> String {
        self.rules.withLock { $0.pools[pool.index].name }
    }

    /// The id, sharing the record's bytes if the client has one; nil for what cannot be an id.
    package func clientName(_ bytes: Span<UInt8>, in realm: RealmID) -> ClientName? {
        let hash = KeyHash.mixed(KeyHash.of(bytes), realm: realm)
        // The usual one has a record, and then nothing is copied.
        let known = self.withShard(Shard.index(of: hash)) { shard -> ClientName? in
            let slot = shard.slots.find(hash) { slot in
                shard.clients[slot].realm == realm && shard.clients[slot].name.equals(bytes)
            }
            return slot.map { shard.clients[$0].name }
        }
        return known ?? ClientName(bytes)
    }

    // MARK: Reading

    /// Packets and bytes that wait for a pool, those under way among them.
    package func backlog(of pool: PoolID) -> Backlog {
        self.rules.withLock { $0.pools[pool.index].account }.backlog
    }

    /// All pools that ever were, with what waits for them.
    package func pools() -> [(name: String, pool: PoolID, backlog: Backlog)] {
        let pools = self.rules.withLock { $0.pools }
        return pools.indices.map { index in
            (pools[index].name, PoolID(index: index), pools[index].account.backlog)
        }
    }

    /// Whether outboxes have room: otherwise neither send packets to backends nor fetch.
    package var acceptsReplies: Bool {
        !self.outboxes.isFull && self.journal?.acceptsReplies ?? true
    }

    /// Whether a number is not above every one that this store has given to anybody.
    package func hasGiven(_ number: PacketNumber) -> Bool { number <= self.numbers.newest }

    /// The dead letters that are kept, oldest first.
    package func keptDeadLetters() -> [DeadLetter] {
        self.deadLetters.withLock { $0.all }
    }

    /// How much there is of everything.
    ///
    /// Not of one moment: the shards are asked in turn.
    package func statistics() -> StoreStatistics {
        var statistics = StoreStatistics()
        for index in self.shards.indices {
            let (clients, counts) = self.shards[index].withLock { ($0.clients.count, $0.counts) }
            statistics.clients += clients
            statistics.sessions += counts.sessions
            statistics.heldPolls += counts.heldPolls
            statistics.deliveries += counts.deliveries
        }
        for pool in self.pools() {
            statistics.waitingForBackends.packets += pool.backlog.packets
            statistics.waitingForBackends.bytes += pool.backlog.bytes
        }
        statistics.waitingForClients = self.outboxes.backlog
        statistics.deadLetters = self.deadLetters.withLock { $0.backlog }
        return statistics
    }

    // MARK: Upkeep

    /// Ends sessions and packets of a shard that have run out, and forgets clients of which nothing
    /// is left.
    ///
    /// To be called for one shard at a time, `0..<shardCount`, for all of them about once a second.
    ///
    /// - Returns: how many clients the shard had, in whose number the time grows.
    @discardableResult
    package func sweep(shard: Int, at now: StoreInstant, _ effects: inout Effects) -> Int {
        precondition(0..<Self.shardCount ~= shard, "no shard has the number \(shard)")
        let index = UInt8(truncatingIfNeeded: shard)
        let (clients, chunks) = self.withShard(index) { ($0.clients.count, $0.clients.chunkCount) }
        for chunk in 0..<chunks {
            let ended = self.withShard(index) { $0.sweep(chunk: chunk, at: now, &effects) }
            for claim in ended { self.release(claim) }
            self.bury(&effects)
        }
        self.withShard(index) { $0.releaseMemory() }
        self.tokens[shard].withLock { $0.releaseMemory() }
        if shard == 0 {
            self.outboxes.review(&effects)
            self.deadLetters.withLock { $0.expire(at: now) }
            let windows = self.dedupeWindows
            self.pushKeys.withLock { $0.expire(windows: windows, at: now) }
            self.fetchKeys.withLock { $0.expire(at: now) }
        }
        return clients
    }

    /// Tells what has happened in an operation, after the lock under which it did: the journal writes
    /// it, dead letters are kept.
    func bury(_ effects: inout Effects) {
        if let journal = self.journal { self.tell(journal, &effects) }
        guard !effects.happened.isEmpty else { return }
        let happened = effects.happened
        effects.happened.removeAll()
        for operation in happened {
            switch operation {
            case .died(var letter):
                letter.id = self.takeLetterIDs(1)
                _ = self.journal?.write(.died(letter))
                self.deadLetters.withLock { $0.append(letter) }
                effects.append(.died(letter))
            case .dropped(let number, let client, let realm):
                _ = self.journal?.write(operation)
                effects.append(.dropped(realm: realm, client: client, number))
            default: _ = self.journal?.write(operation)
            }
        }
    }

    private func tell(_ journal: any Journal, _ effects: inout Effects) {
        if !effects.changes.isEmpty { journal.record(effects.changes) }
        effects.changes.removeAll()
        if !effects.absent.isEmpty { journal.read(effects.absent) }
        effects.absent.removeAll()
    }

    /// How much is kept of dead letters.
    var deadLetterLimits: StoreLimits { self.deadLetters.withLock { $0.limits } }

    // MARK: Locks

    /// Runs `body` under the lock of a shard.
    func withShard<Result: Sendable>(_ index: UInt8, _ body: (inout Shard) -> Result) -> Result {
        self.shards[Int(index)].withLock { body(&$0) }
    }

    /// Runs `body` under the lock of the shard that the client's record is in or would be in.
    func withShard<Result: Sendable>(
        of name: ClientName,
        in realm: RealmID,
        _ body: (inout Shard) -> Result
    ) -> Result {
        self.withShard(Shard.index(of: Shard.hash(of: name, in: realm)), body)
    }

    /// Runs `body` under the lock of the tokens whose hashes are near this one.
    func withTokens<Result: Sendable>(
        near hash: UInt64,
        _ body: (inout TokenTable) -> Result
    ) -> Result {
        self.tokens[Int(Shard.index(of: hash))].withLock { body(&$0) }
    }

    /// The session that claimed a token has ended.
    func release(_ claim: TokenClaim) {
        self.withTokens(near: claim.hash) { $0.release(claim) }
    }

    /// Changes the realms and pools, then every shard's copy: it has them before anybody knows their
    /// numbers.
    private func changeRules<ID: Sendable>(_ change: (inout Rules) -> ID) -> ID {
        let (id, rules) = self.rules.withLock { rules in (change(&rules), rules) }
        for index in self.shards.indices {
            self.shards[index].withLock { $0.setRules(rules) }
        }
        return id
    }
}

/// One of the parts of the store: the records of the clients whose ids fall into it, and their
/// packets.
///
/// A struct that stands behind a lock and performs nothing: what follows from a call stands in the
/// effects.
struct Shard: ~Copyable, Sendable {
    /// Which of the shards it is.
    let index: UInt8

    /// Gives the packets of all shards their numbers.
    let numbers: PacketNumbers

    /// Counts the packets that wait for clients in all shards.
    let outboxes: OutboxAccount

    /// The realms and pools.
    private(set) var rules = Rules()

    var clients = Slab<ClientRecord>()
    var packets = Slab<StoredPacket>()
    var extras = Slab<ClientExtras>()

    /// Finds a client's record by the hash of id and realm.
    var slots = SlotIndex()

    /// What `statistics` and `adoptLanes` would otherwise have to walk for.
    var counts = Counts()

    private var lastGeneration: UInt64 = 0

    /// Not below any loss of a client that was forgotten.
    var lossBase: UInt64 = 0

    /// How many there are of each in the shard.
    struct Counts: Sendable, Equatable {
        var sessions = 0
        var heldPolls = 0
        var deliveries = 0
        /// Lanes with packets that are nobody's.
        var unownedLanes = 0
    }

    /// Whether changes have to be told to a journal.
    let isJournaled: Bool

    /// A shard without clients.
    init(index: UInt8, numbers: PacketNumbers, outboxes: OutboxAccount, isJournaled: Bool = false) {
        self.isJournaled = isJournaled
        self.index = index
        self.numbers = numbers
        self.outboxes = outboxes
    }

    /// Takes a copy of the realms and pools, if it is newer than the one it has.
    mutating func setRules(_ rules: Rules) {
        if rules.version > self.rules.version { self.rules = rules }
    }

    /// A packet has come to this place, and its bytes are in memory.
    func placed(_ slot: UInt32, _ effects: inout Effects) {
        guard self.isJournaled else { return }
        effects.placed.append(
            PlacedPacket(
                shard: self.index,
                slot: slot,
                number: self.packets[slot].number,
                byteCount: self.packets[slot].byteCount
            )
        )
    }

    // MARK: Records

    /// The hash that decides where a client's record is.
    static func hash(of name: ClientName, in realm: RealmID) -> UInt64 {
        KeyHash.mixed(name.keyHash, realm: realm)
    }

    /// The shard that a hash falls into.
    ///
    /// Uses other bits than the table inside of the shard.
    static func index(of hash: UInt64) -> UInt8 { UInt8(truncatingIfNeeded: hash >> 58) }

    /// The place of the record that a handle names, unless the handle is too old.
    func slot(of client: ClientHandle) -> UInt32? {
        guard self.clients.contains(client.slot),
            self.clients[client.slot].generation == client.generation
        else { return nil }
        return client.slot
    }

    /// The same, and only while the session is the client's.
    func slot(of session: Session) -> UInt32? {
        guard let slot = self.slot(of: session.client),
            self.clients[slot].session?.epoch == session.epoch
        else { return nil }
        return slot
    }

    /// The place of a client's record, if it has one.
    func slot(of name: ClientName, in realm: RealmID) -> UInt32? {
        self.slots.find(Self.hash(of: name, in: realm)) { slot in
            self.clients[slot].realm == realm && self.clients[slot].name == name
        }
    }

    /// Names the record in a place.
    func handle(of slot: UInt32) -> ClientHandle {
        ClientHandle(
            shard: self.index,
            slot: slot,
            generation: self.clients[slot].generation
        )
    }

    /// Makes a record for a client that has none.
    mutating func insertClient(
        _ name: ClientName,
        in realm: RealmID,
        isStranger: Bool
    ) -> UInt32 {
        self.lastGeneration += 1
        let slot = self.clients.insert(
            ClientRecord(
                name: name,
                realm: realm,
                generation: self.lastGeneration,
                isStranger: isStranger
            )
        )
        self.slots.insert(Self.hash(of: name, in: realm), slot)
        return slot
    }

    /// Forgets a record that is forgettable.
    mutating func removeClient(_ slot: UInt32) {
        let record = self.clients.remove(slot)
        self.slots.remove(Self.hash(of: record.name, in: record.realm), slot)
        if record.isStranger { self.rules.realms[record.realm.index].strangers.remove() }
    }
}

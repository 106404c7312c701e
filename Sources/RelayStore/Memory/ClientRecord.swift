/// All that the store knows of one client.
struct ClientRecord: Sendable {
    /// The client's id.
    let name: ClientName

    /// Which occupant of its place it is.
    let generation: UInt64

    /// The realm's place in the table of realms.
    private let realmIndex: UInt32

    /// Logins between their first step and their last: the record must stay.
    var loginsUnderWay: UInt16 = 0

    /// Whether it is known only by the packets that wait for it: it never logged in.
    var isStranger: Bool

    /// The session, if one is alive; it may have run out and not be swept yet.
    var session: SessionRecord?

    /// The place of its extras in their table; most clients have none.
    ///
    /// Stands where the record has room for it.
    var extras = ClientExtras.none

    /// What waits for the client.
    var outbox = Outbox()

    /// The polls that wait for what comes.
    var polls = HeldPolls()

    /// The lanes that have packets or an owner.
    var lanes = ShortList<Lane>()

    /// A record without session and packets.
    init(name: ClientName, realm: RealmID, generation: UInt64, isStranger: Bool) {
        self.name = name
        self.realmIndex = UInt32(truncatingIfNeeded: realm.index)
        self.generation = generation
        self.isStranger = isStranger
    }

    /// Where the id means something.
    var realm: RealmID { RealmID(index: Int(self.realmIndex)) }

    /// Whether nothing would be lost with it.
    var isForgettable: Bool {
        self.session == nil && self.outbox.isEmpty && self.lanes.isEmpty && self.polls.isEmpty
            && self.loginsUnderWay == 0 && self.extras == ClientExtras.none
    }

    /// The lane of this number to a pool.
    func lane(to pool: PoolID, number: UInt8) -> Int? {
        self.lanes.firstIndex { $0.pool == pool && $0.number == number }
    }
}

/// A session that was stored.
struct SessionRecord: Sendable {
    /// The token, trimmed.
    let token: [UInt8]

    /// The hash of token and realm, under which the token table knows it.
    let tokenHash: UInt64

    /// Which session it is.
    let epoch: UInt64

    /// How long it lasts after its last use, in nanoseconds.
    let ttl: UInt64

    /// When its token was used last.
    var usedAt: UInt64

    /// Whether `Accept-Debug` was granted.
    let isDebugServer: Bool

    /// Whether a request of it had an `Ack`: from then on packets stay until they are acknowledged.
    var acknowledges = false

    /// Whether a journal has to keep a use: the first one in each sixteenth of the session's time.
    func isUseDue(at now: StoreInstant) -> Bool {
        let span = max(self.ttl / 16, 1)
        return now.nanoseconds / span > self.usedAt / span
    }

    /// Whether its token was used within its time.
    func isLive(at now: StoreInstant) -> Bool {
        now.nanoseconds(since: self.usedAt) <= self.ttl
    }
}

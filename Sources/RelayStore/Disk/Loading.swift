/// What a store's file says of numbers.
struct FoundNumbers: Sendable {
    /// The last one that may have been given.
    var last: PacketNumber = 0
    /// Those of packets to clients.
    var outbox = OutboxBuckets()
}

/// Reads a store's file into memory when relay starts: everything but header fields and bodies.
struct Loading {
    private let database: Database
    private let store: PacketStore
    private let now: StoreInstant

    /// The numbers in the file.
    private(set) var found = FoundNumbers()

    private var realms: [Int64: RealmID] = [:]
    private var pools: [Int64: PoolID] = [:]
    private var clients: [Int64: (handle: ClientHandle, realm: RealmID)] = [:]
    private var attempts: [PacketNumber: UInt32] = [:]
    private var acknowledged: [Int64: PacketNumber] = [:]

    /// Nothing is read yet.
    init(_ database: Database, into store: PacketStore, at now: StoreInstant) {
        self.database = database
        self.store = store
        self.now = now
    }

    /// Reads all tables.
    mutating func run() throws(DatabaseError) {
        try self.removeLeftovers()
        self.found.last = UInt64(
            clamping: try self.database.integer("SELECT value FROM meta WHERE key = 'last'") ?? 0
        )
        try self.loadNames()
        try self.loadClients()
        try self.loadSessions()
        try self.loadOutbox()
        try self.loadInbox()
        try self.loadKeys()
        try self.loadPushKeys()
        try self.loadFetchKeys()
        try self.loadDeadLetters()
    }

    /// Sessions that have run out, and clients of which nothing is left.
    private func removeLeftovers() throws(DatabaseError) {
        try self.database.execute(
            """
            DELETE FROM session WHERE used_us + ttl_us + ttl_us / 16 < \(self.now.unixMicroseconds);
            DELETE FROM retry WHERE seq NOT IN (SELECT seq FROM inbox);
            DELETE FROM client WHERE lost = 0 AND id NOT IN (SELECT client FROM session)
                AND id NOT IN (SELECT client FROM outbox) AND id NOT IN (SELECT client FROM inbox)
                AND id NOT IN (SELECT client FROM seen);
            DELETE FROM acked WHERE client NOT IN (SELECT client FROM outbox)
            """
        )
    }

    private mutating func loadNames() throws(DatabaseError) {
        let realms = try self.database.prepare("SELECT id, name FROM realm ORDER BY id")
        while try realms.step() {
            let name = String(decoding: realms.bytes(1), as: UTF8.self)
            self.realms[realms.integer(0)] = self.store.realm(
                named: name,
                settings: RealmSettings()
            )
        }
        let pools = try self.database.prepare("SELECT id, name FROM pool ORDER BY id")
        while try pools.step() {
            let name = String(decoding: pools.bytes(1), as: UTF8.self)
            self.pools[pools.integer(0)] = self.store.pool(named: name, limits: InboxLimits())
        }
    }

    private mutating func loadClients() throws(DatabaseError) {
        let rows = try self.database.prepare("SELECT id, realm, name, seen_us, lost FROM client")
        while try rows.step() {
            guard let realm = self.realms[rows.integer(1)],
                let name = ClientName(rows.bytes(2).span)
            else { continue }
            let handle = self.store.restoreClient(name, in: realm, hasLoggedIn: rows.integer(3) > 0)
            self.clients[rows.integer(0)] = (handle, realm)
            self.store.restoreLosses(rows.unsigned(4), of: handle, at: self.now)
        }
    }

    private func loadSessions() throws(DatabaseError) {
        let rows = try self.database.prepare(
            "SELECT client, token, perms, used_us, ttl_us, mode FROM session"
        )
        while try rows.step() {
            guard let client = self.clients[rows.integer(0)] else { continue }
            let (ttl, isLong) = rows.unsigned(4).multipliedReportingOverflow(by: 1000)
            self.store.restoreSession(
                of: client.handle,
                in: client.realm,
                KeptSession(
                    digest: rows.bytes(1),
                    ttl: isLong ? .max : ttl,
                    usedAt: self.nanoseconds(ofMicroseconds: rows.unsigned(3)),
                    isDebugServer: rows.integer(2) & 1 != 0,
                    acknowledges: rows.integer(5) != 0
                )
            )
        }
    }

    private mutating func loadOutbox() throws(DatabaseError) {
        let acknowledged = try self.database.prepare("SELECT client, upto FROM acked")
        while try acknowledged.step() {
            self.acknowledged[acknowledged.integer(0)] = acknowledged.unsigned(1)
        }
        let rows = try self.database.prepare(
            "SELECT seq, client, len, sender FROM outbox ORDER BY seq"
        )
        while try rows.step() {
            let number = rows.unsigned(0)
            self.found.last = max(self.found.last, number)
            self.found.outbox.inserted(number)
            if let upTo = self.acknowledged[rows.integer(1)], number <= upTo {
                self.found.outbox.acknowledged(number)
                continue
            }
            guard let client = self.clients[rows.integer(1)] else { continue }
            let sender = rows.isNull(3) ? nil : ClientName(rows.bytes(3).span)
            self.store.restorePacket(
                self.packet(number, rows.unsigned(2), .outbox(from: sender)),
                of: client.handle
            )
        }
    }

    private mutating func loadInbox() throws(DatabaseError) {
        let attempts = try self.database.prepare("SELECT seq, attempts FROM retry")
        while try attempts.step() {
            self.attempts[attempts.unsigned(0)] = UInt32(clamping: attempts.unsigned(1))
        }
        let rows = try self.database.prepare(
            "SELECT seq, pool, client, len FROM inbox ORDER BY seq"
        )
        while try rows.step() {
            let number = rows.unsigned(0)
            self.found.last = max(self.found.last, number)
            guard let pool = self.pools[rows.integer(1)], let client = self.clients[rows.integer(2)]
            else { continue }
            let place = KeptPacket.Place.inbox(pool, attempts: self.attempts[number] ?? 0)
            self.store.restorePacket(
                self.packet(number, rows.unsigned(3), place),
                of: client.handle
            )
        }
    }

    private mutating func loadKeys() throws(DatabaseError) {
        let rows = try self.database.prepare(
            "SELECT seq, client, pid, at_us FROM seen ORDER BY seq"
        )
        while try rows.step() {
            let number = rows.unsigned(0)
            self.found.last = max(self.found.last, number)
            guard let client = self.clients[rows.integer(1)],
                let key = PacketKey(rows.bytes(2).span)
            else { continue }
            self.store.restoreKey(
                key,
                of: number,
                at: self.nanoseconds(ofMicroseconds: rows.unsigned(3)),
                from: client.handle
            )
        }
    }

    private mutating func loadPushKeys() throws(DatabaseError) {
        let rows = try self.database.prepare(
            "SELECT seq, realm, key, numbers, at_us FROM pushed ORDER BY realm, seq DESC"
        )
        while try rows.step() {
            let numbers = PushedNumbers.numbers(in: rows.bytes(3))
            self.found.last = max(self.found.last, rows.unsigned(0), numbers.max() ?? 0)
            guard let realm = self.realms[rows.integer(1)], let key = PacketKey(rows.bytes(2).span)
            else { continue }
            let time = self.nanoseconds(ofMicroseconds: rows.unsigned(4))
            self.store.restorePushKey(key, in: realm, numbers, at: time)
        }
    }

    private func loadFetchKeys() throws(DatabaseError) {
        let now = self.now.unixMicroseconds
        let rows = try self.database.prepare(
            "SELECT pool, key, until_us FROM fetched WHERE until_us >= \(now) ORDER BY id"
        )
        while try rows.step() {
            guard let pool = self.pools[rows.integer(0)] else { continue }
            let (window, isLong) = (rows.unsigned(2) - now).multipliedReportingOverflow(by: 1000)
            self.store.restoreFetchKey(
                FetchKey(pool: pool, text: rows.bytes(1)),
                window: isLong ? .max : window,
                at: self.now
            )
        }
    }

    private func loadDeadLetters() throws(DatabaseError) {
        let rows = try self.database.prepare(
            """
            SELECT seq, at_us, direction, reason, realm, pool, client, attempts, len, id FROM dead
            ORDER BY id
            """
        )
        while try rows.step() {
            let text = { (column: Int32) in String(decoding: rows.bytes(column), as: UTF8.self) }
            guard let reason = DeadLetter.Reason(column: text(3)) else { continue }
            let pool =
                rows.isNull(5) ? nil : self.store.pool(named: text(5), limits: InboxLimits())
            let time = rows.unsigned(1)
            self.store.keepDeadLetter(
                DeadLetter(
                    reason: reason,
                    direction: text(2) == Direction.toBackend.column ? .toBackend : .toClient,
                    realm: self.store.realm(named: text(4), settings: RealmSettings()),
                    client: rows.isNull(6) ? nil : ClientName(rows.bytes(6).span),
                    pool: pool,
                    number: rows.isNull(0) ? nil : rows.unsigned(0),
                    attempts: UInt32(clamping: rows.unsigned(7)),
                    contents: .absent(byteCount: Int(clamping: rows.unsigned(8))),
                    diedAt: StoreInstant(
                        nanoseconds: self.nanoseconds(ofMicroseconds: time),
                        unixMicroseconds: time
                    ),
                    id: rows.unsigned(9)
                )
            )
        }
    }

    private func packet(
        _ number: PacketNumber,
        _ byteCount: UInt64,
        _ place: KeptPacket.Place
    ) -> KeptPacket {
        KeptPacket(
            number: number,
            byteCount: Int(clamping: min(byteCount, UInt64(UInt32.max))),
            storedAt: self.nanoseconds(ofMicroseconds: number),
            place: place
        )
    }

    /// A time of day on the clock that never goes back; what lies before that clock began is its
    /// beginning.
    private func nanoseconds(ofMicroseconds time: UInt64) -> UInt64 {
        let age = self.now.unixMicroseconds > time ? self.now.unixMicroseconds - time : 0
        let (nanoseconds, isLong) = age.multipliedReportingOverflow(by: 1000)
        return isLong || nanoseconds > self.now.nanoseconds
            ? 0 : self.now.nanoseconds - nanoseconds
    }
}

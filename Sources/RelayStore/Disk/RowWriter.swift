/// Writes rows on the one connection that does: for the writer's thread.
final class RowWriter {
    /// What the rows are called elsewhere: names of realms and pools.
    let store: PacketStore

    let database: Database
    private let insertOutbox: Statement
    private let insertInbox: Statement
    private let insertSession: Statement
    private let insertDead: Statement
    private let insertAttempts: Statement
    private let insertKey: Statement
    private let loggedIn: Statement
    private let addLosses: Statement
    private let acknowledges: Statement
    private let sessionUsed: Statement
    private let deleteOutbox: Statement
    private let deleteInbox: Statement
    private let deleteAttempts: Statement
    let insertPushKey: Statement
    let insertFetchKey: Statement
    let setAcknowledged: Statement
    let deleteAcknowledged: Statement
    private let deleteKey: Statement
    private let deleteSession: Statement
    private let buryOutbox: Statement
    private let buryInbox: Statement
    let findClient: Statement
    let insertClient: Statement
    private let begin: Statement
    private let commit: Statement

    /// Keys of rows, as far as they were needed.
    var clients: [ClientKey: Int64] = [:]
    var realms: [RealmID: Int64] = [:]
    var pools: [PoolID: Int64] = [:]

    struct ClientKey: Hashable {
        let realm: RealmID
        let name: ClientName
    }

    /// How many clients' keys are kept in memory.
    static let clientsMax = 65_536

    /// Prepares everything on a connection that is configured.
    init(_ database: Database, store: PacketStore) throws(DatabaseError) {
        self.database = database
        self.store = store
        self.begin = try database.prepare("BEGIN IMMEDIATE")
        self.commit = try database.prepare("COMMIT")
        self.insertOutbox = try database.prepare("INSERT INTO outbox VALUES (?,?,?,?,?,?,?)")
        self.insertInbox = try database.prepare("INSERT INTO inbox VALUES (?,?,?,?,?,?,?)")
        self.insertSession = try database.prepare(
            """
            INSERT OR REPLACE INTO session(client, token, perms, used_us, ttl_us, mode)
            VALUES (?,?,?,?,?,?)
            """
        )
        self.deleteSession = try database.prepare("DELETE FROM session WHERE client = ?")
        self.sessionUsed = try database.prepare("UPDATE session SET used_us = ? WHERE token = ?")
        self.acknowledges = try database.prepare("UPDATE session SET mode = 1 WHERE client = ?")
        self.loggedIn = try database.prepare("UPDATE client SET seen_us = ? WHERE id = ?")
        self.addLosses = try database.prepare(
            "UPDATE client SET lost = max(lost + ?, 0) WHERE id = ?"
        )
        self.insertAttempts = try database.prepare("INSERT OR REPLACE INTO retry VALUES (?,?)")
        self.deleteAttempts = try database.prepare("DELETE FROM retry WHERE seq = ?")
        self.insertKey = try database.prepare("INSERT INTO seen VALUES (?,?,?,?)")
        self.deleteKey = try database.prepare("DELETE FROM seen WHERE seq = ?")
        self.setAcknowledged = try database.prepare(
            """
            INSERT INTO acked VALUES (?,?)
            ON CONFLICT(client) DO UPDATE SET upto = max(upto, excluded.upto)
            """
        )
        self.deleteAcknowledged = try database.prepare(
            """
            DELETE FROM outbox WHERE seq BETWEEN ? AND ?
            AND seq <= (SELECT upto FROM acked WHERE acked.client = outbox.client)
            """
        )
        self.insertPushKey = try database.prepare("INSERT INTO pushed VALUES (?,?,?,?,?)")
        self.insertFetchKey = try database.prepare(
            "INSERT INTO fetched(pool, key, until_us) VALUES (?,?,?)"
        )
        self.deleteOutbox = try database.prepare("DELETE FROM outbox WHERE seq = ?")
        self.deleteInbox = try database.prepare("DELETE FROM inbox WHERE seq = ?")
        let columns =
            "seq, at_us, direction, reason, realm, pool, client, attempts, id, len, head, body"
        self.insertDead = try database.prepare(
            "INSERT OR REPLACE INTO dead(\(columns)) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)"
        )
        let moved =
            "INSERT OR REPLACE INTO dead(\(columns)) SELECT seq, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, len,"
        self.buryOutbox = try database.prepare(
            "\(moved) head, iif(?10, body, zeroblob(0)) FROM outbox WHERE seq = ?1"
        )
        self.buryInbox = try database.prepare(
            "\(moved) head, iif(?10, body, zeroblob(0)) FROM inbox WHERE seq = ?1"
        )
        self.findClient = try database.prepare(
            "SELECT id FROM client WHERE realm = ? AND name = ?"
        )
        self.insertClient = try database.prepare("INSERT INTO client(realm, name) VALUES (?,?)")
    }

    /// Runs `body` in a transaction, which is over, one way or the other, when this returns.
    func transaction(_ body: (RowWriter) throws(DatabaseError) -> Void) throws(DatabaseError) {
        do throws(DatabaseError) {
            try self.begin.run()
            try body(self)
            try self.commit.run()
        } catch {
            // Fails if SQLite has rolled back itself, as it does when the disk is full.
            _ = try? self.database.execute("ROLLBACK")
            throw error
        }
    }

    // MARK: Rows

    /// A packet that waits for a client.
    func insertOutbox(
        _ number: PacketNumber,
        for name: ClientName,
        in realm: RealmID,
        from sender: ClientName?,
        _ contents: PacketContents
    ) throws(DatabaseError) {
        let client = try self.client(name, in: realm)
        let statement = self.insertOutbox
        defer { statement.reset() }
        try statement.bind(1, number)
        try statement.bind(2, client)
        try statement.bind(3, UInt64(contents.byteCount))
        try statement.bind(4, UInt64(Checksum.ofRow(client: client, number: number, contents)))
        if let sender { try statement.bind(5, sender.bytes) }
        try self.bind(contents, to: statement, 6)
        _ = try statement.step()
    }

    /// A packet that waits for a pool.
    func insertInbox(
        _ number: PacketNumber,
        to pool: PoolID,
        from name: ClientName,
        in realm: RealmID,
        _ contents: PacketContents
    ) throws(DatabaseError) {
        let client = try self.client(name, in: realm)
        let statement = self.insertInbox
        defer { statement.reset() }
        try statement.bind(1, number)
        try statement.bind(2, self.pool(pool))
        try statement.bind(3, client)
        try statement.bind(4, UInt64(contents.byteCount))
        try statement.bind(5, UInt64(Checksum.ofRow(client: client, number: number, contents)))
        try self.bind(contents, to: statement, 6)
        _ = try statement.step()
    }

    /// The session of a login, in place of the client's one before.
    func insertSession(
        of name: ClientName,
        in realm: RealmID,
        _ session: KeptSession,
        usedAtMicroseconds: UInt64,
        isLogin: Bool
    ) throws(DatabaseError) {
        let client = try self.client(name, in: realm)
        let statement = self.insertSession
        defer { statement.reset() }
        try statement.bind(1, client)
        try statement.bind(2, session.digest)
        try statement.bind(3, session.isDebugServer ? 1 as Int64 : 0)
        try statement.bind(4, usedAtMicroseconds)
        try statement.bind(5, session.ttl / 1000)
        try statement.bind(6, session.acknowledges ? 1 as Int64 : 0)
        _ = try statement.step()
        guard isLogin else { return }
        try self.loggedIn.bind(1, usedAtMicroseconds)
        try self.loggedIn.bind(2, client)
        try self.loggedIn.run()
    }

    /// The client's session is in acknowledged mode from now on.
    func setAcknowledging(_ name: ClientName, in realm: RealmID) throws(DatabaseError) {
        try self.acknowledges.bind(1, self.client(name, in: realm))
        try self.acknowledges.run()
    }

    /// The client has no session.
    func deleteSession(of name: ClientName, in realm: RealmID) throws(DatabaseError) {
        try self.deleteSession.bind(1, self.client(name, in: realm))
        try self.deleteSession.run()
    }

    /// The session of this token was used.
    func sessionUsed(_ digest: [UInt8], atMicroseconds time: UInt64) throws(DatabaseError) {
        try self.sessionUsed.bind(1, time)
        try self.sessionUsed.bind(2, digest)
        try self.sessionUsed.run()
    }

    /// A packet has gone.
    func delete(_ number: PacketNumber, _ direction: Direction) throws(DatabaseError) {
        switch direction {
        case .toClient: try self.run(self.deleteOutbox, number)
        case .toBackend:
            try self.run(self.deleteInbox, number)
            try self.run(self.deleteAttempts, number)
        }
    }

    /// All packets with these numbers have gone, whatever became of them.
    func delete(_ numbers: ClosedRange<PacketNumber>) throws(DatabaseError) {
        let bounds = "seq BETWEEN \(numbers.lowerBound) AND \(numbers.upperBound)"
        try self.database.execute(
            """
            DELETE FROM outbox WHERE \(bounds); DELETE FROM inbox WHERE \(bounds);
            DELETE FROM seen WHERE \(bounds); DELETE FROM pushed WHERE \(bounds)
            """
        )
    }

    /// The key under which a client sent the packet with this number.
    func insertKey(
        _ key: PacketKey,
        of number: PacketNumber,
        from name: ClientName,
        in realm: RealmID,
        atMicroseconds time: UInt64
    ) throws(DatabaseError) {
        try self.insertKey.bind(1, number)
        try self.insertKey.bind(2, self.client(name, in: realm))
        try self.insertKey.bind(3, key.bytes)
        try self.insertKey.bind(4, time)
        try self.insertKey.run()
    }

    /// The key of the packet with this number is forgotten.
    func deleteKey(of number: PacketNumber) throws(DatabaseError) {
        try self.run(self.deleteKey, number)
    }

    /// Forgets keys that came before this time, in microseconds since 1970.
    ///
    /// A number is never below the time at which it was given: so this finds them by the primary key,
    /// and leaves those whose numbers ran ahead for later.
    func trimKeys(olderThan time: UInt64) throws(DatabaseError) {
        try self.database.execute("DELETE FROM seen WHERE seq < \(time)")
    }

    /// So many attempts on a packet were counted.
    func setAttempts(_ attempts: UInt32, on number: PacketNumber) throws(DatabaseError) {
        try self.insertAttempts.bind(1, number)
        try self.insertAttempts.bind(2, UInt64(attempts))
        try self.insertAttempts.run()
    }

    /// A dead letter; if its packet was stored the row moves.
    func bury(_ letter: DeadLetter) throws(DatabaseError) {
        let moved = letter.direction == .toClient ? self.buryOutbox : self.buryInbox
        let statement = letter.number == nil ? self.insertDead : moved
        defer { statement.reset() }
        if let number = letter.number { try statement.bind(1, number) }
        try statement.bind(2, letter.diedAt.unixMicroseconds)
        try statement.bind(3, Array(letter.direction.column.utf8))
        try statement.bind(4, Array(letter.reason.column.utf8))
        try statement.bind(5, Array(self.store.name(of: letter.realm).utf8))
        if let pool = letter.pool { try statement.bind(6, Array(self.store.name(of: pool).utf8)) }
        if let client = letter.client { try statement.bind(7, client.bytes) }
        try statement.bind(8, UInt64(letter.attempts))
        try statement.bind(9, letter.id)
        if letter.number == nil {
            try statement.bind(10, UInt64(letter.contents.byteCount))
            try self.bind(letter.contents, to: statement, 11)
        } else {
            try statement.bind(10, letter.reason == .damaged ? 0 as Int64 : 1)
        }
        _ = try statement.step()
        if let number = letter.number { try self.delete(number, letter.direction) }
        if letter.isLoss, let client = letter.client {
            try self.addLosses(1, of: client, in: letter.realm)
        }
    }

    /// The dead letter with this id is one no more.
    func deleteLetter(_ id: UInt64) throws(DatabaseError) {
        try self.database.execute("DELETE FROM dead WHERE id = \(id)")
    }

    /// The client has lost so many packets more of which it has to be told, or fewer.
    func addLosses(
        _ count: Int64,
        of name: ClientName,
        in realm: RealmID
    ) throws(DatabaseError) {
        try self.addLosses.bind(1, count)
        try self.addLosses.bind(2, self.client(name, in: realm))
        try self.addLosses.run()
    }

    /// Forgets dead letters that are older, or beyond the newest so many.
    func trimDeadLetters(olderThan time: UInt64, newest count: Int) throws(DatabaseError) {
        try self.database.execute(
            """
            DELETE FROM dead WHERE at_us < \(time)
            OR id <= (SELECT max(id) FROM dead) - \(count)
            """
        )
    }

    /// No number up to this one is given again, even by a relay whose clock is behind.
    func setLastNumber(_ number: PacketNumber) throws(DatabaseError) {
        try self.database.execute("UPDATE meta SET value = \(number) WHERE key = 'last'")
    }

    private func run(_ statement: Statement, _ number: PacketNumber) throws(DatabaseError) {
        try statement.bind(1, number)
        try statement.run()
    }

    /// Header fields and body, to two parameters.
    private func bind(
        _ contents: PacketContents,
        to statement: Statement,
        _ index: Int32
    ) throws(DatabaseError) {
        let bytes = contents.bytes.span
        let headerCount = contents.isAbsent ? 0 : contents.headerCount
        try statement.bind(index, bytes.extracting(0..<headerCount))
        try statement.bind(index + 1, bytes.extracting(headerCount..<bytes.count))
    }
}

extension DeadLetter {
    /// Whether its client counts it as lost.
    fileprivate var isLoss: Bool {
        self.direction == .toClient && self.reason != .unknownClient && self.reason != .noRecipient
    }
}

extension Direction {
    /// What the table of dead letters says.
    var column: String {
        switch self {
        case .toBackend: "to_backend"
        case .toClient: "to_client"
        }
    }
}

extension DeadLetter.Reason {
    /// What the table of dead letters says.
    var column: String {
        switch self {
        case .expired: "expired"
        case .overflow: "overflow"
        case .rejected(let status): "rejected \(status)"
        case .attemptsExhausted: "attempts_exhausted"
        case .noRecipient: "no_recipient"
        case .unknownClient: "unknown_client"
        case .tooLarge: "too_large"
        case .damaged: "damaged"
        }
    }

    /// What a row of that table says; nil for what this relay does not know.
    init?(column: String) {
        switch column {
        case "expired": self = .expired
        case "overflow": self = .overflow
        case "attempts_exhausted": self = .attemptsExhausted
        case "no_recipient": self = .noRecipient
        case "unknown_client": self = .unknownClient
        case "too_large": self = .tooLarge
        case "damaged": self = .damaged
        default:
            guard column.hasPrefix("rejected "), let status = UInt16(column.dropFirst(9)) else {
                return nil
            }
            self = .rejected(status: status)
        }
    }
}

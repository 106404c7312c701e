import RelayObservation
import Synchronization

/// The thread that writes: takes what waits, commits it in one transaction, and only then lets it
/// happen.
///
/// What arrives during a commit forms the next one. `@unchecked Sendable`: everything mutable belongs
/// to the thread; others see `queue` alone, and `finished` when it has ended.
final class DiskWriter: @unchecked Sendable {
    /// What waits to be written.
    let queue: WriteQueue

    let folder: StoreFolder
    let store: PacketStore
    let events: any StoreEvents
    let settings: DiskSettings
    let clock: @Sendable () -> StoreInstant
    let report: @Sendable (DiskEvent) -> Void
    private let finished = WriterWake()

    /// Set before the thread begins.
    private var hasThread = false

    /// Nil while the connection is gone, after a failure.
    var rows: RowWriter?

    /// A second connection, which keeps SQLite's index of the journal alive while `rows` is gone.
    ///
    /// A connection that opens the file alone reads the journal anew. After a sync that failed it
    /// would find there what the disk does not have, take it for written, and write behind it: a
    /// power cut would then lose everything from there on. With the index SQLite knows where the last
    /// synced transaction ends, and writes over what comes after it.
    var index: Database?

    /// The last number that was given, and the one up to which the file says that they were.
    private(set) var last: PacketNumber
    var reserved: PacketNumber = 0

    /// What the file has of packets to clients.
    var outbox: OutboxBuckets

    private var cache: PacketCache

    /// When the disk was looked at last, and dead letters trimmed, in nanoseconds.
    var roomSeenAt: UInt64 = 0
    private var trimmedAt: UInt64 = 0

    /// Whether the log was large when it was looked at last.
    var isLogLarge = false

    /// Numbers that are reserved at once: at most so many are skipped by a restart.
    private static let numbersReserved: UInt64 = 10_000_000

    /// A writer that is not running.
    init(
        queue: WriteQueue,
        folder: StoreFolder,
        store: PacketStore,
        events: any StoreEvents,
        settings: DiskSettings,
        found: FoundNumbers,
        clock: @escaping @Sendable () -> StoreInstant,
        report: @escaping @Sendable (DiskEvent) -> Void
    ) {
        self.queue = queue
        self.folder = folder
        self.store = store
        self.events = events
        self.settings = settings
        self.last = found.last
        self.outbox = found.outbox
        self.cache = PacketCache(bytesMax: settings.cacheBytes)
        self.clock = clock
        self.report = report
    }

    /// Begins, on a thread of its own; otherwise whoever calls `turn` is the thread.
    func start() {
        self.hasThread = true
        Writer.start(named: "store") {
            self.run()
            self.finished.signal()
        }
    }

    /// Writes what is left and ends the thread.
    func stop() {
        self.queue.stop()
        if self.hasThread { self.finished.wait() } else { self.run() }
    }

    private func run() {
        while true {
            if self.turn() { continue }
            if self.queue.state == .stopping { break }
            self.queue.wait(milliseconds: self.queue.state == .refusing ? 1000 : nil)
        }
        // The last one to go moves the journal into the file.
        self.index = nil
        self.rows = nil
    }

    /// Writes one batch of what waits; false if nothing does.
    func turn() -> Bool {
        self.lookForRoom()
        let batch = self.queue.next()
        if !batch.isEmpty { self.write(batch) }
        return !batch.isEmpty
    }

    // MARK: Transactions

    /// What is to be told when a batch is committed.
    struct Outcome {
        var written: [WrittenOperation] = []
        var refused: [(ticket: Ticket, refusal: Refusal)] = []
        /// The answers to those whose packet has a key that was written before; nothing is written for it.
        var repeats: [Effect] = []
        /// The keys of packets in the batch.
        var keys: Set<KeyClaim> = []
        /// What has the key of another one in the batch.
        ///
        /// Whether it is a repeat is known when that one has happened, or has not. So nothing is ever
        /// written for a repeat.
        var deferred: [StoreOperation] = []
        /// Who gets the tokens of logins in the batch.
        var tokens: [[UInt8]: ClientName] = [:]
        /// Who logs in in the batch.
        var names: Set<ClientName> = []
    }

    private func write(_ batch: [WriteQueue.Item]) {
        let now = self.clock()
        let first = self.last + 1
        let before = self.outbox
        var outcome = Outcome()
        do throws(DatabaseError) {
            guard self.queue.state != .broken else {
                throw DatabaseError(code: 11, text: "damaged")
            }
            let rows = try self.connection()
            try rows.transaction { rows throws(DatabaseError) in
                for item in batch {
                    try self.write(item, to: rows, at: now, &outcome)
                }
                try self.deleteAcknowledged(rows)
                try self.reserveNumbers(rows, at: now)
                try self.trim(rows, at: now)
            }
        } catch {
            outcome = self.recover(batch, numbersFrom: first, before, error)
        }
        let placed = self.store.committed(
            outcome.written,
            refused: outcome.refused,
            repeats: outcome.repeats,
            at: now,
            to: self.events
        )
        self.queue.finished(batch)
        self.queue.putBack(outcome.deferred)
        self.cache.keep(placed, of: self.store)
    }

    func write(
        _ item: WriteQueue.Item,
        to rows: RowWriter,
        at now: StoreInstant,
        _ outcome: inout Outcome
    ) throws(DatabaseError) {
        switch item {
        case .change(let change): try self.write(change, to: rows)
        case .operation(let operation):
            if case .logIn(let login, let ticket) = operation,
                !self.store.mayLogIn(login, at: now)
                    || outcome.tokens[login.token, default: login.name] != login.name
            {
                outcome.refused.append((ticket, .tokenTaken))
                return
            }
            if self.isRepeat(operation, at: now, &outcome) { return }
            if case .acknowledge(let session, let upTo, _, _) = operation {
                let isReplaced = outcome.names.contains(session.name)
                try self.write(session, upTo: upTo, isReplaced: isReplaced, to: rows)
            }
            if case .logOut(let session, _) = operation, !outcome.names.contains(session.name),
                self.store.isCurrent(session)
            {
                try rows.deleteSession(of: session.name, in: session.realm)
            }
            let number = try self.write(operation, to: rows, at: now)
            if case .logIn(let login, _) = operation {
                outcome.tokens[login.token] = login.name
                outcome.names.insert(login.name)
            }
            outcome.written.append(WrittenOperation(operation: operation, number: number))
        }
    }

    /// - Returns: the number of the first packet that it stores.
    private func write(
        _ operation: StoreOperation,
        to rows: RowWriter,
        at now: StoreInstant
    ) throws(DatabaseError) -> PacketNumber? {
        switch operation {
        case .logIn(let login, _):
            let session = KeptSession(
                digest: login.token,
                ttl: login.tokenTTL.nanosecondsClamped,
                usedAt: now.nanoseconds,
                isDebugServer: login.isDebugServer,
                acknowledges: false
            )
            try rows.insertSession(
                of: login.name,
                in: login.realm,
                session,
                usedAtMicroseconds: now.unixMicroseconds,
                isLogin: true
            )
            return nil
        case .send(let contents, let session, let pool, let key, _):
            let number = self.takeNumbers(1, at: now)
            try rows.insertInbox(number, to: pool, from: session.name, in: session.realm, contents)
            try self.write(key, of: number, from: session, to: rows, at: now)
            return number
        case .sendDirect(let contents, let session, let recipients, let key, _):
            let reply = Reply(recipients: recipients, contents: contents, from: session.name)
            let number = try self.write(reply, in: session.realm, to: rows, at: now)
            try self.write(key, of: number, from: session, to: rows, at: now)
            return number
        case .append(let reply, let realm, _):
            return try self.write(reply, in: realm, to: rows, at: now)
        case .push(let reply, let key, let realm, _):
            let number = try self.write(reply, in: realm, to: rows, at: now)
            if let key, self.store.remembersKeys(in: realm) {
                try rows.insertPushKey(
                    key,
                    in: realm,
                    Array(number..<number + UInt64(reply.recipients.count)),
                    first: number,
                    atMicroseconds: now.unixMicroseconds
                )
            }
            return number
        case .fetched(let packet, let origin, let realm):
            try self.write(origin.key, in: realm, to: rows, at: now)
            if case .reply(let reply) = packet {
                return try self.write(reply, in: realm, to: rows, at: now)
            }
            return try self.write(packet.letters(from: origin, in: realm, at: now), to: rows)
        case .retry(let letter, let contents):
            return try self.write(letter, contents, to: rows, at: now)
        case .acknowledge, .logOut: return nil
        case .endSession(let client, let realm):
            try rows.deleteSession(of: client, in: realm)
            return nil
        case .died(let letter):
            try rows.bury(letter)
            if letter.direction == .toClient, let number = letter.number {
                self.outbox.removed(number)
            }
            return nil
        case .dropped(let number, let client, let realm):
            try self.delete(number, .toClient, rows)
            try rows.addLosses(1, of: client, in: realm)
            return nil
        case .lossesTold(let client, let realm, let count):
            try rows.addLosses(-Int64(clamping: count), of: client, in: realm)
            return nil
        case .consumed(let lane, let number, let reply, _):
            var first: PacketNumber?
            if let reply, let realm = self.store.realm(of: lane.client) {
                first = try self.write(reply, in: realm, to: rows, at: now)
            }
            try rows.delete(number, .toBackend)
            return first
        }
    }

    /// A packet for each recipient, with consecutive numbers.
    private func write(
        _ reply: Reply,
        in realm: RealmID,
        to rows: RowWriter,
        at now: StoreInstant
    ) throws(DatabaseError) -> PacketNumber {
        let first = self.takeNumbers(UInt64(reply.recipients.count), at: now)
        var number = first
        let names: [ClientName] =
            switch reply.recipients {
            case .one(let name): [name]
            case .several(let names): names
            }
        for name in names {
            try rows.insertOutbox(number, for: name, in: realm, from: reply.from, reply.contents)
            self.outbox.inserted(number)
            number += 1
        }
        return first
    }

    private func write(_ change: StoreChange, to rows: RowWriter) throws(DatabaseError) {
        switch change {
        case .removed(let number, let direction): try self.delete(number, direction, rows)
        case .attempted(let number, let attempts): try rows.setAttempts(attempts, on: number)
        case .keyForgotten(let number): try rows.deleteKey(of: number)
        case .letterForgotten(let id): try rows.deleteLetter(id)
        case .pushSettled(let number, let realm, let numbers):
            try rows.pushSettled(number, in: realm, numbers)
        case .sessionUsed(let digest, let time):
            try rows.sessionUsed(digest, atMicroseconds: time.unixMicroseconds)
        }
    }

    // MARK: Numbers

    func takeNumbers(_ count: UInt64, at now: StoreInstant) -> PacketNumber {
        let first = max(self.last + 1, now.unixMicroseconds)
        self.last = first + max(count, 1) - 1
        return first
    }

    /// The file says first which numbers may be given, some time ahead.
    func reserveNumbers(_ rows: RowWriter, at now: StoreInstant) throws(DatabaseError) {
        if self.last > self.reserved {
            let reserved = self.last + Self.numbersReserved
            try rows.setLastNumber(reserved)
            self.reserved = reserved
        }
    }

    /// Once a minute the file forgets what has run out in memory.
    private func trim(_ rows: RowWriter, at now: StoreInstant) throws(DatabaseError) {
        let minute: UInt64 = 60_000_000_000
        guard now.nanoseconds(since: self.trimmedAt) > minute || self.trimmedAt == 0 else { return }
        self.trimmedAt = max(now.nanoseconds, 1)
        let limits = self.store.deadLetterLimits
        try rows.trimDeadLetters(
            olderThan: now.microseconds(before: limits.deadLettersKept.nanosecondsClamped),
            newest: limits.deadLettersMax
        )
        try self.trimKeys(rows, at: now)
    }
}

extension StoreInstant {
    /// The time of day so many nanoseconds ago, in microseconds since 1970; 0 if that is before.
    func microseconds(before age: UInt64) -> UInt64 {
        self.unixMicroseconds > age / 1000 ? self.unixMicroseconds - age / 1000 : 0
    }
}

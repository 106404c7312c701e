/// What a failed commit asks for: the file is made to hold what was answered, and nothing else.
extension DiskWriter {
    func connection() throws(DatabaseError) -> RowWriter {
        if let rows = self.rows { return rows }
        let database = try Database(path: self.folder.database, .writing)
        do throws(DiskStoreError) {
            try Schema.configure(database)
        } catch {
            throw DatabaseError(code: 1, text: error.description)
        }
        let rows = try RowWriter(database, store: self.store)
        if self.index == nil {
            let index = try Database(path: self.folder.database, .reading)
            _ = try index.integer("SELECT count(*) FROM meta")
            self.index = index
        }
        self.rows = rows
        return rows
    }

    /// A commit has failed, and nobody knows how much of it the disk has: takes back what it stored,
    /// writes what has to be written, and refuses the rest.
    ///
    /// On a new connection, because a descriptor whose sync failed once may say yes the next time
    /// without having written. Returns when that is done, however long it takes, unless the file is
    /// damaged or relay ends.
    ///
    /// - Parameter outbox: what the file had before.
    func recover(
        _ batch: [WriteQueue.Item],
        numbersFrom first: PacketNumber,
        _ outbox: OutboxBuckets,
        _ failure: DatabaseError
    ) -> Outcome {
        var failure = failure
        var pause = 10
        var attempts = 0
        while true {
            self.rows = nil
            self.outbox = outbox
            self.reserved = 0
            self.refuse(because: failure, isFirst: attempts == 0)
            attempts += 1
            if failure.isCorrupt || (self.queue.state == .stopping && attempts > 5) {
                return Self.refusedAll(batch)
            }
            do throws(DatabaseError) {
                let outcome = try self.takeBack(batch, numbersFrom: first)
                self.report(.recovered)
                // Where the disk was full there must be room again first, not only the ballast.
                if !failure.isFull, self.hasRoom { self.accept() }
                return outcome
            } catch {
                failure = error
            }
            self.queue.pause(milliseconds: pause)
            pause = min(pause * 2, 1000)
        }
    }

    private func takeBack(
        _ batch: [WriteQueue.Item],
        numbersFrom first: PacketNumber
    ) throws(DatabaseError) -> Outcome {
        let now = self.clock()
        let last = self.last
        var outcome = Outcome()
        try self.connection().transaction { rows throws(DatabaseError) in
            if first <= last { try rows.delete(first...last) }
            for item in batch {
                guard case .operation(let operation) = item, operation.mayBeRefused,
                    let ticket = operation.ticket
                else {
                    try self.write(item, to: rows, at: now, &outcome)
                    continue
                }
                outcome.refused.append((ticket, .storeFailed))
                if case .logIn(let login, _) = operation {
                    try self.restoreSession(replacedBy: login, to: rows, at: now)
                }
            }
            try self.reserveNumbers(rows, at: now)
        }
        return outcome
    }

    private func restoreSession(
        replacedBy login: Login,
        to rows: RowWriter,
        at now: StoreInstant
    ) throws(DatabaseError) {
        guard let session = self.store.keptSession(of: login.name, in: login.realm) else {
            try rows.deleteSession(of: login.name, in: login.realm)
            return
        }
        let age = now.nanoseconds(since: session.usedAt) / 1000
        try rows.insertSession(
            of: login.name,
            in: login.realm,
            session,
            usedAtMicroseconds: now.unixMicroseconds > age ? now.unixMicroseconds - age : 0,
            isLogin: false
        )
    }

    /// Nothing of a batch will ever be written; what had to be stays as it was before.
    private static func refusedAll(_ batch: [WriteQueue.Item]) -> Outcome {
        var outcome = Outcome()
        for case .operation(let operation) in batch {
            if let ticket = operation.ticket { outcome.refused.append((ticket, .storeFailed)) }
        }
        return outcome
    }

    private func refuse(because failure: DatabaseError, isFirst: Bool) {
        // The log speaks of what is so already.
        if failure.isCorrupt {
            let isNew = self.queue.state != .broken
            self.queue.become(.broken)
            if isNew { self.report(.damaged(path: self.folder.database, failure.description)) }
            return
        }
        if failure.isFull { self.folder.freeBallast() }
        self.queue.become(.refusing)
        if isFirst { self.report(.failed(failure.description)) }
    }

    /// Appends are taken again, and loops send and fetch again.
    private func accept() {
        guard self.queue.state == .refusing else { return }
        self.queue.become(.writing)
        var effects = Effects()
        effects.append(.repliesAccepted)
        self.store.publish(&effects, to: self.events)
    }

    // MARK: Room

    /// Whether the disk has the reserve left, or does not say.
    private var hasRoom: Bool {
        guard let free = self.folder.freeBytes else { return true }
        return free >= UInt64(clamping: self.settings.reserveBytes)
    }

    /// Refuses before the disk is full, and accepts when there is twice the reserve again.
    func lookForRoom() {
        let now = self.clock().nanoseconds
        guard now > self.roomSeenAt &+ 1_000_000_000 || self.roomSeenAt == 0 else { return }
        self.roomSeenAt = max(now, 1)
        self.watchLog()
        guard let free = self.folder.freeBytes else { return }
        let reserve = UInt64(clamping: self.settings.reserveBytes)
        switch self.queue.state {
        case .writing where free < reserve:
            self.queue.become(.refusing)
            self.folder.freeBallast()
            self.report(.full(freeBytes: free))
        case .refusing where free >= reserve &* 2 &+ StoreFolder.ballastSize:
            self.folder.makeBallast()
            self.accept()
            self.report(.roomAgain(freeBytes: free))
        default: break
        }
    }

    /// Says so once when the log has grown large, and again when it has been small meanwhile.
    private func watchLog() {
        let bytes = self.folder.logBytes
        let isLarge = bytes > self.settings.logBytesMax
        defer { self.isLogLarge = isLarge }
        guard isLarge, !self.isLogLarge else { return }
        self.report(.logGrows(path: self.folder.database + "-wal", bytes: bytes))
    }
}

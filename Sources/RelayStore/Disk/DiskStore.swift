import Synchronization

/// What is said about a disk store in relay.yaml.
package struct DiskSettings: Sendable, Equatable {
    /// The folder.
    package var path: String

    /// New packets are refused when the disk has fewer bytes left.
    package var reserveBytes = 16 << 20

    /// Bytes of the newest packets that stay in memory.
    package var cacheBytes = 64 << 20

    /// How large the log beside the file may become before that is said.
    ///
    /// It is written into the file at 16 MiB, and cut to 64; it grows while somebody reads the file in one
    /// transaction.
    var logBytesMax = 128 << 20

    /// A store in this folder, with the defaults.
    package init(path: String) {
        self.path = path
    }
}

/// What a disk store has to say, for the log.
package enum DiskEvent: Sendable {
    /// A commit failed, with SQLite's words; new packets are refused until one succeeds.
    case failed(String)
    /// What the failed commit left is cleared up.
    case recovered
    /// New packets are refused because the disk has only so much left.
    case full(freeBytes: UInt64)
    /// There is room again.
    case roomAgain(freeBytes: UInt64)
    /// The log beside the file is this large, because somebody has a transaction open on it.
    case logGrows(path: String, bytes: Int)
    /// The file is damaged; nothing is written any more.
    case damaged(path: String, String)
    /// A packet is not what was written; it became a dead letter.
    case damagedPacket(PacketNumber)
    /// Packets cannot be read, with SQLite's words; it is tried again.
    case readFailed(String)
}

/// A journal in SQLite files: what was answered was synced first, and survives kill -9.
///
/// Open it, make a `PacketStore` with it, `restore` that, then `start`. Until then it refuses
/// everything. From any thread but for those.
package final class DiskStore: Journal {
    private struct Threads: Sendable {
        let writer: DiskWriter
        let reader: PacketReader
    }

    private let settings: DiskSettings
    let folder: StoreFolder
    let queue = WriteQueue()
    private let clock: @Sendable () -> StoreInstant
    let report: @Sendable (DiskEvent) -> Void
    private let threads = Mutex<Threads?>(nil)

    /// The numbers that stood in the store when it was opened.
    private let found = Mutex(FoundNumbers())

    /// Opens the store in the folder, which is made if there is none; nobody else may have it open.
    ///
    /// - Parameters:
    ///   - clock: read on the threads of the store.
    ///   - report: called on the threads of the store.
    package init(
        _ settings: DiskSettings,
        clock: @escaping @Sendable () -> StoreInstant,
        report: @escaping @Sendable (DiskEvent) -> Void
    ) throws(DiskStoreError) {
        self.settings = settings
        self.clock = clock
        self.report = report
        self.folder = try StoreFolder(path: settings.path)
        try Schema.prepare(try self.open())
    }

    /// Puts everything that is stored into `store`, which is empty and has this journal.
    package func restore(_ store: PacketStore) throws(DiskStoreError) {
        let database = try self.open()
        do throws(DatabaseError) {
            var loading = Loading(database, into: store, at: self.clock())
            try loading.run()
            let found = loading.found
            store.restoreNumbers(upTo: found.last)
            self.found.withLock { $0 = found }
        } catch {
            throw .database(error)
        }
    }

    /// Begins to write.
    package func start(_ store: PacketStore, events: any StoreEvents) {
        let threads = self.prepare(store, events: events)
        threads.writer.start()
        threads.reader.start()
    }

    /// Begins to write without threads: `turn` does what they would do.
    ///
    /// For a simulation, which has one thread for everything.
    package func startInTurns(_ store: PacketStore, events: any StoreEvents) {
        _ = self.prepare(store, events: events)
    }

    /// Reads one packet that has to be read, and commits one batch of what waits; false if there is
    /// nothing to do.
    package func turn() -> Bool {
        guard let threads = self.threads.withLock({ $0 }) else { return false }
        let hasRead = threads.reader.turn()
        return threads.writer.turn() || hasRead
    }

    private func prepare(_ store: PacketStore, events: any StoreEvents) -> Threads {
        self.folder.makeBallast()
        // The store may have seen a clock that was ahead.
        var found = self.found.withLock { $0 }
        found.last = max(found.last, store.numbers.newest)
        let writer = DiskWriter(
            queue: self.queue,
            folder: self.folder,
            store: store,
            events: events,
            settings: self.settings,
            found: found,
            clock: self.clock,
            report: self.report
        )
        let reader = PacketReader(
            path: self.folder.database,
            store: store,
            events: events,
            clock: self.clock,
            report: self.report
        )
        let threads = Threads(writer: writer, reader: reader)
        self.threads.withLock { $0 = threads }
        return threads
    }

    /// Writes what waits, and ends.
    package func stop() {
        let threads = self.threads.withLock { threads in
            defer { threads = nil }
            return threads
        }
        threads?.reader.stop()
        threads?.writer.stop()
        self.folder.unlock()
    }

    // MARK: Journal

    package func write(_ operation: StoreOperation) -> JournalAnswer { self.queue.add(operation) }

    package func record(_ changes: [StoreChange]) { self.queue.add(changes) }

    package func read(_ effects: [Effect]) {
        self.threads.withLock { $0?.reader }?.read(effects)
    }

    package var acceptsReplies: Bool { self.queue.state == .writing }

    private func open() throws(DiskStoreError) -> Database {
        let isNew = !self.folder.hasDatabase
        let database: Database
        do throws(DatabaseError) {
            database = try Database(path: self.folder.database, .writing)
        } catch {
            throw .database(error)
        }
        if isNew { self.folder.keepDatabasePrivate() }
        try Schema.configure(database)
        return database
    }
}

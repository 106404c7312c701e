import DequeModule
import RelayObservation
import Synchronization

/// The thread that reads packets which are not in memory, and hands them out.
///
/// `@unchecked Sendable`: `read` and `stop` may be called from any thread, and touch only what is locked;
/// everything mutable besides belongs to the thread.
final class PacketReader: @unchecked Sendable {
    private struct Waiting: Sendable {
        var effects: Deque<Effect> = []
        var isStopping = false
    }

    private let waiting = Mutex(Waiting())
    private let wake = WriterWake()
    private let finished = WriterWake()
    private let path: String
    private let store: PacketStore
    private let events: any StoreEvents
    private let clock: @Sendable () -> StoreInstant
    private let report: @Sendable (DiskEvent) -> Void

    /// Set before the thread begins.
    private var hasThread = false

    /// Nil until something is to be read, and after a failure.
    private var connection: Connection?
    private var isFailing = false

    /// A reader that is not running.
    init(
        path: String,
        store: PacketStore,
        events: any StoreEvents,
        clock: @escaping @Sendable () -> StoreInstant,
        report: @escaping @Sendable (DiskEvent) -> Void
    ) {
        self.path = path
        self.store = store
        self.events = events
        self.clock = clock
        self.report = report
    }

    /// Begins, on a thread of its own; otherwise whoever calls `turn` is the thread.
    func start() {
        self.hasThread = true
        Writer.start(named: "store reader") {
            self.run()
            self.finished.signal()
        }
    }

    /// Ends the thread; what waits is not read any more.
    func stop() {
        self.waiting.withLock { $0.isStopping = true }
        if self.hasThread {
            self.wake.signal()
            self.finished.wait()
        } else {
            self.connection = nil
        }
    }

    /// Reads the packets of these effects, in this order.
    func read(_ effects: [Effect]) {
        self.waiting.withLock { $0.effects.append(contentsOf: effects) }
        self.wake.signal()
    }

    private func run() {
        while true {
            self.wake.wait()
            while self.turn() {
                if self.isFailing { self.wake.wait(milliseconds: 1000) }
            }
            if self.waiting.withLock({ $0.isStopping }) { break }
        }
        self.connection = nil
    }

    /// Reads and hands out the first packet that waits, which stays the first if that fails; false if
    /// none waits.
    func turn() -> Bool {
        let effect = self.waiting.withLock { $0.isStopping ? nil : $0.effects.popFirst() }
        guard let effect else { return false }
        do throws(DatabaseError) {
            self.handOut(effect, try self.open().contents(of: effect))
            self.isFailing = false
        } catch {
            self.connection = nil
            if !self.isFailing { self.report(.readFailed(error.description)) }
            self.isFailing = true
            // Nobody else may have the packet meanwhile.
            self.waiting.withLock { $0.effects.prepend(effect) }
        }
        return true
    }

    private func open() throws(DatabaseError) -> Connection {
        if let connection = self.connection { return connection }
        let connection = try Connection(path: self.path)
        self.connection = connection
        return connection
    }

    /// - Parameter contents: nil if the row is damaged.
    private func handOut(_ effect: Effect, _ contents: PacketContents?) {
        var effects = Effects()
        if let contents {
            effects.append(effect.with(contents))
        } else {
            if let number = effect.packet?.number { self.report(.damagedPacket(number)) }
            self.store.packetDamaged(effect, at: self.clock(), &effects)
        }
        self.store.publish(&effects, to: self.events)
    }

    /// What the thread reads with.
    private struct Connection {
        let outbox: Statement
        let inbox: Statement

        init(path: String) throws(DatabaseError) {
            let database = try Database(path: path, .reading)
            try database.execute("PRAGMA query_only=1; PRAGMA mmap_size=0")
            self.outbox = try database.prepare(
                "SELECT client, crc, head, body FROM outbox WHERE seq = ?"
            )
            self.inbox = try database.prepare(
                "SELECT client, crc, head, body FROM inbox WHERE seq = ?"
            )
        }

        /// The contents of the packet; nil if the row is gone or is not what was written.
        func contents(of effect: Effect) throws(DatabaseError) -> PacketContents? {
            guard let number = effect.packet?.number else { return nil }
            let statement = if case .deliver = effect { self.outbox } else { self.inbox }
            defer { statement.reset() }
            try statement.bind(1, number)
            guard try statement.step() else { return nil }
            var bytes = statement.bytes(2)
            let headerCount = bytes.count
            bytes += statement.bytes(3)
            let contents = PacketContents(bytes: bytes, headerCount: headerCount)
            let checksum = Checksum.ofRow(client: statement.integer(0), number: number, contents)
            return Int64(checksum) == statement.integer(1) ? contents : nil
        }
    }
}

extension Effect {
    /// The packet that it hands out.
    fileprivate var packet: Packet? {
        switch self {
        case .deliver(let delivery): delivery.packet
        case .send(let send): send.packet
        default: nil
        }
    }

    /// The same with a packet that has its bytes.
    fileprivate func with(_ contents: PacketContents) -> Effect {
        switch self {
        case .deliver(let delivery):
            .deliver(
                Delivery(
                    ticket: delivery.ticket,
                    client: delivery.client,
                    packet: delivery.packet.with(contents),
                    needsAcknowledgement: delivery.needsAcknowledgement,
                    more: delivery.more,
                    lost: delivery.lost
                )
            )
        case .send(let send):
            .send(
                LaneSend(loop: send.loop, lane: send.lane, packet: send.packet.with(contents))
            )
        default: self
        }
    }
}

extension Packet {
    fileprivate func with(_ contents: PacketContents) -> Packet {
        Packet(
            number: self.number,
            contents: contents,
            from: self.from,
            storedAtNanoseconds: self.storedAtNanoseconds,
            attempts: self.attempts,
            isRedelivered: self.isRedelivered
        )
    }
}

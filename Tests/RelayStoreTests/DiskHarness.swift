import Glibc
import RelayObservation
import Synchronization
import Testing

@testable import RelayStore

/// A store on disk in a folder of its own, opened again and again, and what loops heard of it.
final class DiskHarness: Sendable {
    let path: String
    private let opened: Mutex<Opened?>
    private let realmSettings: RealmSettings

    /// One life of the store.
    struct Opened: Sendable {
        let disk: DiskStore
        let store: PacketStore
        let heard: Heard
    }

    init(
        folder: String = "relay-store",
        realm: RealmSettings = RealmSettings(),
        _ change: (inout DiskSettings) -> Void = { _ in }
    ) throws {
        self.realmSettings = realm
        var template = Array("/tmp/\(folder)-XXXXXX".utf8CString)
        let isMade = unsafe template.withUnsafeMutableBufferPointer { buffer in
            guard let start = buffer.baseAddress else { return false }
            return unsafe mkdtemp(start) != nil
        }
        #expect(isMade)
        self.path = String(
            decoding: template.dropLast().map { UInt8(bitPattern: $0) },
            as: UTF8.self
        )
        var settings = DiskSettings(path: self.path)
        settings.reserveBytes = 0
        change(&settings)
        self.opened = Mutex(try Self.open(settings))
    }

    deinit {
        for name in ["relay.db", "relay.db-wal", "relay.db-shm", "lock", "ballast"] {
            unsafe unlink("\(self.path)/\(name)")
        }
        unsafe rmdir(self.path)
    }

    var store: PacketStore { self.life.store }
    var heard: Heard { self.life.heard }
    var disk: DiskStore { self.life.disk }
    var realm: RealmID { self.store.realm(named: "app", settings: self.realmSettings) }
    var pool: PoolID { self.store.pool(named: "backend", limits: InboxLimits()) }
    var now: StoreInstant { Self.clock() }

    /// Ends the store in order and opens it again.
    func reopen(_ change: (inout DiskSettings) -> Void = { _ in }) throws {
        var settings = DiskSettings(path: self.path)
        settings.reserveBytes = 0
        change(&settings)
        self.disk.stop()
        // The lock goes with the last reference.
        let settled = settings
        try self.opened.withLock { opened in
            opened = nil
            opened = try Self.open(settled)
        }
    }

    private var life: Opened {
        guard let life = self.opened.withLock({ $0 }) else {
            preconditionFailure("the store is closed")
        }
        return life
    }

    // MARK: Operations, each with its answer

    func logIn(_ name: String, token: String? = nil) throws -> Session {
        let token = Array((token ?? "token of \(name)").utf8)
        let login = Login(
            realm: self.realm,
            name: StoreHarness.name(name),
            token: token,
            tokenTTL: .seconds(3600),
            isDebugServer: false
        )
        let answer = self.answer { self.store.logIn(login, ticket: $0, at: self.now, &$1) }
        guard case .loggedIn = answer else { throw HarnessError.noSession(name) }
        return try self.session(name)
    }

    func logOut(_ session: Session) -> Effect {
        self.answer { self.store.logOut(session, ticket: $0, &$1) }
    }

    func session(_ name: String) throws -> Session {
        let token = Array("token of \(name)".utf8)
        let session = self.store.session(forToken: token.span, in: self.realm, at: self.now)
        return try session ?? { throw HarnessError.noSession(name) }()
    }

    func send(_ text: String, from session: Session, key: String? = nil) -> Effect {
        self.heard.answer(to: self.beginToSend(text, from: session, key: key))
    }

    /// The same without waiting for the answer.
    func beginToSend(_ text: String, from session: Session, key: String? = nil) -> Ticket {
        let ticket = self.heard.nextTicket()
        var effects = Effects()
        _ = self.store.send(
            StoreHarness.contents(text),
            from: session,
            to: self.pool,
            key: key.flatMap(StoreHarness.key),
            ticket: ticket,
            at: self.now,
            &effects
        )
        self.heard.add(&effects)
        return ticket
    }

    func append(_ text: String, for names: [String]) -> Effect {
        self.answer {
            self.store.append(
                StoreHarness.reply(text, for: names),
                in: self.realm,
                ticket: $0,
                at: self.now,
                &$1
            )
        }
    }

    /// The same without waiting for the answer.
    func beginToAppend(_ text: String, for names: [String]) -> Ticket {
        let ticket = self.heard.nextTicket()
        var effects = Effects()
        _ = self.store.append(
            StoreHarness.reply(text, for: names),
            in: self.realm,
            ticket: ticket,
            at: self.now,
            &effects
        )
        self.heard.add(&effects)
        return ticket
    }

    func push(_ text: String, for names: [String], key: String? = nil) -> Effect {
        self.heard.answer(to: self.beginToPush(text, for: names, key: key))
    }

    /// The same without waiting for the answer.
    func beginToPush(_ text: String, for names: [String], key: String? = nil) -> Ticket {
        let ticket = self.heard.nextTicket()
        var effects = Effects()
        _ = self.store.push(
            StoreHarness.reply(text, for: names),
            key: key.flatMap(StoreHarness.key),
            in: self.realm,
            ticket: ticket,
            at: self.now,
            &effects
        )
        self.heard.add(&effects)
        return ticket
    }

    /// A packet that a backend gave with a key, for a client or for nobody.
    ///
    /// - Returns: whether it was stored, or became a dead letter, now.
    func fetched(_ text: String, key: String, for name: String?) -> Bool {
        let reply = StoreHarness.reply(text, for: [name ?? "nobody"], from: nil)
        let packet: FetchedPacket =
            name == nil ? .unusable(reply.contents, .noRecipient, for: nil) : .reply(reply)
        var effects = Effects()
        let before = self.store.statistics()
        _ = self.store.fetched(
            packet,
            FetchOrigin(
                key: FetchKey(pool: self.pool, text: Array(key.utf8)),
                target: 0,
                loop: 0
            ),
            in: self.realm,
            at: self.now,
            &effects
        )
        self.heard.add(&effects)
        self.heard.waitForFetched(key)
        let after = self.store.statistics()
        return after.waitingForClients != before.waitingForClients
            || after.deadLetters != before.deadLetters
    }

    /// How many rows a table has, of which something holds if that is said.
    func rows(in table: String, _ condition: String = "true") throws -> Int64? {
        try Database(path: "\(self.path)/relay.db", .reading)
            .integer("SELECT count(*) FROM \(table) WHERE \(condition)")
    }

    func poll(_ name: String, acknowledging number: PacketNumber) throws -> Effect {
        let session = try self.session(name)
        return self.answer {
            self.store.poll(
                session,
                acknowledging: number,
                ticket: $0,
                mayHold: false,
                at: self.now,
                &$1
            )
        }
    }

    /// The texts that a client gets, one poll after the other, each proven.
    func received(by session: Session) -> [String] {
        var texts: [String] = []
        while true {
            let answer = self.answer {
                self.store.poll(session, ticket: $0, mayHold: false, at: self.now, &$1)
                return .done
            }
            guard case .deliver(let delivery) = answer else { return texts }
            texts.append(delivery.packet.contents.text)
            var effects = Effects()
            self.store.deliveryProven(
                delivery.client,
                delivery.packet.number,
                ticket: delivery.ticket,
                at: self.now,
                &effects
            )
        }
    }

    /// Takes up all lanes.
    func adoptLanes() {
        var effects = Effects()
        for shard in 0..<PacketStore.shardCount {
            self.store.adoptLanes(of: self.pool, shard: shard, loop: 0, at: self.now, &effects)
        }
        self.heard.add(&effects)
    }

    /// The backend will not have it: a dead letter.
    func reject(_ send: LaneSend) {
        var effects = Effects()
        self.store.rejected(
            send.lane,
            send.packet.number,
            reason: .rejected(status: 410),
            loop: send.loop,
            at: self.now,
            &effects
        )
        self.heard.add(&effects)
    }

    /// An attempt failed, and counts.
    func fail(_ send: LaneSend) {
        var effects = Effects()
        self.store.attemptFailed(
            send.lane,
            send.packet.number,
            isCounted: true,
            loop: send.loop,
            at: self.now,
            &effects
        )
        self.heard.add(&effects)
    }

    /// Takes up all lanes, and consumes what they send until they are empty.
    func consumed() -> [String] {
        self.adoptLanes()
        var texts: [String] = []
        for _ in 0..<self.store.backlog(of: self.pool).packets {
            let send = self.heard.nextSend()
            texts.append(send.packet.contents.text)
            self.consume(send)
        }
        return texts
    }

    func consume(_ send: LaneSend, reply: Reply? = nil) {
        var effects = Effects()
        _ = self.store.consumed(
            send.lane,
            send.packet.number,
            reply: reply,
            loop: send.loop,
            at: self.now,
            &effects
        )
        self.heard.add(&effects)
    }

    private func answer(_ body: (Ticket, inout Effects) -> Progress) -> Effect {
        let heard = self.heard
        let ticket = heard.nextTicket()
        var effects = Effects()
        _ = body(ticket, &effects)
        heard.add(&effects)
        return heard.answer(to: ticket)
    }

    private static func open(_ settings: DiskSettings) throws -> Opened {
        let heard = Heard()
        let disk = try DiskStore(settings, clock: Self.clock) { heard.add($0) }
        let store = PacketStore(limits: StoreLimits(), now: Self.clock(), journal: disk)
        try disk.restore(store)
        disk.start(store, events: heard)
        return Opened(disk: disk, store: store, heard: heard)
    }

    static let clock: @Sendable () -> StoreInstant = {
        var time = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &time)
        let microseconds = UInt64(time.tv_sec) * 1_000_000 + UInt64(time.tv_nsec) / 1000
        return StoreInstant(nanoseconds: microseconds * 1000, unixMicroseconds: microseconds)
    }
}

/// What loops heard, kept until a test asks.
final class Heard: StoreEvents {
    private struct State: Sendable {
        var answers: [UInt64: Effect] = [:]
        var sends: [LaneSend] = []
        var events: [DiskEvent] = []
        var others: [Effect] = []
        var lastTicket: UInt64 = 0
    }

    private let state = Mutex(State())
    private let wake = WriterWake()

    func nextTicket() -> Ticket {
        self.state.withLock { state in
            state.lastTicket += 1
            return Ticket(loop: 0, handle: state.lastTicket)
        }
    }

    func committed(_ effects: [Effect], loop: UInt16?) {
        for effect in effects { self.add(effect) }
    }

    func add(_ effects: inout Effects) {
        while let effect = effects.next() { self.add(effect) }
    }

    func add(_ event: DiskEvent) {
        self.state.withLock { $0.events.append(event) }
        self.wake.signal()
    }

    var events: [DiskEvent] { self.state.withLock { $0.events } }

    private func add(_ effect: Effect) {
        self.state.withLock { state in
            switch effect {
            case .loggedIn(let ticket), .stored(let ticket, _), .refused(let ticket, _),
                .answerEmpty(let ticket, _, _), .duplicate(let ticket), .loggedOut(let ticket):
                state.answers[ticket.handle] = effect
            case .pushed(let ticket, _, _): state.answers[ticket.handle] = effect
            case .deliver(let delivery): state.answers[delivery.ticket.handle] = effect
            case .send(let send): state.sends.append(send)
            default: state.others.append(effect)
            }
        }
        self.wake.signal()
    }

    func answer(to ticket: Ticket) -> Effect {
        self.wait { $0.answers.removeValue(forKey: ticket.handle) }
    }

    func nextSend() -> LaneSend {
        self.wait { $0.sends.isEmpty ? nil : $0.sends.removeFirst() }
    }

    func waitForFetched(_ key: String) {
        _ = self.wait { state in
            let index = state.others.firstIndex {
                if case .fetched(let origin, _) = $0 {
                    origin.key.text == Array(key.utf8)
                } else {
                    false
                }
            }
            return index.map { state.others.remove(at: $0) }
        }
    }

    /// The number that a dead letter has as a packet.
    func retried(_ id: UInt64) -> PacketNumber {
        self.wait { state in
            for case .retried(id, let number) in state.others { return number }
            return nil
        }
    }

    func waitForEvent(_ isIt: @Sendable (DiskEvent) -> Bool) {
        _ = self.wait { $0.events.contains(where: isIt) ? true : nil }
    }

    private func wait<Value: Sendable>(_ body: (inout State) -> Value?) -> Value {
        for _ in 0..<10_000 {
            if let value = self.state.withLock({ body(&$0) }) { return value }
            self.wake.wait(milliseconds: 10)
        }
        preconditionFailure("the store did not answer within a hundred seconds")
    }
}

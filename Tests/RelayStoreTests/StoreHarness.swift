@testable import RelayStore

/// A store with one realm and one pool, a clock that a test moves, and effects as text.
///
/// Keeps what the effects hand out, by the name that a test gave it: deliveries by ticket, packets
/// to a backend by contents.
final class StoreHarness {
    let store: PacketStore
    let realm: RealmID
    let pool: PoolID
    var now: StoreInstant { didSet { self.folder?.clock.now = self.now } }

    /// Where the store is on disk, if it is there.
    private let folder: BackingFolder?

    private(set) var deliveries: [UInt64: Delivery] = [:]
    private(set) var sends: [String: LaneSend] = [:]
    private(set) var numbers: [UInt64: PacketNumber] = [:]
    private(set) var pushed: [UInt64: [PacketNumber]] = [:]

    /// What each answer without a packet told.
    private var losses: [UInt64: LossNotice] = [:]

    /// The number of each packet that was delivered; 0 for none.
    private(set) var deliveredNumbers: [String: PacketNumber] = [:]
    private var effects = Effects()
    private var lastTicket: UInt64 = 1000

    init(
        on backing: Backing = .memory,
        _ settings: RealmSettings = RealmSettings(),
        inbox: InboxLimits = InboxLimits(),
        limits: StoreLimits = StoreLimits(),
        journal: (any Journal)? = nil
    ) {
        let now = StoreInstant(
            nanoseconds: 1_000_000_000,
            unixMicroseconds: 1_700_000_000_000_000
        )
        self.now = now
        do {
            self.folder = backing == .disk ? try BackingFolder(now: now) : nil
        } catch {
            preconditionFailure("a store can be made: \(error)")
        }
        self.store = PacketStore(limits: limits, now: now, journal: journal ?? self.folder?.disk)
        if let folder = self.folder { folder.disk.start(self.store, events: folder) }
        self.realm = self.store.realm(named: "app", settings: settings)
        self.pool = self.store.pool(named: "backend", limits: inbox)
    }

    func advance(milliseconds: UInt64) {
        self.now.nanoseconds += milliseconds * 1_000_000
        self.now.unixMicroseconds += milliseconds * 1000
    }

    // MARK: Operations, each with what followed from it

    func logIn(
        _ name: String,
        token: String? = nil,
        ttl: Duration = .seconds(3600),
        isDebugServer: Bool = false,
        ticket: UInt64 = 0
    ) -> [String] {
        let login = Login(
            realm: self.realm,
            name: Self.name(name),
            token: Array((token ?? "token of \(name)").utf8),
            tokenTTL: ttl,
            isDebugServer: isDebugServer
        )
        return self.effects {
            _ = self.store.logIn(login, ticket: Self.ticket(ticket), at: self.now, &$0)
        }
    }

    func session(_ token: String) -> Session? {
        self.store.session(forToken: Array(token.utf8).span, in: self.realm, at: self.now)
    }

    /// Logs in and gives the session.
    func login(
        _ name: String,
        ttl: Duration = .seconds(3600),
        isDebugServer: Bool = false
    ) throws
        -> Session
    {
        _ = self.logIn(name, ttl: ttl, isDebugServer: isDebugServer)
        return try self.session("token of \(name)") ?? { throw HarnessError.noSession(name) }()
    }

    func send(
        _ text: String,
        from session: Session,
        to pool: PoolID? = nil,
        key: String? = nil,
        ticket: UInt64 = 0,
        loop: UInt16 = 0
    ) -> [String] {
        self.effects {
            _ = self.store.send(
                Self.contents(text),
                from: session,
                to: pool ?? self.pool,
                key: key.flatMap(Self.key),
                ticket: Ticket(loop: loop, handle: ticket),
                at: self.now,
                &$0
            )
        }
    }

    func send(
        _ text: String,
        from session: Session,
        to names: [String],
        key: String? = nil,
        ticket: UInt64 = 0
    )
        -> [String]
    {
        self.effects {
            _ = self.store.send(
                Self.contents(text),
                from: session,
                to: Self.recipients(names),
                key: key.flatMap(Self.key),
                ticket: Self.ticket(ticket),
                at: self.now,
                &$0
            )
        }
    }

    func append(
        _ text: String,
        for names: [String],
        from sender: String? = nil,
        ticket: UInt64 = 0
    )
        -> [String]
    {
        self.effects {
            _ = self.store.append(
                Self.reply(text, for: names, from: sender),
                in: self.realm,
                ticket: Self.ticket(ticket),
                at: self.now,
                &$0
            )
        }
    }

    func push(
        _ text: String,
        for names: [String],
        key: String? = nil,
        ticket: UInt64 = 0,
        loop: UInt16 = 0
    ) -> [String] {
        self.effects {
            _ = self.store.push(
                Self.reply(text, for: names),
                key: key.flatMap(Self.key),
                in: self.realm,
                ticket: Ticket(loop: loop, handle: ticket),
                at: self.now,
                &$0
            )
        }
    }

    /// A packet with a key for a client, or for nobody.
    func fetched(
        _ text: String,
        key: String,
        for name: String?,
        pool: PoolID? = nil,
        target: Int = 0
    ) -> [String] {
        let reply = Self.reply(text, for: [name ?? "nobody"], from: nil)
        let packet: FetchedPacket =
            name == nil ? .unusable(reply.contents, .noRecipient, for: nil) : .reply(reply)
        let key = FetchKey(pool: pool ?? self.pool, text: Array(key.utf8))
        return self.effects {
            _ = self.store.fetched(
                packet,
                FetchOrigin(key: key, target: target, loop: 0),
                in: self.realm,
                at: self.now,
                &$0
            )
        }
    }

    func logOut(_ session: Session, ticket: UInt64 = 0) -> [String] {
        self.effects { _ = self.store.logOut(session, ticket: Self.ticket(ticket), &$0) }
    }

    func endSession(of name: String, in realm: RealmID? = nil) -> [String] {
        self.effects {
            _ = self.store.endSession(of: Self.name(name), in: realm ?? self.realm, &$0)
        }
    }

    func poll(
        _ session: Session,
        acknowledging text: String? = nil,
        ticket: UInt64,
        mayHold: Bool = true
    ) -> [String] {
        self.poll(
            session,
            upTo: text.map { self.deliveredNumbers[$0, default: 0] },
            ticket: ticket,
            mayHold: mayHold
        )
    }

    func poll(
        _ session: Session,
        upTo number: PacketNumber?,
        ticket: UInt64,
        mayHold: Bool = true
    ) -> [String] {
        self.effects {
            self.store.poll(
                session,
                acknowledging: number,
                ticket: Self.ticket(ticket),
                mayHold: mayHold,
                at: self.now,
                &$0
            )
        }
    }

    func pollEnded(_ session: Session, ticket: UInt64) -> Bool {
        self.store.pollEnded(session.client, ticket: Self.ticket(ticket))
    }

    /// The answer without a packet on a ticket has arrived.
    func told(_ session: Session, ticket: UInt64) -> [String] {
        self.effects {
            self.store.lossesTold(session.client, upTo: self.losses[ticket]?.upTo ?? 0, &$0)
        }
    }

    /// What becomes of the delivery on a ticket.
    enum End { case proven, failed, returned }

    func end(_ ticket: UInt64, _ end: End) throws -> [String] {
        let delivery = try self.deliveries[ticket] ?? { throw HarnessError.noDelivery(ticket) }()
        let number = delivery.packet.number
        return self.effects {
            switch end {
            case .proven:
                self.store.deliveryProven(
                    delivery.client,
                    number,
                    ticket: delivery.ticket,
                    at: self.now,
                    &$0
                )
            case .failed:
                self.store.deliveryFailed(
                    delivery.client,
                    number,
                    ticket: delivery.ticket,
                    at: self.now,
                    &$0
                )
            case .returned:
                self.store.deliveryReturned(
                    delivery.client,
                    number,
                    ticket: delivery.ticket,
                    at: self.now,
                    &$0
                )
            }
        }
    }

    /// Calls an operation on the lane on which `text` was sent last.
    func lane(
        of text: String,
        _ body: (PacketStore, LaneSend, StoreInstant, inout Effects) -> Void
    ) throws -> [String] {
        let send = try self.sends[text] ?? { throw HarnessError.notSent(text) }()
        return self.effects { body(self.store, send, self.now, &$0) }
    }

    func consumed(_ text: String, reply: Reply? = nil) throws -> [String] {
        try self.lane(of: text) { store, send, now, effects in
            _ = store.consumed(
                send.lane,
                send.packet.number,
                reply: reply,
                loop: send.loop,
                at: now,
                &effects
            )
        }
    }

    func attemptFailed(_ text: String, isCounted: Bool = true) throws -> [String] {
        try self.lane(of: text) { store, send, now, effects in
            store.attemptFailed(
                send.lane,
                send.packet.number,
                isCounted: isCounted,
                loop: send.loop,
                at: now,
                &effects
            )
        }
    }

    func nextAttempt(_ text: String) throws -> [String] {
        try self.lane(of: text) { store, send, now, effects in
            store.nextAttempt(send.lane, loop: send.loop, at: now, &effects)
        }
    }

    func adoptLanes(of pool: PoolID? = nil, loop: UInt16 = 0) -> [String] {
        self.effects { effects in
            for shard in 0..<PacketStore.shardCount {
                self.store.adoptLanes(
                    of: pool ?? self.pool,
                    shard: shard,
                    loop: loop,
                    at: self.now,
                    &effects
                )
            }
        }
    }

    func sweep() -> [String] {
        self.effects { effects in
            for shard in 0..<PacketStore.shardCount {
                self.store.sweep(shard: shard, at: self.now, &effects)
            }
        }
    }

    /// The texts that a client gets, one poll after the other, each proven.
    func received(by session: Session) throws -> [String] {
        var texts: [String] = []
        while true {
            self.lastTicket += 1
            _ = self.poll(session, ticket: self.lastTicket, mayHold: false)
            guard let delivery = self.deliveries[self.lastTicket] else { return texts }
            texts.append(delivery.packet.contents.text)
            _ = try self.end(self.lastTicket, .proven)
        }
    }

    // MARK: Values

    static func name(_ text: String) -> ClientName {
        ClientName(Array(text.utf8).span) ?? { preconditionFailure("'\(text)' is no id") }()
    }

    static func key(_ text: String) -> PacketKey? { PacketKey(Array(text.utf8).span) }

    static func recipients(_ names: [String]) -> Recipients {
        names.count == 1 ? .one(Self.name(names[0])) : .several(names.map(Self.name))
    }

    static func reply(_ text: String, for names: [String], from sender: String? = nil) -> Reply {
        Reply(
            recipients: Self.recipients(names),
            contents: Self.contents(text),
            from: sender.map(Self.name)
        )
    }

    static func contents(_ text: String) -> PacketContents {
        PacketContents(bytes: Array(text.utf8), headerCount: 0)
    }

    static func ticket(_ handle: UInt64) -> Ticket { Ticket(loop: 0, handle: handle) }

    private func effects(_ body: (inout Effects) -> Void) -> [String] {
        body(&self.effects)
        var all: [Effect] = []
        while let effect = self.effects.next() { all.append(effect) }
        if let folder = self.folder { all += folder.settled() }
        var texts: [String] = []
        for effect in all {
            switch effect {
            case .deliver(let delivery):
                self.deliveries[delivery.ticket.handle] = delivery
                self.deliveredNumbers[delivery.packet.contents.text] = delivery.packet.number
            case .send(let send): self.sends[send.packet.contents.text] = send
            case .answerEmpty(let ticket, _, let losses): self.losses[ticket.handle] = losses
            case .pushed(let ticket, let numbers, _): self.pushed[ticket.handle] = numbers
            case .stored(let ticket, let number): self.numbers[ticket.handle] = number
            default: break
            }
            texts.append(effect.text)
        }
        return texts
    }
}

enum HarnessError: Error {
    case noFolder
    case noSession(String)
    case noDelivery(UInt64)
    case notSent(String)
}

extension PacketContents {
    /// The body as text.
    var text: String { String(decoding: self.bytes.dropFirst(self.headerCount), as: UTF8.self) }
}

extension Effect {
    /// What it says, without numbers: `deliver 3 'hello' more 0`.
    var text: String {
        switch self {
        case .loggedIn(let ticket): "loggedIn \(ticket.handle)"
        case .loggedOut(let ticket): "loggedOut \(ticket.handle)"
        case .pushed(let ticket, let numbers, let isDuplicate):
            "pushed \(ticket.handle) for \(numbers.count { $0 != 0 }) of \(numbers.count)"
                + (isDuplicate ? " again" : "")
        case .fetched(let origin, let isStored):
            "fetched \(String(decoding: origin.key.text, as: UTF8.self))\(isStored ? " stored" : "")"
        case .stored(let ticket, let number):
            number == 0 ? "stored \(ticket.handle) for nobody" : "stored \(ticket.handle)"
        case .duplicate(let ticket): "duplicate \(ticket.handle)"
        case .refused(let ticket, let refusal): "refused \(ticket.handle) \(refusal)"
        case .deliver(let delivery):
            "deliver \(delivery.ticket.handle) '\(delivery.packet.contents.text)'"
                + " more \(delivery.more)"
                + (delivery.packet.from.map { " from \($0)" } ?? "")
                + (delivery.packet.isRedelivered ? " again" : "")
                + (delivery.lost > 0 ? " lost \(delivery.lost)" : "")
        case .answerEmpty(let ticket, let more, let losses):
            "empty \(ticket.handle) more \(more)" + (losses.map { " lost \($0.count)" } ?? "")
        case .held(let ticket, _): "held \(ticket.handle)"
        case .acknowledged(let loop, let packets): "acknowledged@\(loop) \(packets)"
        case .checkProof(let ticket, _, _): "check \(ticket.handle)"
        case .send(let send):
            "send@\(send.loop) '\(send.packet.contents.text)' attempts \(send.packet.attempts)"
        case .laneIdle(let loop, _): "idle@\(loop)"
        case .died(let letter): "died '\(letter.contents.text)' \(letter.reason)"
        case .dropped(_, let client, _): "dropped from \(client)"
        case .repliesAccepted: "repliesAccepted"
        case .retried(let id, let number): "retried \(id)\(number == 0 ? " in vain" : "")"
        }
    }
}

/// What a store does, in arrays and dictionaries and without a thought for speed or threads.
///
/// Effects are texts (`Effect.text`), with numbers where that has none. What the model leaves out:
/// shards, so that effects of a walk through all clients come in another order; handles, for which
/// it takes ids and pools.
struct StoreModel {
    var now: UInt64 = 0
    var microseconds: UInt64 = 0
    var realms: [Realm] = []
    var inboxes: [Inbox] = []
    var outboxPacketsMax = Int.max
    var outboxBytesMax = Int.max
    var deadLettersMax = 0
    var deadLettersKept: UInt64 = 0

    var clients: [Key: Client] = [:]

    /// What is lost of each client that ever was.
    private(set) var losses: [Key: Losses] = [:]

    /// Up to which loss each answer without a packet told, by its ticket.
    private(set) var notices: [UInt64: Int] = [:]

    private(set) var isFull = false
    private(set) var deadLetters: [(text: String, diedAt: UInt64)] = []
    var effects: [String] = []
    private var deaths: [String] = []
    private var lastNumber: UInt64
    private var lastSession = 0

    struct Realm {
        var ttl: UInt64
        var packetsMax: Int
        var bytesMax: Int
        var drops: Bool
        var strangersMax: Int
        var keysMax = 0
        var window: UInt64 = 0
    }

    struct Inbox {
        var packetsMax: Int
        var bytesMax: Int
    }

    struct Key: Hashable {
        var realm: Int
        var name: String
    }

    struct Packet {
        var number: UInt64
        var text: String
        var storedAt: UInt64
        var from: String?
        var attempts = 0
        var isRedelivered = false
    }

    struct Session {
        var id: Int
        var token: String
        var ttl: UInt64
        var usedAt: UInt64
        var isDebugServer: Bool
        var acknowledges = false
    }

    /// Counts all losses; what a client is not told of in time counts as told.
    struct Losses {
        var total = 0
        var told = 0
        var lastAt: UInt64 = 0
        var carrier: (number: UInt64, upTo: Int)?
        var isKept = false

        var text: String { self.total > self.told ? " lost \(self.total - self.told)" : "" }
    }

    struct Lane {
        var packets: [Packet] = []
        var owner: UInt16?
        var isSending = false
    }

    struct Client {
        var isStranger: Bool
        var session: Session?
        var outbox: [Packet] = []
        var deliveries: [UInt64] = []
        var needsAcknowledgement = false
        var held: [(ticket: UInt64, since: UInt64)] = []
        var lanes: [Int: Lane] = [:]
        var keys: [(key: String, at: UInt64)] = []

        var isDelivering: Bool { !self.deliveries.isEmpty }

        var acknowledges: Bool { self.session?.acknowledges == true }

        var waiting: Int {
            self.outbox.count - (self.isDelivering && !self.needsAcknowledgement ? 1 : 0)
        }
    }

    init(microseconds: UInt64) {
        self.microseconds = microseconds
        self.lastNumber = microseconds - 1
    }

    /// The effects since the last call; what died comes last, as the store tells it.
    mutating func takeEffects() -> [String] {
        defer {
            self.effects = []
            self.deaths = []
        }
        return self.effects + self.deaths
    }

    // MARK: Sessions

    mutating func logIn(
        _ key: Key,
        token: String,
        ttl: UInt64,
        isDebugServer: Bool,
        ticket: UInt64
    ) {
        for (other, client) in self.clients where other != key && other.realm == key.realm {
            if let session = client.session, session.token == token {
                if self.isLive(session) {
                    if self.clients[key] == nil { self.clients[key] = Client(isStranger: false) }
                    self.effects.append("refused \(ticket) tokenTaken")
                    return
                }
                self.endSession(other)
            }
        }
        if self.clients[key] == nil { self.clients[key] = Client(isStranger: false) }
        self.endSession(key)
        self.lastSession += 1
        self.clients[key]?.isStranger = false
        self.clients[key]?.session = Session(
            id: self.lastSession,
            token: token,
            ttl: ttl,
            usedAt: self.now,
            isDebugServer: isDebugServer
        )
        self.effects.append("loggedIn \(ticket)")
    }

    mutating func session(forToken token: String, in realm: Int) -> (Key, Session)? {
        for (key, client) in self.clients where key.realm == realm {
            if let session = client.session, session.token == token, self.isLive(session) {
                self.clients[key]?.session?.usedAt = self.now
                return (key, session)
            }
        }
        return nil
    }

    func mayAddress(_ key: Key, isDebugServer: Bool) -> Bool {
        if isDebugServer { return true }
        guard let session = self.clients[key]?.session else { return false }
        return session.isDebugServer && self.isLive(session)
    }

    private func isLive(_ session: Session) -> Bool { self.now - session.usedAt <= session.ttl }

    func isCurrent(_ key: Key, _ session: Int) -> Bool {
        self.clients[key]?.session?.id == session
    }

    private mutating func endSession(_ key: Key) {
        guard let client = self.clients[key], client.session != nil else { return }
        for poll in client.held { self.answerEmpty(key, poll.ticket, more: client.waiting) }
        self.clients[key]?.session = nil
        self.clients[key]?.held = []
    }

    // MARK: To clients

    mutating func append(_ text: String, in realm: Int, for names: [String], ticket: UInt64) {
        let numbers = names.map { self.store(text, for: Key(realm: realm, name: $0), from: nil) }
        self.stored(ticket, numbers)
    }

    mutating func send(
        _ text: String,
        from key: Key,
        session: Int,
        isDebugServer: Bool,
        to names: [String],
        named packetKey: String?,
        ticket: UInt64
    ) {
        let keys = names.map { Key(realm: key.realm, name: $0) }
        if !self.isCurrent(key, session) {
            self.effects.append("refused \(ticket) sessionEnded")
        } else if self.hasSeen(packetKey, key) {
            self.effects.append("duplicate \(ticket)")
        } else if !keys.allSatisfy({ self.mayAddress($0, isDebugServer: isDebugServer) }) {
            self.effects.append("refused \(ticket) recipientForbidden")
        } else if self.isFull {
            self.effects.append("refused \(ticket) outboxFull")
        } else {
            self.remember(packetKey, key)
            self.stored(ticket, keys.map { self.store(text, for: $0, from: key.name) })
        }
    }

    /// Whether the client has sent a packet with this key lately.
    mutating func hasSeen(_ packetKey: String?, _ key: Key) -> Bool {
        self.expireKeys(key)
        return self.clients[key]?.keys.contains { $0.key == packetKey } ?? false
    }

    mutating func remember(_ packetKey: String?, _ key: Key) {
        let realm = self.realms[key.realm]
        guard let packetKey, realm.window > 0, realm.keysMax > 0 else { return }
        let keys = (self.clients[key]?.keys ?? []) + [(packetKey, self.now)]
        self.clients[key]?.keys = keys.suffix(realm.keysMax)
    }

    private mutating func expireKeys(_ key: Key) {
        let (now, window) = (self.now, self.realms[key.realm].window)
        self.clients[key]?.keys.removeAll { now - $0.at > window }
    }

    mutating func poll(
        _ key: Key,
        session: Int,
        acknowledging number: UInt64?,
        ticket: UInt64,
        mayHold: Bool
    ) {
        guard self.isCurrent(key, session) else {
            self.effects.append("refused \(ticket) sessionEnded")
            return
        }
        if let number { self.acknowledge(key, upTo: number) }
        self.expireOutbox(key)
        guard var client = self.clients[key] else { return }
        if !client.acknowledges, let delivery = client.deliveries.last {
            self.effects.append("check \(delivery) #\(client.outbox[0].number)")
        } else if !client.outbox.isEmpty {
            self.deliver(key, ticket)
            if client.acknowledges { self.serve(key) }
            return
        }
        if mayHold {
            for poll in client.held where self.now - poll.since >= 1_000_000_000 {
                self.answerEmpty(key, poll.ticket, more: client.waiting)
            }
            client.held.removeAll { self.now - $0.since >= 1_000_000_000 }
            if client.held.count == 5 {
                self.answerEmpty(key, client.held.removeFirst().ticket, more: client.waiting)
            }
            client.held.append((ticket, self.now))
            self.effects.append("held \(ticket)")
            self.clients[key] = client
        } else {
            self.answerEmpty(key, ticket, more: client.waiting)
        }
    }

    private mutating func answerEmpty(_ key: Key, _ ticket: UInt64, more: Int) {
        let losses = self.losses[key] ?? Losses()
        self.effects.append("empty \(ticket) more \(more)\(losses.text)")
        self.notices[ticket] = losses.total
    }

    // MARK: Losses

    mutating func lossesTold(_ key: Key, upTo mark: Int) {
        guard let losses = self.losses[key], losses.isKept else { return }
        self.losses[key]?.told = max(losses.told, min(mark, losses.total))
    }

    private mutating func packetsArrived(_ key: Key, upTo number: UInt64) {
        guard let carrier = self.losses[key]?.carrier, carrier.number <= number else { return }
        self.losses[key]?.carrier = nil
        self.lossesTold(key, upTo: carrier.upTo)
    }

    private mutating func countLoss(_ key: Key) {
        self.losses[key, default: Losses()].total += 1
        self.losses[key]?.lastAt = self.now
        self.losses[key]?.isKept = true
    }

    /// Forgets losses that were told, or not asked for as long as a packet waits.
    private mutating func expireLosses(_ key: Key) {
        guard let losses = self.losses[key], let client = self.clients[key] else { return }
        // The store keeps them beside the keys.
        guard client.keys.isEmpty else { return }
        let isOver = client.isStranger || self.now - losses.lastAt > self.realms[key.realm].ttl
        guard losses.total == losses.told || client.session == nil && isOver else { return }
        self.losses[key]?.told = losses.total
        self.losses[key]?.carrier = nil
        self.losses[key]?.isKept = false
    }

    mutating func pollEnded(_ key: Key, ticket: UInt64) -> Bool {
        guard let index = self.clients[key]?.held.firstIndex(where: { $0.ticket == ticket }) else {
            return false
        }
        self.clients[key]?.held.remove(at: index)
        return true
    }

    /// - Parameter isRedelivered: nil if it is proven.
    mutating func deliveryEnded(
        _ key: Key,
        _ number: UInt64,
        ticket: UInt64,
        isRedelivered: Bool?
    ) {
        guard let client = self.clients[key], client.deliveries.contains(ticket),
            client.outbox.first?.number == number
        else { return }
        if isRedelivered == nil, !client.needsAcknowledgement {
            self.removeFirst(key)
            self.packetsArrived(key, upTo: number)
        } else {
            self.clients[key]?.deliveries.removeAll { $0 == ticket }
            if isRedelivered != false { self.clients[key]?.outbox[0].isRedelivered = true }
        }
        self.serve(key)
    }

    private mutating func acknowledge(_ key: Key, upTo number: UInt64) {
        self.clients[key]?.session?.acknowledges = true
        self.packetsArrived(key, upTo: number)
        var packets = 0
        while let first = self.clients[key]?.outbox.first, first.number <= number {
            self.removeFirst(key)
            packets += 1
        }
        if packets > 0 { self.effects.append("acknowledged@0 \(packets)") }
    }

    private mutating func removeFirst(_ key: Key) {
        self.clients[key]?.outbox.removeFirst()
        self.clients[key]?.deliveries = []
        self.packetLeft()
    }

    private mutating func stored(_ ticket: UInt64, _ numbers: [UInt64?]) {
        let first = numbers.compactMap(\.self).first
        self.effects.append(
            first.map { "stored \(ticket) #\($0)" } ?? "stored \(ticket) for nobody"
        )
    }

    @discardableResult
    mutating func store(_ text: String, for key: Key, from sender: String?) -> UInt64? {
        let realm = self.realms[key.realm]
        if self.clients[key] == nil {
            let strangers = self.clients.count { $0.key.realm == key.realm && $0.value.isStranger }
            guard strangers < realm.strangersMax else {
                self.die(text, "unknownClient")
                return nil
            }
            self.clients[key] = Client(isStranger: true)
        }
        self.expireOutbox(key)
        guard let client = self.clients[key] else { return nil }
        let packet = self.packet(text, from: sender)
        let fixed = client.isDelivering ? [client.outbox[0]] : []
        guard self.fits(fixed + [packet], realm) else {
            self.overflow(packet, key)
            return nil
        }
        while let outbox = self.clients[key]?.outbox, !self.fits(outbox + [packet], realm) {
            self.clients[key]?.outbox.remove(at: fixed.count)
            self.packetLeft()
            self.overflow(outbox[fixed.count], key)
        }
        self.clients[key]?.outbox.append(packet)
        self.review()
        self.serve(key)
        return packet.number
    }

    private func fits(_ packets: [Packet], _ realm: Realm) -> Bool {
        packets.count <= realm.packetsMax
            && packets.map(\.text.utf8.count).reduce(0, +) <= realm.bytesMax
    }

    private mutating func overflow(_ packet: Packet, _ key: Key) {
        self.countLoss(key)
        if self.realms[key.realm].drops {
            self.deaths.append("dropped from \(key.name) #\(packet.number)")
        } else {
            self.die(packet.text, "overflow")
        }
    }

    private mutating func serve(_ key: Key) {
        guard let client = self.clients[key], client.acknowledges || !client.isDelivering else {
            return
        }
        self.expireOutbox(key)
        while self.clients[key]?.outbox.isEmpty == false,
            let poll = self.clients[key]?.held.popLast()
        {
            self.deliver(key, poll.ticket)
            if !client.acknowledges { return }
        }
    }

    private mutating func deliver(_ key: Key, _ ticket: UInt64) {
        guard let client = self.clients[key], let packet = client.outbox.first else { return }
        let isRepeated = packet.isRedelivered || client.isDelivering
        if let losses = self.losses[key], !client.acknowledges || !isRepeated {
            self.losses[key]?.carrier = (packet.number, losses.total)
        }
        self.clients[key]?.deliveries.append(ticket)
        self.clients[key]?.needsAcknowledgement =
            client.acknowledges || client.isDelivering && client.needsAcknowledgement
        self.effects.append(
            "deliver \(ticket) '\(packet.text)' more \(client.outbox.count - 1)"
                + (packet.from.map { " from \($0)" } ?? "")
                + (isRepeated ? " again" : "")
                + (self.losses[key]?.text ?? "")
        )
        if !client.acknowledges, !client.held.isEmpty {
            self.effects.append("check \(ticket) #\(packet.number)")
        }
    }

    private mutating func expireOutbox(_ key: Key) {
        guard let client = self.clients[key] else { return }
        let fixed = client.isDelivering ? 1 : 0
        for packet in client.outbox.dropFirst(fixed) where self.isExpired(packet, key) {
            self.clients[key]?.outbox.removeAll { $0.number == packet.number }
            self.packetLeft()
            self.countLoss(key)
            self.die(packet.text, "expired")
        }
    }

    // MARK: Everything

    mutating func sweep() {
        for key in Array(self.clients.keys) {
            if let session = self.clients[key]?.session, !self.isLive(session) {
                self.endSession(key)
            }
            self.expireOutbox(key)
            self.expireKeys(key)
            for pool in self.inboxes.indices {
                _ = self.expireLane(key, pool)
                if let lane = self.clients[key]?.lanes[pool], lane.owner == nil,
                    lane.packets.isEmpty
                {
                    self.clients[key]?.lanes[pool] = nil
                }
            }
            self.expireLosses(key)
            if let client = self.clients[key], self.losses[key]?.isKept != true,
                client.session == nil, client.outbox.isEmpty,
                client.lanes.isEmpty, client.held.isEmpty, client.keys.isEmpty
            {
                self.clients[key] = nil
            }
        }
        self.review()
        self.deadLetters.removeAll { self.now - $0.diedAt > self.deadLettersKept }
        self.deadLetters = self.deadLetters.suffix(self.deadLettersMax)
    }

    /// Takes over which dead letters are kept, if it is as many.
    mutating func reorderDeadLetters(_ texts: [String]) {
        guard texts.count == self.deadLetters.count else { return }
        for index in texts.indices { self.deadLetters[index].text = texts[index] }
    }

    var outboxes: (packets: Int, bytes: Int) {
        let packets = self.clients.values.flatMap(\.outbox)
        return (packets.count, packets.map(\.text.utf8.count).reduce(0, +))
    }

    private mutating func packetLeft() {
        if self.isFull { self.review() }
    }

    private mutating func review() {
        let (packets, bytes) = self.outboxes
        if packets >= self.outboxPacketsMax || bytes >= self.outboxBytesMax { self.isFull = true }
        if self.isFull, packets < self.outboxPacketsMax - self.outboxPacketsMax / 16,
            bytes < self.outboxBytesMax - self.outboxBytesMax / 16
        {
            self.isFull = false
            self.effects.append("repliesAccepted")
        }
    }

    func isExpired(_ packet: Packet, _ key: Key) -> Bool {
        self.now - packet.storedAt > self.realms[key.realm].ttl
    }

    mutating func packet(_ text: String, from sender: String?) -> Packet {
        self.lastNumber = max(self.lastNumber + 1, self.microseconds)
        return Packet(number: self.lastNumber, text: text, storedAt: self.now, from: sender)
    }

    mutating func die(_ text: String, _ reason: String) {
        self.deaths.append("died '\(text)' \(reason)")
        self.deadLetters.append((text, self.now))
        self.deadLetters = self.deadLetters.suffix(self.deadLettersMax)
    }
}

import RelayEngine
import SimulatedSystem

/// Knows what every client and every backend has seen, and what relay guarantees about it.
///
/// It never looks into relay. A rule that is broken is kept in `fault`, the first one only.
final class Oracle {
    /// The first rule that was broken, with what broke it.
    private(set) var fault: String?
    /// All packets that clients have sent.
    private(set) var packets: [SentPacket] = []
    /// All packets for clients, whoever gave them.
    private(set) var gifts: [Gift] = []
    /// The gifts, one for each recipient.
    private(set) var replies: [Reply] = []
    /// How many losses the answers have told that each client has read.
    var lossesTold: [String: Int] = [:]
    /// All requests to the web pool.
    var webRequests: [WebRequest] = []
    /// All requests of backends that were read, fetches too.
    private(set) var attempts: [Attempt] = []
    /// The largest `Packet-Id` that each client has read.
    var lastPacketID: [String: UInt64] = [:]
    unowned let world: World

    init(_ world: World) { self.world = world }

    var scenario: Scenario { self.world.scenario }
    var now: MonotonicTime { self.world.simulation.now }

    /// A rule does not hold.
    func broken(_ rule: String) {
        guard self.fault == nil else { return }
        self.fault = rule
        self.world.note("BROKEN: \(rule)")
    }

    // MARK: What happens

    /// A client is about to send a packet with its request.
    func send(
        _ request: ClientRequest,
        pool: String,
        to recipients: [String],
        isNamed: Bool
    ) -> SentPacket {
        let number = self.packets.count
        let name = request.client.name
        let packet = SentPacket(
            number: number,
            client: name,
            pool: pool,
            key: isNamed ? "name-\(number)" : nil,
            contents: self.contents("u\(number) from \(name) to \(pool) ", salt: number),
            request: request
        )
        request.packet = packet
        self.packets.append(packet)
        if !recipients.isEmpty {
            let gift = self.gift(to: recipients, from: name)
            gift.packet = packet
            packet.gift = gift
            self.world.note("\(name) sends \(gift.label)")
        }
        return packet
    }

    /// A backend is about to give a packet.
    func give(
        _ attempt: Attempt,
        to recipients: [String],
        from: String?,
        isKeyed: Bool,
        isHuge: Bool
    ) -> Gift {
        let gift = self.gift(to: recipients, from: from, isKeyed: isKeyed, isHuge: isHuge)
        self.giveAgain(gift, attempt)
        return gift
    }

    /// A backend is about to give a packet, maybe not for the first time.
    func giveAgain(_ gift: Gift, _ attempt: Attempt) {
        attempt.gift = gift
        gift.attempts.append(attempt)
        self.world.note("a backend gives \(gift.label)")
        for copy in gift.copies { self.world.client(copy.recipient)?.replyIsComing() }
    }

    /// A packet for clients that is about to be given.
    func gift(
        to recipients: [String],
        from: String? = nil,
        isKeyed: Bool = false,
        isHuge: Bool = false
    ) -> Gift {
        let number = self.gifts.count
        let recipients = Array(Set(recipients)).sorted()
        var contents = self.contents("d\(number) to \(recipients) ", salt: number * 7)
        if isHuge {
            contents += [UInt8](repeating: 0x68, count: Scenario.packetBytesMax)
        }
        let gift = Gift(
            number: number,
            to: recipients,
            from: from,
            key: isKeyed ? "key-\(number)" : nil,
            contents: contents,
            now: self.now
        )
        self.gifts.append(gift)
        self.replies += gift.copies
        return gift
    }

    /// Mostly short ones, and a few that take several segments and fill buffers.
    private func contents(_ label: String, salt: Int) -> [UInt8] {
        let length = salt % 11 == 10 ? 9000 + salt * 37 % 20_000 : salt * 53 % 400
        return Array(label.utf8) + [UInt8](repeating: UInt8(97 + salt % 26), count: length)
    }

    /// A backend has read a request; nil: a login.
    func received(_ message: HTTPMessage, by backend: Backend) -> Attempt? {
        guard message.start == "POST /endpoint HTTP/1.1", let type = message.value(of: "type")
        else {
            self.broken(
                "a backend got '\(message.start)' with \(message.count(of: "type")) Type fields"
            )
            return nil
        }
        for name in ["client-id", "authorization", "cookie", "prefer"]
        where message.count(of: name) > 0 {
            self.broken("a client's '\(name)' reached a backend")
        }
        guard type == "Packet" else {
            if type != "Auth", type != "Register" { self.broken("Type '\(type)' at a backend") }
            return nil
        }
        self.checkStoredKeys(message, at: backend)
        let attempt: Attempt
        if message.body.isEmpty {
            attempt = Attempt(packet: nil, client: message.value(of: "from"), pool: backend.pool)
            self.fetchBegins(attempt)
        } else {
            guard let packet = self.packet(of: message, at: backend) else { return nil }
            self.attemptBegins(packet, at: backend)
            attempt = Attempt(packet: packet, pool: backend.pool)
            packet.attempts.append(attempt)
        }
        self.attempts.append(attempt)
        return attempt
    }

    /// The packet that a request to a backend carries.
    private func packet(of message: HTTPMessage, at backend: Backend) -> SentPacket? {
        guard let number = message.value(of: "x-number").flatMap({ Int($0) }),
            self.packets.indices.contains(number),
            self.packets[number].contents == message.body
        else {
            self.broken("a backend got a packet that nobody sent so")
            return nil
        }
        let packet = self.packets[number]
        if packet.gift != nil { self.broken("packet \(number) for a client came to a backend") }
        if message.value(of: "from") != packet.client {
            self.broken("packet \(number) of \(packet.client) came From another one")
        }
        if message.value(of: "x-client") != packet.client {
            self.broken("packet \(number) lost its X-Client")
        }
        if packet.pool != backend.pool { self.broken("packet \(number) came to the wrong pool") }
        let name = message.value(of: "packet-id")
        if let key = packet.key {
            if name != key { self.broken("packet \(key) came with another Packet-Id") }
        } else if name.flatMap({ UInt64($0) }) == nil {
            self.broken("packet \(number) has no Packet-Id of relay's")
        }
        return packet
    }
}

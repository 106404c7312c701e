import RelayEngine
import SimulatedSystem

/// What holds for packets on their way to clients (DESIGN 2.3).
extension Oracle {
    /// A client has read a packet.
    func delivered(_ request: ClientRequest, _ message: HTTPMessage) {
        let name = request.client.name
        guard let number = message.value(of: "x-reply").flatMap({ Int($0) }),
            self.gifts.indices.contains(number), self.gifts[number].contents == message.body
        else { return self.broken("\(name) got a packet that nobody gave so") }
        let gift = self.gifts[number]
        guard let reply = gift.copies.first(where: { $0.recipient == name }) else {
            return self.broken("\(name) got reply \(number) for others")
        }
        self.checkOrigin(gift, message)
        self.world.note("\(name) reads reply \(number)")
        let isMarked = message.value(of: "redelivered") == "true"
        if isMarked || !self.isLate(reply, request) {
            self.checkNumber(reply, message, request.client)
            self.checkRepetition(reply, request, isMarked: isMarked)
        }
        self.checkToken(request)
        self.checkNewest(request)
        self.checkHeldBack(gift, request)
        self.checkAcknowledged(reply, request)
        reply.deliveries.append(
            ReadDelivery(connection: request.connection, request: request, isMarked: isMarked)
        )
    }

    /// Of polls that are held beside each other the newest gets the packet.
    private func checkNewest(_ request: ClientRequest) {
        let client = request.client
        guard !self.scenario.isFaulty, !client.kind.acknowledges, client.kind != .dribbling,
            !client.isSlow, request.ahead == 0, let answeredAt = request.answeredAt
        else { return }
        let isNewerHeld = client.open.contains { other in
            // What is sent a little later may come earlier.
            other.sentAt > request.sentAt + self.scenario.networkDelay * 12
                && other.sentAt + self.margin < answeredAt
                && other.waitSeconds == nil && other.ahead == 0 && !other.isDisturbed
                && other.packet?.isRepeated != true && other.session === request.session
                && other.connection.readsAtOnce && other.connection.isUsable
                && !other.connection.hasPipelined
        }
        if isNewerHeld { self.broken("an older poll of \(client.name) got the packet") }
    }

    /// A packet goes to a poll that is held when it comes, and not when the hold is over.
    ///
    /// Only a delivery under way may be in between, which has failed or is proven in two seconds.
    private func checkHeldBack(_ gift: Gift, _ request: ClientRequest) {
        guard let storedAt = gift.attempts.last?.wroteAt, let answeredAt = request.answeredAt,
            !self.scenario.isFaulty, !request.client.isSlow, request.ahead == 0,
            request.client.kind != .unacknowledging, request.client.kind != .dribbling,
            !request.connection.hasPipelined,
            request.connection.readsAtOnce, request.sentAt < storedAt
        else { return }
        if storedAt + .seconds(2) + self.margin < answeredAt {
            self.broken(
                "a poll of \(request.client.name) was held, and reply \(gift.number) waited"
            )
        }
    }

    /// What is delivered is what its giver wanted to give.
    private func checkOrigin(_ gift: Gift, _ message: HTTPMessage) {
        let number = gift.number
        if !gift.attempts.isEmpty, gift.attempts.allSatisfy({ !$0.isWhole && $0.isCut }) {
            self.broken("reply \(number) was delivered, and its backend had broken off")
        }
        if gift.isHuge, self.scenario.hasHugeReplies {
            self.broken("reply \(number) was delivered, and is larger than is allowed")
        }
        if message.value(of: "from") != gift.from {
            self.broken("reply \(number) came From '\(message.value(of: "from") ?? "nobody")'")
        }
        if let packet = gift.packet, let status = packet.request.status, status != 200,
            !packet.isRepeated
        {
            self.broken("reply \(number) was refused with \(status) and delivered all the same")
        }
        for name in ["to", "type", "stored", "end-session", "permissions", "client-id", "attempt"]
        where message.count(of: name) > 0 { self.broken("'\(name)' reached a client") }
    }

    /// A packet that was acknowledged does not come again.
    private func checkAcknowledged(_ reply: Reply, _ request: ClientRequest) {
        guard let id = reply.packetID else { return }
        if let acknowledged = request.acknowledged, id <= acknowledged {
            self.broken(
                "\(request.client.name) got packet \(id), and its request acknowledged \(acknowledged)"
            )
        }
        request.client.lastRead = max(request.client.lastRead, id)
    }

    /// Whether an unmarked packet was held up by the network until relay gave its connection up, or
    /// another poll of an acknowledging client came, and was delivered, marked, over another.
    ///
    /// What stands unread before the reset of the old one still reaches the client.
    private func isLate(_ reply: Reply, _ request: ClientRequest) -> Bool {
        (self.scenario.isFaulty || request.client.kind.acknowledges) && !reply.deliveries.isEmpty
            && reply.deliveries.allSatisfy {
                $0.isMarked && $0.connection !== request.connection
            }
    }

    private func checkNumber(_ reply: Reply, _ message: HTTPMessage, _ client: Client) {
        let name = client.name
        guard let id = message.value(of: "packet-id").flatMap({ UInt64($0) }), id > 0, id < 1 << 53
        else { return self.broken("a packet without a Packet-Id") }
        if let before = reply.packetID, before != id {
            self.broken("reply \(reply.number) had Packet-Id \(before), now \(id)")
        }
        reply.packetID = id
        let last = self.lastPacketID[name] ?? 0
        // Beside each other, polls of an acknowledging client get the same packet.
        let isCopy = client.kind.acknowledges && !reply.deliveries.isEmpty
        if id < last, !client.isSlow, !isCopy {
            self.broken("\(name) read packet \(id) behind \(last)")
        }
        if id == last, reply.deliveries.isEmpty {
            self.broken("two packets have the Packet-Id \(id)")
        }
        self.lastPacketID[name] = max(last, id)
    }

    private func checkRepetition(_ reply: Reply, _ request: ClientRequest, isMarked: Bool) {
        let client = request.client
        if !reply.deliveries.isEmpty, !isMarked {
            self.broken("\(client.name) got reply \(reply.number) again, unmarked")
        }
        if isMarked, !self.scenario.isFaulty, client.kind.isHealthy, !client.hasUnknownLogins {
            self.broken(
                "\(client.name), which is healthy, got reply \(reply.number) marked as repeated"
            )
        }
        // Of deliveries beside each other one may overtake another on its way between two loops.
        let mayOvertake = client.kind.acknowledges && self.scenario.machine.overlapChance > 0
        if isMarked, reply.deliveries.isEmpty, !mayOvertake,
            !client.hasUnreadAnswer(besides: request.connection)
        {
            self.broken(
                "reply \(reply.number) was marked as repeated, and nobody was given it before"
            )
        }
        // It is the acknowledgement that counts.
        for delivery in reply.deliveries where !client.kind.acknowledges && self.isProven(delivery)
        {
            self.broken("\(client.name) got reply \(reply.number) again, which had arrived")
        }
        // Of several answers to one packet at most one counts.
        guard let packet = reply.gift.attempts.first?.packet else { return }
        for attempt in packet.attempts {
            if let other = attempt.gift, other !== reply.gift,
                other.copies.contains(where: { !$0.deliveries.isEmpty })
            {
                self.broken(
                    "both replies \(other.number) and \(reply.number) to one packet were delivered"
                )
            }
        }
    }

    /// Whether relay must know that a packet has arrived.
    private func isProven(_ delivery: ReadDelivery) -> Bool {
        let connection = delivery.connection
        if connection.answersBehind(delivery.request) > 0, !connection.hasPipelined { return true }
        guard !self.scenario.isFaulty, connection.readsAtOnce else { return false }
        return !connection.isBrokenOff && !connection.wasReset
    }

    /// Nothing is delivered under a token that was replaced, but what was under way.
    private func checkToken(_ request: ClientRequest) {
        guard let replacedAt = request.session.replacedAt, let answeredAt = request.answeredAt,
            !self.scenario.isFaulty, request.ahead == 0, request.connection.readsAtOnce
        else { return }
        if answeredAt > replacedAt + self.scenario.networkDelay * 6 + .milliseconds(100) {
            self.broken(
                "\(request.client.name) got a packet under a token that was replaced before"
            )
        }
    }

    /// Whether relay has certainly stored a packet for clients.
    func isStored(_ gift: Gift) -> Bool {
        if let push = gift.push { return push.numbers != nil }
        if let packet = gift.packet { return packet.request.status == 200 || packet.wasStored }
        return gift.isConfirmed || gift.attempts.contains { self.isStored($0) }
    }

    /// Whether relay has certainly stored the packet that an answer carries.
    private func isStored(_ attempt: Attempt) -> Bool {
        guard attempt.isWhole, !attempt.isCut || attempt.isProven else { return false }
        guard let packet = attempt.packet else {
            return attempt.isProven || !self.scenario.isFaulty
        }
        // An answer that a fault has swallowed may have been the last attempt.
        if self.scenario.isFaulty, !self.scenario.triesForEver { return attempt.isProven }
        // A second attempt with an outcome says that relay has not read the first one.
        let outcomes = packet.attempts.count { $0.isFinal }
        return outcomes == 1 && (packet.request.status == 200 || packet.wasStored)
    }
}

import RelayEngine
import SimulatedSystem

/// What holds for packets on their way to clients (DESIGN 2.3).
extension Oracle {
    /// A client has read a packet.
    func delivered(_ request: ClientRequest, _ message: HTTPMessage) {
        let name = request.client.name
        guard let number = message.value(of: "x-reply").flatMap({ Int($0) }),
            self.replies.indices.contains(number), self.replies[number].contents == message.body
        else { return self.broken("\(name) got a packet that nobody gave so") }
        let reply = self.replies[number]
        if reply.recipient != name { self.broken("\(name) got reply \(number) for another") }
        if !reply.attempt.isWhole, reply.attempt.isCut {
            self.broken("reply \(number) was delivered, and its backend had broken off")
        }
        self.world.simulation.note("\(name) reads reply \(number)")
        let isMarked = message.value(of: "redelivered") == "true"
        if isMarked || !self.isLate(reply, request) {
            self.checkNumber(reply, message, request.client)
            self.checkRepetition(reply, request, isMarked: isMarked)
        }
        self.checkToken(request)
        self.checkAcknowledged(reply, request)
        reply.deliveries.append(
            ReadDelivery(connection: request.connection, request: request, isMarked: isMarked)
        )
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
        if isMarked, reply.deliveries.isEmpty, !client.hasUnreadAnswer(besides: request.connection)
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
        guard let packet = reply.attempt.packet else { return }
        for attempt in packet.attempts {
            if let other = attempt.reply, other !== reply, !other.deliveries.isEmpty {
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

    /// What must hold when nothing is under way and nothing waits for clients any more.
    ///
    /// `lost` packets at most may not have arrived.
    func checkDeliveriesAtEnd(lost: Int) {
        let missing = self.replies.filter { $0.deliveries.isEmpty && self.isStored($0) }
        if missing.count > lost {
            let labels = missing.map(\.label).joined(separator: ", ")
            self.broken("given by backends and never delivered: \(labels)")
        }
    }

    /// Whether relay has certainly stored a reply.
    private func isStored(_ reply: Reply) -> Bool {
        let attempt = reply.attempt
        guard attempt.isWhole, !attempt.isCut || attempt.isProven else { return false }
        guard let packet = attempt.packet else {
            return attempt.isProven || !self.scenario.isFaulty
        }
        // An answer that a fault has swallowed may have been the last attempt.
        if self.scenario.isFaulty, !self.scenario.triesForEver { return attempt.isProven }
        // A second attempt with an outcome says that relay has not read the first one.
        let outcomes = packet.attempts.count { $0.isFinal }
        return outcomes == 1 && packet.request.status == 200
    }
}

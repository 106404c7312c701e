/// What holds for packets on their way to backends (DESIGN 2.1, 2.2).
extension Oracle {
    /// A backend has read a packet.
    func attemptBegins(_ packet: SentPacket, at backend: Backend) {
        if let status = packet.request.status, status != 200, !packet.isRepeated {
            self.broken("packet \(packet.number) was answered with \(status) and sent all the same")
        }
        guard self.scenario.triesForEver else { return }
        for other in self.packets
        where other !== packet && other.client == packet.client && other.pool == packet.pool
            && !other.attempts.isEmpty
        {
            if !other.isFinal {
                self.broken(
                    "packet \(packet.number) was sent while \(other.number) of the same client is not done"
                )
            }
            if packet.attempts.isEmpty, self.isBefore(packet, other) {
                self.broken("packet \(packet.number) was sent behind \(other.number), stored later")
            }
        }
    }

    /// Whether `first` was certainly stored before `second`.
    private func isBefore(_ first: SentPacket, _ second: SentPacket) -> Bool {
        if first.isRepeated || second.isRepeated { return false }
        if first.request.connection === second.request.connection {
            return first.number < second.number
        }
        guard first.request.status == 200, let answeredAt = first.request.answeredAt else {
            return false
        }
        return answeredAt < second.request.sentAt
    }

    /// Whether relay has certainly stored a packet: it said so, or had no reason not to.
    private func mustBeStored(_ packet: SentPacket) -> Bool {
        let request = packet.request
        if packet.gift != nil { return false }
        if request.status == 200 || packet.wasStored { return true }
        return request.status == nil && request.wasLeft && !request.isDisturbed
            && !self.scenario.isFaulty && self.scenario.inboxPacketsMax == nil
            && !request.session.mayHaveEnded
            && !request.client.hasUnknownLogins && request.session.replacedAt == nil
            && !self.scenario.stopsEarly
    }

    /// What must hold when nothing is under way any more and nothing waits for backends.
    ///
    /// `given` packets at most were given up by relay.
    func checkBackendsAtEnd(givenUp: Int) {
        var missing: [Int] = []
        for packet in self.packets {
            let proven = packet.consumed.count { $0.isProven && !$0.isCut }
            if proven > 1 {
                self.broken("packet \(packet.number) was taken twice, and relay read both answers")
            }
            if self.mustBeStored(packet), !packet.isFinal { missing.append(packet.number) }
        }
        if missing.count > givenUp {
            self.broken("packets \(missing) were answered with 200 and never taken by a backend")
        }
    }

    // MARK: Fetches

    /// A backend has read a fetch.
    func fetchBegins(_ attempt: Attempt) {
        guard self.scenario.fetchesForClients else {
            if attempt.client != nil { self.broken("a fetch of mode pool has a From") }
            return
        }
        guard let name = attempt.client, self.world.client(name) != nil else {
            return self.broken("a fetch of mode client names no client")
        }
        // A fetch on a connection that a fault has ended is over for relay before it is for the backend.
        guard !self.scenario.isFaulty, self.scenario.reloads == 0 else { return }
        let isAsked = self.attempts.contains {
            $0.client == name && $0.pool == attempt.pool && !$0.isOver
        }
        if isAsked { self.broken("a second fetch for \(name) while the first is under way") }
    }

    /// What relay says of packets that a backend gave with a key.
    func checkStoredKeys(_ message: HTTPMessage, at backend: Backend) {
        guard let keys = message.value(of: "stored") else { return }
        for key in keys.split(separator: ",").map({ $0.filter { $0 != " " } }) {
            guard let gift = backend.keyedGifts.first(where: { $0.key == key }) else {
                self.broken("relay has stored '\(key)', which this backend never gave")
                continue
            }
            if !gift.attempts.contains(where: \.isWhole) {
                self.broken("relay has stored '\(key)', which was never given in whole")
            }
            gift.isConfirmed = true
        }
    }

    /// Relay has read an answer, because it uses its connection again: the sessions that the answer ends are over.
    func proven(_ attempt: Attempt) {
        attempt.isProven = true
        guard attempt.isWhole, !attempt.isCut else { return }
        for (client, session) in attempt.endings where session.replacedAt == nil {
            session.replacedAt = self.now
            self.replaced(session, of: client)
        }
    }
}

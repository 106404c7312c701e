import RelayEngine

/// What holds for `Lost` (DESIGN 2.3): what vanished is counted, and nothing else is.
extension Oracle {
    /// A client has read what an answer says of losses.
    func checkLost(_ request: ClientRequest, _ message: HTTPMessage) {
        guard message.count(of: "lost") > 0 else { return }
        let client = request.client
        guard let count = message.value(of: "lost").flatMap({ Int($0) }), count > 0 else {
            return self.broken("\(client.name) got a Lost that is no count")
        }
        self.lossesTold[client.name, default: 0] += count
        if self.scenario.keepsForEver {
            self.broken("\(client.name) was told of \(count) losses, and nothing can be lost")
        }
        // Who breaks connections may have read what relay does not know to have arrived.
        guard client.kind.isHealthy, !self.scenario.isFaulty else { return }
        let unread = self.replies.count { $0.recipient == client.name && $0.deliveries.isEmpty }
        if count > unread {
            self.broken("\(client.name) was told of \(count) losses, of \(unread) not read")
        }
    }

    /// What must hold when nothing is under way and nothing waits for clients any more.
    ///
    /// `givenUp` packets at most were given up by relay, by its own account.
    func checkDeliveriesAtEnd(givenUp: Int) {
        let missing = self.replies.filter { $0.deliveries.isEmpty && self.isStored($0.gift) }
        if missing.count > givenUp {
            let labels = missing.map(\.gift.label).joined(separator: "; ")
            self.broken("given and never delivered: \(labels)")
        }
        guard !self.scenario.isFaulty else { return }
        for client in self.world.clients where client.kind.isHealthy && !client.hasUnknownLogins {
            self.checkLosses(of: client, missing: missing)
        }
    }

    private func checkLosses(of client: Client, missing: [Reply]) {
        let told = self.lossesTold[client.name, default: 0]
        // What comes for a stranger is not counted, nor is it known for ever to who stays away.
        let counted = missing.count { reply in
            guard reply.recipient == client.name, let since = client.knownSince else {
                return false
            }
            return since < reply.gift.givenAt
        }
        let forgets = client.wasAway && self.scenario.packetTTL != nil
        if told < counted, !forgets {
            self.broken("\(client.name) misses \(counted) packets and was told of \(told)")
        }
        // Its next request proves each answer, so it is told of each loss once.
        guard client.kind == .keepAlive else { return }
        let unread = self.replies.count { $0.recipient == client.name && $0.deliveries.isEmpty }
        if told > unread {
            self.broken("\(client.name) was told of \(told) losses, and misses \(unread)")
        }
    }
}

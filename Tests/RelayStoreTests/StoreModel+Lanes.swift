extension StoreModel {
    mutating func send(
        _ text: String,
        from key: Key,
        session: Int,
        to pool: Int,
        named packetKey: String?,
        ticket: UInt64,
        loop: UInt16
    ) {
        guard self.isCurrent(key, session) else {
            self.effects.append("refused \(ticket) sessionEnded")
            return
        }
        guard !self.hasSeen(packetKey, key) else {
            self.effects.append("duplicate \(ticket)")
            return
        }
        let (packets, bytes) = self.backlog(of: pool)
        let inbox = self.inboxes[pool]
        guard packets < inbox.packetsMax, bytes + text.utf8.count <= inbox.bytesMax else {
            self.effects.append("refused \(ticket) inboxFull")
            return
        }
        self.remember(packetKey, key)
        let packet = self.packet(text, from: key.name)
        self.clients[key]?.lanes[pool, default: Lane()].packets.append(packet)
        self.effects.append("stored \(ticket) #\(packet.number)")
        if self.clients[key]?.lanes[pool]?.owner == nil { self.sendFirst(key, pool, loop) }
    }

    mutating func consumed(
        _ key: Key,
        _ pool: Int,
        _ number: UInt64,
        reply: (text: String, recipients: [String])?,
        loop: UInt16
    ) {
        guard self.isSending(key, pool, number, loop) else { return }
        for name in reply?.recipients ?? [] {
            self.store(reply?.text ?? "", for: Key(realm: key.realm, name: name), from: nil)
        }
        self.clients[key]?.lanes[pool]?.packets.removeFirst()
        self.sendFirst(key, pool, loop)
    }

    mutating func rejected(_ key: Key, _ pool: Int, _ number: UInt64, loop: UInt16) {
        guard self.isSending(key, pool, number, loop) else { return }
        if let packet = self.clients[key]?.lanes[pool]?.packets.removeFirst() {
            self.die(packet.text, "rejected(status: 400)")
        }
        self.sendFirst(key, pool, loop)
    }

    mutating func attemptFailed(
        _ key: Key,
        _ pool: Int,
        _ number: UInt64,
        isCounted: Bool,
        loop: UInt16
    ) {
        guard self.isSending(key, pool, number, loop) else { return }
        if isCounted { self.clients[key]?.lanes[pool]?.packets[0].attempts += 1 }
        self.clients[key]?.lanes[pool]?.isSending = false
        if self.expireLane(key, pool) > 0 { self.sendFirst(key, pool, loop) }
    }

    mutating func nextAttempt(_ key: Key, _ pool: Int, loop: UInt16) {
        guard let lane = self.clients[key]?.lanes[pool], lane.owner == loop, !lane.isSending else {
            return
        }
        self.sendFirst(key, pool, loop)
    }

    mutating func releaseLane(_ key: Key, _ pool: Int, loop: UInt16) {
        guard let lane = self.clients[key]?.lanes[pool], lane.owner == loop else { return }
        self.clients[key]?.lanes[pool]?.owner = nil
        self.clients[key]?.lanes[pool]?.isSending = false
        if lane.packets.isEmpty { self.clients[key]?.lanes[pool] = nil }
    }

    mutating func adoptLanes(of pool: Int, loop: UInt16) {
        for (key, client) in self.clients {
            if let lane = client.lanes[pool], lane.owner == nil { self.sendFirst(key, pool, loop) }
        }
    }

    func backlog(of pool: Int) -> (packets: Int, bytes: Int) {
        let packets = self.clients.values.flatMap { $0.lanes[pool]?.packets ?? [] }
        return (packets.count, packets.map(\.text.utf8.count).reduce(0, +))
    }

    private func isSending(_ key: Key, _ pool: Int, _ number: UInt64, _ loop: UInt16) -> Bool {
        guard let lane = self.clients[key]?.lanes[pool] else { return false }
        return lane.owner == loop && lane.isSending && lane.packets.first?.number == number
    }

    private mutating func sendFirst(_ key: Key, _ pool: Int, _ loop: UInt16) {
        let wasOwned = self.clients[key]?.lanes[pool]?.owner != nil
        self.clients[key]?.lanes[pool]?.isSending = false
        _ = self.expireLane(key, pool)
        if let packet = self.clients[key]?.lanes[pool]?.packets.first {
            self.clients[key]?.lanes[pool]?.owner = loop
            self.clients[key]?.lanes[pool]?.isSending = true
            self.effects.append("send@\(loop) '\(packet.text)' attempts \(packet.attempts)")
        } else {
            self.clients[key]?.lanes[pool] = nil
            if wasOwned { self.effects.append("idle@\(loop)") }
        }
    }

    mutating func expireLane(_ key: Key, _ pool: Int) -> Int {
        guard let lane = self.clients[key]?.lanes[pool] else { return 0 }
        let first = lane.isSending ? 1 : 0
        var kept = Array(lane.packets.prefix(first))
        var expired = 0
        for packet in lane.packets.dropFirst(first) {
            if self.isExpired(packet, key) {
                self.die(packet.text, "expired")
                expired += 1
            } else {
                kept.append(packet)
            }
        }
        self.clients[key]?.lanes[pool]?.packets = kept
        return expired
    }
}

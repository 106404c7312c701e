/// Towards backends: lanes, whose packets a loop sends one by one.
extension Shard {
    /// Puts a packet on the client's lane to a pool, unless one with its key was stored before; the
    /// loop of the ticket sends it if the lane is nobody's.
    mutating func send(
        _ contents: PacketContents,
        from session: Session,
        to pool: PoolID,
        number: PacketNumber?,
        key: PacketKey?,
        ticket: Ticket,
        at now: StoreInstant,
        _ effects: inout Effects
    ) {
        guard let slot = self.slot(of: session) else {
            effects.append(.refused(ticket, .sessionEnded))
            self.takeBack(number, key, &effects)
            return
        }
        if let key, self.hasSeen(key, slot, at: now) {
            effects.append(.duplicate(ticket))
            self.takeBack(number, key, &effects)
            return
        }
        guard self.addToInbox(of: pool, bytes: contents.byteCount) else {
            effects.append(.refused(ticket, .inboxFull))
            self.takeBack(number, key, &effects)
            return
        }
        if let key { self.remember(key, slot, number: number, at: now, &effects) }
        let number = number.map(self.numbers.take) ?? self.numbers.next(at: now)
        let packet = StoredPacket(contents, number: number, storedAt: now.nanoseconds)
        effects.append(.stored(ticket, number))
        self.enqueue(packet, slot, to: pool, by: ticket.loop, at: now, &effects)
    }

    /// Puts a packet behind all others of its client's lane; the loop sends it if the lane is nobody's.
    mutating func enqueue(
        _ packet: consuming StoredPacket,
        _ slot: UInt32,
        to pool: PoolID,
        by loop: UInt16,
        at now: StoreInstant,
        _ effects: inout Effects
    ) {
        let lane = self.laneForPacket(slot, to: pool)
        let isUnowned = self.clients[slot].lanes[lane].isUnowned
        if isUnowned, !self.clients[slot].lanes[lane].isEmpty { self.counts.unownedLanes -= 1 }
        let place = self.clients[slot].lanes[lane].append(packet, in: &self.packets)
        self.placed(place, &effects)
        if isUnowned { self.sendFirst(slot, lane, by: loop, at: now, &effects) }
    }

    /// Why a packet would be refused if it came now.
    func refusal(of session: Session, to pool: PoolID, bytes: Int) -> Refusal? {
        guard self.slot(of: session) != nil else { return .sessionEnded }
        guard self.addToInbox(of: pool, bytes: bytes) else { return .inboxFull }
        self.rules.pools[pool.index].account.remove(bytes: bytes)
        return nil
    }

    /// A packet that is not stored goes from the journal, with its key, if it stands there already.
    private func takeBack(
        _ number: PacketNumber?,
        _ key: PacketKey?,
        _ effects: inout Effects
    ) {
        guard let number else { return }
        effects.changes.append(.removed(number, .toBackend))
        if key != nil { effects.changes.append(.keyForgotten(number)) }
    }

    /// The backend took the packet: until that is written the lane is nobody else's.
    ///
    /// False if this packet is not under way.
    mutating func completionBegan(
        _ lane: LaneHandle,
        _ number: PacketNumber,
        by loop: UInt16
    ) -> Bool {
        guard let (slot, index) = self.position(of: lane),
            self.clients[slot].lanes[index].isSending(number, by: loop, in: self.packets)
        else { return false }
        self.clients[slot].lanes[index].replyReceived(by: loop)
        return true
    }

    /// The backend took the packet and gave a reply, which is to be stored before `consumed`.
    ///
    /// - Returns: the realm of the reply, or nil if this packet is not under way.
    mutating func replyReceived(
        _ lane: LaneHandle,
        _ number: PacketNumber,
        by loop: UInt16
    ) -> RealmID? {
        guard let (slot, index) = self.position(of: lane),
            self.isJournaled
                ? self.clients[slot].lanes[index].isCompleting(number, by: loop, in: self.packets)
                : self.clients[slot].lanes[index].isSending(number, by: loop, in: self.packets)
        else { return nil }
        self.clients[slot].lanes[index].replyReceived(by: loop)
        return self.clients[slot].realm
    }

    /// The packet is consumed; the loop sends the next one.
    mutating func consumed(
        _ lane: LaneHandle,
        _ number: PacketNumber,
        by loop: UInt16,
        isCompleting: Bool,
        at now: StoreInstant,
        _ effects: inout Effects
    ) {
        guard let (slot, index) = self.position(of: lane),
            isCompleting
                ? self.clients[slot].lanes[index].isCompleting(number, by: loop, in: self.packets)
                : self.clients[slot].lanes[index].isSending(number, by: loop, in: self.packets)
        else { return }
        if let (packet, _) = self.clients[slot].lanes[index].removeHead(from: &self.packets) {
            self.removeFromInbox(of: lane.pool, packet)
        }
        self.sendFirst(slot, index, by: loop, at: now, &effects)
    }

    /// The packet becomes a dead letter; the loop sends the next one.
    ///
    /// The attempt that ended so counts.
    mutating func rejected(
        _ lane: LaneHandle,
        _ number: PacketNumber,
        reason: DeadLetter.Reason,
        by loop: UInt16,
        at now: StoreInstant,
        _ effects: inout Effects
    ) {
        guard let (slot, index) = self.position(of: lane),
            self.clients[slot].lanes[index].isSending(number, by: loop, in: self.packets)
        else { return }
        if let (packet, attempts) = self.clients[slot].lanes[index].removeHead(
            from: &self.packets
        ) {
            let counted = attempts < .max ? attempts + 1 : attempts
            self.bury(packet, reason, slot, lane.pool, counted, at: now, &effects)
        }
        self.sendFirst(slot, index, by: loop, at: now, &effects)
    }

    /// The packet waits as the first of the loop's lane, or becomes a dead letter if it has expired;
    /// then the loop sends the next one.
    mutating func attemptFailed(
        _ lane: LaneHandle,
        _ number: PacketNumber,
        isCounted: Bool,
        by loop: UInt16,
        at now: StoreInstant,
        _ effects: inout Effects
    ) {
        guard let (slot, index) = self.position(of: lane),
            self.clients[slot].lanes[index].isSending(number, by: loop, in: self.packets)
        else { return }
        self.clients[slot].lanes[index].attemptFailed(by: loop, isCounted: isCounted)
        if self.isJournaled, isCounted {
            let attempts = self.clients[slot].lanes[index].attempts
            effects.changes.append(.attempted(number, attempts))
        }
        if self.expireLane(slot, index, at: now, &effects) > 0 {
            self.sendFirst(slot, index, by: loop, at: now, &effects)
        }
    }

    /// The loop has waited long enough: it sends the first packet.
    mutating func nextAttempt(
        _ lane: LaneHandle,
        by loop: UInt16,
        at now: StoreInstant,
        _ effects: inout Effects
    ) {
        guard let (slot, index) = self.position(of: lane),
            self.clients[slot].lanes[index].state == .waiting(loop)
        else { return }
        self.sendFirst(slot, index, by: loop, at: now, &effects)
    }

    /// The loop gives its lane up.
    mutating func releaseLane(_ lane: LaneHandle, by loop: UInt16) {
        guard let (slot, index) = self.position(of: lane),
            self.clients[slot].lanes[index].mayBeReleased(by: loop)
        else { return }
        if self.clients[slot].lanes[index].isEmpty {
            self.clients[slot].lanes.remove(at: index)
        } else {
            self.clients[slot].lanes[index].release()
            self.counts.unownedLanes += 1
        }
    }

    /// The loop takes the lanes to a pool that are nobody's and sends their first packets.
    mutating func adoptLanes(
        ofChunk chunk: Int,
        to pool: PoolID,
        by loop: UInt16,
        at now: StoreInstant,
        _ effects: inout Effects
    ) {
        for place in SetBits(self.clients.occupied(inChunk: chunk)) {
            let slot = UInt32(chunk * Slab<ClientRecord>.chunkSize + place)
            var isAnyAdopted = false
            // From the end, because a lane without packets goes.
            for lane in self.clients[slot].lanes.indices.reversed()
            where self.clients[slot].lanes[lane].pool == pool
                && self.clients[slot].lanes[lane].isUnowned
            {
                self.counts.unownedLanes -= 1
                isAnyAdopted = true
                self.sendFirst(slot, lane, by: loop, at: now, &effects)
            }
            if isAnyAdopted { self.spread(slot, to: pool, by: loop, at: now, &effects) }
        }
    }

    /// Packets that waited too long become dead letters.
    ///
    /// The lane stays, even without packets.
    ///
    /// - Returns: how many did.
    @discardableResult
    mutating func expireLane(
        _ slot: UInt32,
        _ lane: Int,
        at now: StoreInstant,
        _ effects: inout Effects
    ) -> Int {
        let ttl = self.rules.realms[self.clients[slot].realm.index].packetTTL
        let pool = self.clients[slot].lanes[lane].pool
        var expired = 0
        while let storedAt = self.clients[slot].lanes[lane].oldestWaitingStoredAt(in: self.packets),
            now.nanoseconds(since: storedAt) > ttl,
            let (packet, attempts) = self.clients[slot].lanes[lane].removeOldestWaiting(
                from: &self.packets
            )
        {
            self.bury(packet, .expired, slot, pool, attempts, at: now, &effects)
            expired += 1
        }
        return expired
    }

    /// The loop has the lane and sends its first packet; without one the lane is gone, and its owner
    /// told.
    mutating func sendFirst(
        _ slot: UInt32,
        _ lane: Int,
        by loop: UInt16,
        at now: StoreInstant,
        _ effects: inout Effects
    ) {
        let pool = self.clients[slot].lanes[lane].pool
        let handle = LaneHandle(
            client: self.handle(of: slot),
            pool: pool,
            number: self.clients[slot].lanes[lane].number
        )
        let wasOwned = !self.clients[slot].lanes[lane].isUnowned
        self.clients[slot].lanes[lane].release()
        self.expireLane(slot, lane, at: now, &effects)
        while self.clients[slot].lanes[lane].isEmpty, self.takeFromOtherLane(slot, lane) {
            self.expireLane(slot, lane, at: now, &effects)
        }
        let packet = self.clients[slot].lanes[lane].send(
            by: loop,
            from: self.clients[slot].name,
            in: self.packets
        )
        if let packet {
            effects.appendPacket(
                .send(LaneSend(loop: loop, lane: handle, packet: packet)),
                isAbsent: packet.contents.isAbsent
            )
        } else {
            self.clients[slot].lanes.remove(at: lane)
            if wasOwned { effects.append(.laneIdle(loop: loop, handle)) }
        }
    }

    private func position(of lane: LaneHandle) -> (slot: UInt32, index: Int)? {
        guard let slot = self.slot(of: lane.client),
            let index = self.clients[slot].lane(to: lane.pool, number: lane.number)
        else { return nil }
        return (slot, index)
    }

    private func addToInbox(of pool: PoolID, bytes: Int) -> Bool {
        let limits = self.rules.pools[pool.index].limits
        return self.rules.pools[pool.index].account.add(
            bytes: bytes,
            packetsMax: limits.packetsMax,
            bytesMax: limits.bytesMax
        )
    }

    private func removeFromInbox(of pool: PoolID, _ packet: borrowing StoredPacket) {
        self.rules.pools[pool.index].account.remove(bytes: packet.byteCount)
    }

    private func bury(
        _ packet: borrowing StoredPacket,
        _ reason: DeadLetter.Reason,
        _ slot: UInt32,
        _ pool: PoolID,
        _ attempts: UInt32,
        at now: StoreInstant,
        _ effects: inout Effects
    ) {
        self.removeFromInbox(of: pool, packet)
        effects.happened.append(
            .died(
                DeadLetter(
                    reason: reason,
                    direction: .toBackend,
                    realm: self.clients[slot].realm,
                    client: self.clients[slot].name,
                    pool: pool,
                    number: packet.number,
                    attempts: attempts,
                    contents: packet.contents,
                    diedAt: now
                )
            )
        )
    }
}

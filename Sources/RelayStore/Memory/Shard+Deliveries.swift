/// Towards clients: outboxes, held polls and the delivery that is under way.
///
/// Between calls a poll is held only while its client's outbox is empty or, unless its session
/// acknowledges, a delivery is under way.
extension Shard {
    /// Puts a packet into the outbox of a client, and gives it to a held poll if there is one.
    ///
    /// - Returns: its number, or nil if it was lost at once.
    mutating func store(
        _ contents: PacketContents,
        for name: ClientName,
        in realm: RealmID,
        from sender: ClientName?,
        number: PacketNumber?,
        at now: StoreInstant,
        _ effects: inout Effects
    ) -> PacketNumber? {
        guard let slot = self.slotForPacket(to: name, in: realm) else {
            effects.happened.append(
                .died(
                    DeadLetter(
                        reason: .unknownClient,
                        direction: .toClient,
                        realm: realm,
                        client: name,
                        pool: nil,
                        number: number,
                        attempts: 0,
                        contents: contents,
                        diedAt: now
                    )
                )
            )
            return nil
        }
        self.expireOutbox(slot, at: now, &effects)
        let packet = StoredPacket(
            contents,
            number: number.map(self.numbers.take) ?? self.numbers.next(at: now),
            storedAt: now.nanoseconds
        )
        guard self.makeRoom(for: packet, slot, at: now, &effects) else {
            self.overflowed(packet, slot, at: now, &effects)
            return nil
        }
        let place = self.clients[slot].outbox.append(packet, from: sender, in: &self.packets)
        self.placed(place, &effects)
        self.outboxes.add(bytes: packet.byteCount, &effects)
        self.serve(slot, at: now, &effects)
        return packet.number
    }

    /// Removes what the request acknowledges, then gives the oldest packet to the poll, or holds it, or
    /// answers it empty.
    mutating func poll(
        _ session: Session,
        acknowledging number: PacketNumber?,
        ticket: Ticket,
        _ wish: PollWish,
        at now: StoreInstant,
        _ effects: inout Effects
    ) {
        guard let slot = self.slot(of: session) else {
            effects.append(.refused(ticket, .sessionEnded))
            return
        }
        if let number { self.acknowledge(slot, upTo: number, by: ticket.loop, &effects) }
        self.expireOutbox(slot, at: now, &effects)
        guard wish != .nothing else {
            self.answerEmpty(ticket, slot, &effects)
            if number != nil { self.serve(slot, at: now, &effects) }
            return
        }
        if !self.acknowledges(slot), let delivery = self.clients[slot].outbox.delivery,
            let packet = self.clients[slot].outbox.underWay(in: self.packets)
        {
            effects.append(.checkProof(delivery, session.client, packet.number))
        } else if !self.clients[slot].outbox.isEmpty {
            self.deliver(slot, to: ticket, &effects)
            // Polls that were held for a delivery that the session has not acknowledged.
            if self.acknowledges(slot) { self.serve(slot, at: now, &effects) }
            return
        }
        guard wish == .packetOrWait else {
            self.answerEmpty(ticket, slot, &effects)
            return
        }
        let more = self.clients[slot].outbox.waiting
        let notice = self.lossNotice(slot)
        var displaced = 0
        self.clients[slot].polls.hold(ticket, at: now) { older in
            displaced += 1
            effects.append(.answerEmpty(older, more: more, notice))
        }
        self.counts.heldPolls += 1 - displaced
        effects.append(.held(ticket, session.client))
    }

    /// Stops holding a poll.
    ///
    /// False if it is not held.
    mutating func pollEnded(_ client: ClientHandle, ticket: Ticket) -> Bool {
        guard let slot = self.slot(of: client), self.clients[slot].polls.remove(ticket) else {
            return false
        }
        self.counts.heldPolls -= 1
        return true
    }

    /// The client has the packet: it goes, unless it needs to be acknowledged, and the next one is
    /// delivered.
    mutating func deliveryProven(
        _ client: ClientHandle,
        _ number: PacketNumber,
        ticket: Ticket,
        at now: StoreInstant,
        _ effects: inout Effects
    ) {
        guard let slot = self.slot(ofDelivery: number, to: client, ticket: ticket) else { return }
        let before = self.clients[slot].outbox.deliveries
        let packet = self.clients[slot].outbox.deliveryProven(on: ticket, in: &self.packets)
        self.counts.deliveries -= before - self.clients[slot].outbox.deliveries
        if let packet {
            if self.isJournaled { effects.changes.append(.removed(number, .toClient)) }
            self.outboxes.remove(bytes: packet.byteCount, &effects)
            self.packetsArrived(slot, upTo: packet.number, &effects)
        }
        self.serve(slot, at: now, &effects)
    }

    /// The client does not have the packet: it is the first again.
    mutating func deliveryEnded(
        _ client: ClientHandle,
        _ number: PacketNumber,
        ticket: Ticket,
        bytesWereWritten: Bool,
        at now: StoreInstant,
        _ effects: inout Effects
    ) {
        guard let slot = self.slot(ofDelivery: number, to: client, ticket: ticket) else { return }
        self.clients[slot].outbox.deliveryEnded(on: ticket, bytesWereWritten: bytesWereWritten)
        self.counts.deliveries -= 1
        self.serve(slot, at: now, &effects)
    }

    /// Packets that waited too long become dead letters.
    mutating func expireOutbox(_ slot: UInt32, at now: StoreInstant, _ effects: inout Effects) {
        // Nearly always there is none, and then the rules need not be found.
        guard self.clients[slot].outbox.hasWaiting else { return }
        let ttl = self.rules.realms[self.clients[slot].realm.index].packetTTL
        while let storedAt = self.clients[slot].outbox.oldestWaitingStoredAt(in: self.packets),
            now.nanoseconds(since: storedAt) > ttl
        {
            guard let packet = self.removeOldestWaiting(slot, &effects) else { return }
            self.bury(packet, .expired, slot, at: now, &effects)
        }
    }

    /// Answers a request without a packet.
    func answerEmpty(_ ticket: Ticket, _ slot: UInt32, _ effects: inout Effects) {
        let more = self.clients[slot].outbox.waiting
        effects.append(.answerEmpty(ticket, more: more, self.lossNotice(slot)))
    }

    /// Whether the client's session is in acknowledged mode.
    private func acknowledges(_ slot: UInt32) -> Bool {
        self.clients[slot].session?.acknowledges == true
    }

    /// The client has everything up to and including `number`; its session is in acknowledged mode
    /// from now on.
    private mutating func acknowledge(
        _ slot: UInt32,
        upTo number: PacketNumber,
        by loop: UInt16,
        _ effects: inout Effects
    ) {
        self.clients[slot].session?.acknowledges = true
        self.packetsArrived(slot, upTo: number, &effects)
        var packets = 0
        let deliveries = self.clients[slot].outbox.deliveries
        while let packet = self.clients[slot].outbox.removeHead(upTo: number, from: &self.packets) {
            self.outboxes.remove(bytes: packet.byteCount, &effects)
            packets += 1
        }
        guard packets > 0 else { return }
        self.counts.deliveries -= deliveries
        effects.append(.acknowledged(loop: loop, packets: packets))
    }

    private func slot(
        ofDelivery number: PacketNumber,
        to client: ClientHandle,
        ticket: Ticket
    ) -> UInt32? {
        guard let slot = self.slot(of: client),
            self.clients[slot].outbox.isLeased(number, to: ticket, in: self.packets)
        else { return nil }
        return slot
    }

    /// The newest held poll gets the first packet, unless another one is under way; in acknowledged
    /// mode every held poll gets it, the newest first.
    mutating func serve(_ slot: UInt32, at now: StoreInstant, _ effects: inout Effects) {
        let acknowledges = self.acknowledges(slot)
        guard acknowledges || self.clients[slot].outbox.delivery == nil else { return }
        self.expireOutbox(slot, at: now, &effects)
        while !self.clients[slot].outbox.isEmpty,
            let ticket = self.clients[slot].polls.takeNewest()
        {
            self.counts.heldPolls -= 1
            self.deliver(slot, to: ticket, &effects)
            if !acknowledges { return }
        }
    }

    private mutating func deliver(
        _ slot: UInt32,
        to ticket: Ticket,
        _ effects: inout Effects
    ) {
        let needsAcknowledgement = self.acknowledges(slot)
        let packet = self.clients[slot].outbox.lease(
            to: ticket,
            needsAcknowledgement: needsAcknowledgement,
            in: self.packets
        )
        guard let packet else { return }
        let number = packet.number
        self.counts.deliveries += 1
        self.lossesCarried(slot, by: packet, isPlain: !needsAcknowledgement)
        effects.appendPacket(
            .deliver(
                Delivery(
                    ticket: ticket,
                    client: self.handle(of: slot),
                    packet: packet,
                    needsAcknowledgement: needsAcknowledgement,
                    more: self.clients[slot].outbox.count - 1,
                    lost: self.lossNotice(slot)?.count ?? 0
                )
            ),
            isAbsent: packet.contents.isAbsent
        )
        // Polls that were held before wait for the next packet as much as one that comes now.
        if !needsAcknowledgement, !self.clients[slot].polls.isEmpty {
            effects.append(.checkProof(ticket, self.handle(of: slot), number))
        }
    }

    /// The record of the client that a packet is for; nil if the realm knows too many strangers.
    private mutating func slotForPacket(to name: ClientName, in realm: RealmID) -> UInt32? {
        if let slot = self.slot(of: name, in: realm) { return slot }
        let rules = self.rules.realms[realm.index]
        guard rules.strangers.add(max: rules.settings.unknownClientsMax) else { return nil }
        return self.insertClient(name, in: realm, isStranger: true)
    }

    /// Removes the oldest packets that are not under way until there is room for one more.
    ///
    /// False, and nothing removed, if there were no room even then.
    private mutating func makeRoom(
        for packet: borrowing StoredPacket,
        _ slot: UInt32,
        at now: StoreInstant,
        _ effects: inout Effects
    ) -> Bool {
        let settings = self.rules.realms[self.clients[slot].realm.index].settings
        let packetsMax = settings.clientPacketsMax - 1
        let bytesMax = settings.clientBytesMax - packet.byteCount
        let underWay = self.clients[slot].outbox.underWay(in: self.packets)
        guard packetsMax >= (underWay == nil ? 0 : 1), bytesMax >= underWay?.byteCount ?? 0 else {
            return false
        }
        while self.clients[slot].outbox.count > packetsMax
            || self.clients[slot].outbox.bytes > bytesMax
        {
            guard let oldest = self.removeOldestWaiting(slot, &effects) else { return false }
            self.overflowed(oldest, slot, at: now, &effects)
        }
        return true
    }

    private mutating func removeOldestWaiting(
        _ slot: UInt32,
        _ effects: inout Effects
    ) -> StoredPacket? {
        guard
            let packet = self.clients[slot].outbox.removeOldestWaiting(from: &self.packets)
        else { return nil }
        self.outboxes.remove(bytes: packet.byteCount, &effects)
        return packet
    }

    private mutating func overflowed(
        _ packet: borrowing StoredPacket,
        _ slot: UInt32,
        at now: StoreInstant,
        _ effects: inout Effects
    ) {
        let realm = self.clients[slot].realm
        switch self.rules.realms[realm.index].settings.overflow {
        case .deadLetter:
            self.bury(packet, .overflow, slot, at: now, &effects)
        case .dropOldest:
            self.countLoss(slot, at: now)
            effects.happened.append(
                .dropped(packet.number, of: self.clients[slot].name, in: realm)
            )
        }
    }

    private mutating func bury(
        _ packet: borrowing StoredPacket,
        _ reason: DeadLetter.Reason,
        _ slot: UInt32,
        at now: StoreInstant,
        _ effects: inout Effects
    ) {
        self.countLoss(slot, at: now)
        effects.happened.append(
            .died(
                DeadLetter(
                    reason: reason,
                    direction: .toClient,
                    realm: self.clients[slot].realm,
                    client: self.clients[slot].name,
                    pool: nil,
                    number: packet.number,
                    attempts: 0,
                    contents: packet.contents,
                    diedAt: now
                )
            )
        )
    }
}

import Synchronization

/// From anybody who may push to clients.
extension PacketStore {
    /// Stores a packet for each of its recipients, or for none.
    ///
    /// With a `key`, a packet that was pushed in the realm with the same one is not stored again: the
    /// answer is that of the first one, which is waited for if it is under way.
    ///
    /// Effects: `.pushed`, or `.refused(.outboxFull)`; and for others.
    package func push(
        _ packet: Reply,
        key: PacketKey?,
        in realm: RealmID,
        ticket: Ticket,
        at now: StoreInstant,
        _ effects: inout Effects
    ) -> Progress {
        if self.journal != nil, let key,
            let numbers = self.pushed(key, in: realm, at: now)
        {
            effects.append(.pushed(ticket, numbers, isDuplicate: true))
            return .done
        }
        let progress = self.journaled(
            .push(packet, key: key, in: realm, ticket),
            unless: self.acceptsReplies ? nil : .outboxFull,
            &effects
        )
        if let progress { return progress }
        self.pushWritten(packet, key: key, in: realm, ticket: ticket, at: now, &effects)
        return .done
    }

    func pushWritten(
        _ packet: Reply,
        key: PacketKey?,
        in realm: RealmID,
        number: PacketNumber? = nil,
        ticket: Ticket,
        at now: StoreInstant,
        _ effects: inout Effects
    ) {
        guard let key, self.remembersKeys(in: realm) else {
            guard self.acceptsReplies else {
                effects.append(.refused(ticket, .outboxFull))
                self.takeBack(packet, number, &effects)
                return
            }
            let numbers = self.storeEach(packet, in: realm, number: number, at: now, &effects)
            effects.append(.pushed(ticket, numbers, isDuplicate: false))
            self.bury(&effects)
            return
        }
        let window = self.dedupeWindow(of: realm)
        let claim = self.pushKeys.withLock {
            $0.claim(key, in: realm, ticket, window: window, at: now)
        }
        switch claim {
        case .first:
            self.pushFirst(
                packet,
                key: key,
                in: realm,
                number: number,
                ticket: ticket,
                at: now,
                &effects
            )
        case .stored(let numbers):
            effects.append(.pushed(ticket, numbers, isDuplicate: true))
            self.takeBack(packet, number, &effects)
        case .underWay:
            // Answered together with the first.
            self.takeBack(packet, number, &effects)
        }
    }

    /// Stores the first packet with its key, and answers those that repeated it meanwhile.
    private func pushFirst(
        _ packet: Reply,
        key: PacketKey,
        in realm: RealmID,
        number: PacketNumber?,
        ticket: Ticket,
        at now: StoreInstant,
        _ effects: inout Effects
    ) {
        guard self.acceptsReplies else {
            let repeats = self.pushKeys.withLock { $0.refused(key, in: realm) }
            for ticket in [ticket] + repeats { effects.append(.refused(ticket, .outboxFull)) }
            if let number { effects.changes.append(.pushSettled(number, in: realm, nil)) }
            self.takeBack(packet, number, &effects)
            return
        }
        let numbers = self.storeEach(packet, in: realm, number: number, at: now, &effects)
        let max = self.settings(of: realm).dedupeKeysMax
        let repeats = self.pushKeys.withLock {
            $0.stored(key, in: realm, numbers, max: max, at: now)
        }
        if let number, numbers.contains(0) {
            effects.changes.append(.pushSettled(number, in: realm, numbers))
        }
        effects.append(.pushed(ticket, numbers, isDuplicate: false))
        for ticket in repeats { effects.append(.pushed(ticket, numbers, isDuplicate: true)) }
        self.bury(&effects)
    }

    /// A packet that is not stored goes from the journal, if it stands there already.
    private func takeBack(_ packet: Reply, _ number: PacketNumber?, _ effects: inout Effects) {
        guard let number else { return }
        for index in 0..<UInt64(packet.recipients.count) {
            effects.changes.append(.removed(number + index, .toClient))
        }
        self.bury(&effects)
    }

    /// Stores a packet for each of its recipients, under one lock after the other.
    ///
    /// - Parameter number: the number for the first of them, of consecutive ones; nil to take the next.
    /// - Returns: its numbers, in the order of the recipients; 0 where it became a dead letter.
    private func storeEach(
        _ packet: Reply,
        in realm: RealmID,
        number given: PacketNumber?,
        at now: StoreInstant,
        _ effects: inout Effects
    ) -> [PacketNumber] {
        var given = given
        var numbers: [PacketNumber] = []
        numbers.reserveCapacity(packet.recipients.count)
        packet.recipients.forEach { name in
            defer { given = given.map { $0 + 1 } }
            let number = self.withShard(of: name, in: realm) {
                $0.store(
                    packet.contents,
                    for: name,
                    in: realm,
                    from: packet.from,
                    number: given,
                    at: now,
                    &effects
                )
            }
            numbers.append(number ?? 0)
        }
        return numbers
    }
}

extension PacketStore {
    /// The numbers of the packet that was pushed in the realm with this key within the dedupe window, if one
    /// was.
    func pushed(_ key: PacketKey, in realm: RealmID, at now: StoreInstant) -> [PacketNumber]? {
        let window = self.dedupeWindow(of: realm)
        return self.pushKeys.withLock { $0.numbers(of: key, in: realm, window: window, at: now) }
    }
}

/// From backends and clients to clients.
extension PacketStore {
    /// Stores a packet that came by fetch.
    ///
    /// Effects: `.stored`, and for others.
    package func append(
        _ reply: Reply,
        in realm: RealmID,
        ticket: Ticket,
        at now: StoreInstant,
        _ effects: inout Effects
    ) -> Progress {
        if let progress = self.journaled(.append(reply, in: realm, ticket), &effects) {
            return progress
        }
        self.replyWritten(reply, in: realm, ticket: ticket, at: now, &effects)
        return .done
    }

    func replyWritten(
        _ reply: Reply,
        in realm: RealmID,
        number: PacketNumber? = nil,
        ticket: Ticket,
        at now: StoreInstant,
        _ effects: inout Effects
    ) {
        let number = self.store(reply, in: realm, number: number, at: now, &effects)
        effects.append(.stored(ticket, number ?? 0))
        self.bury(&effects)
    }

    /// Stores a packet of one client for others, at least one of them a debug server.
    ///
    /// Effects: `.stored`, `.duplicate` or `.refused`; and for others.
    package func send(
        _ contents: PacketContents,
        from session: Session,
        to recipients: Recipients,
        key: PacketKey? = nil,
        ticket: Ticket,
        at now: StoreInstant,
        _ effects: inout Effects
    ) -> Progress {
        if self.journal != nil,
            self.isRepeat(key, from: session, ticket: ticket, at: now, &effects)
        {
            return .done
        }
        let progress = self.journaled(
            .sendDirect(contents, from: session, to: recipients, key: key, ticket),
            unless: self.refusal(of: session, to: recipients, at: now),
            &effects
        )
        if let progress { return progress }
        self.packetWritten(
            contents,
            from: session,
            to: recipients,
            key: key,
            ticket: ticket,
            at: now,
            &effects
        )
        return .done
    }

    func packetWritten(
        _ contents: PacketContents,
        from session: Session,
        to recipients: Recipients,
        number: PacketNumber? = nil,
        key: PacketKey?,
        ticket: Ticket,
        at now: StoreInstant,
        _ effects: inout Effects
    ) {
        let isToBeStored = self.mayStore(
            key,
            number,
            from: session,
            to: recipients,
            ticket: ticket,
            at: now,
            &effects
        )
        guard isToBeStored else {
            if let number {
                for index in 0..<UInt64(recipients.count) {
                    effects.changes.append(.removed(number + index, .toClient))
                }
                if key != nil { effects.changes.append(.keyForgotten(number)) }
                self.bury(&effects)
            }
            return
        }
        let reply = Reply(recipients: recipients, contents: contents, from: session.name)
        self.replyWritten(
            reply,
            in: session.realm,
            number: number,
            ticket: ticket,
            at: now,
            &effects
        )
    }

    /// Asks for the oldest packet of the session's client.
    ///
    /// With `acknowledging` the session is in acknowledged mode from now on, and packets up to and
    /// including this number are gone; 0 acknowledges none.
    ///
    /// Effects: `.deliver`, `.held` (if `mayHold`), `.answerEmpty`, or `.refused(.sessionEnded)`;
    /// and for others.
    @discardableResult
    package func poll(
        _ session: Session,
        acknowledging number: PacketNumber? = nil,
        ticket: Ticket,
        mayHold: Bool,
        at now: StoreInstant,
        _ effects: inout Effects
    ) -> Progress {
        self.ask(
            mayHold ? .packetOrWait : .packet,
            session,
            acknowledging: number,
            ticket: ticket,
            at: now,
            &effects
        )
    }

    /// The same for a request that gets no packet, whatever waits.
    ///
    /// Effects: `.answerEmpty`, or `.refused(.sessionEnded)`; and for others.
    @discardableResult
    package func askNothing(
        _ session: Session,
        acknowledging number: PacketNumber?,
        ticket: Ticket,
        at now: StoreInstant,
        _ effects: inout Effects
    ) -> Progress {
        self.ask(
            .nothing,
            session,
            acknowledging: number,
            ticket: ticket,
            at: now,
            &effects
        )
    }

    private func ask(
        _ wish: PollWish,
        _ session: Session,
        acknowledging number: PacketNumber?,
        ticket: Ticket,
        at now: StoreInstant,
        _ effects: inout Effects
    ) -> Progress {
        if let number, self.changesAnything(session, upTo: number) {
            let progress = self.journaled(
                .acknowledge(session, upTo: number, wish, ticket),
                &effects
            )
            if let progress { return progress }
        }
        self.acknowledgementWritten(
            session,
            upTo: number,
            wish,
            ticket: ticket,
            at: now,
            &effects
        )
        return .done
    }

    /// Whether an acknowledgement is the first of its session or ends a packet; most that a held poll
    /// repeats do neither, and need not be written.
    private func changesAnything(_ session: Session, upTo number: PacketNumber) -> Bool {
        guard self.journal != nil, session.acknowledges else { return self.journal != nil }
        return self.withShard(session.client.shard) { shard in
            shard.hasPacket(of: session, upTo: number)
        }
    }

    func acknowledgementWritten(
        _ session: Session,
        upTo number: PacketNumber?,
        _ wish: PollWish,
        ticket: Ticket,
        at now: StoreInstant,
        _ effects: inout Effects
    ) {
        self.withShard(session.client.shard) {
            $0.poll(
                session,
                acknowledging: number,
                ticket: ticket,
                wish,
                at: now,
                &effects
            )
        }
        self.bury(&effects)
    }

    /// The client hung up, or the hold is over.
    ///
    /// True: the poll was held and is the caller's to answer. False: an effect for it is on its way.
    package func pollEnded(_ client: ClientHandle, ticket: Ticket) -> Bool {
        self.withShard(client.shard) { $0.pollEnded(client, ticket: ticket) }
    }

    /// The client's kernel has the packet: it is gone, unless it needs to be acknowledged.
    ///
    /// Effects: for others.
    package func deliveryProven(
        _ client: ClientHandle,
        _ number: PacketNumber,
        ticket: Ticket,
        at now: StoreInstant,
        _ effects: inout Effects
    ) {
        self.withShard(client.shard) {
            $0.deliveryProven(client, number, ticket: ticket, at: now, &effects)
        }
        self.bury(&effects)
    }

    /// An answer without a packet has arrived that told the client of losses, up to this one.
    package func lossesTold(
        _ client: ClientHandle,
        upTo mark: UInt64,
        _ effects: inout Effects
    ) {
        self.withShard(client.shard) { $0.lossesTold(client, upTo: mark, &effects) }
        self.bury(&effects)
    }

    /// Bytes were written and did not arrive: the packet, if it is not acknowledged meanwhile, is the
    /// first again, and marked as redelivered.
    ///
    /// Effects: for others.
    package func deliveryFailed(
        _ client: ClientHandle,
        _ number: PacketNumber,
        ticket: Ticket,
        at now: StoreInstant,
        _ effects: inout Effects
    ) {
        self.withShard(client.shard) {
            $0.deliveryEnded(
                client,
                number,
                ticket: ticket,
                bytesWereWritten: true,
                at: now,
                &effects
            )
        }
        self.bury(&effects)
    }

    /// Nothing was written, because the exchange was gone when the delivery reached it: the packet
    /// is the first again.
    ///
    /// Effects: for others.
    package func deliveryReturned(
        _ client: ClientHandle,
        _ number: PacketNumber,
        ticket: Ticket,
        at now: StoreInstant,
        _ effects: inout Effects
    ) {
        self.withShard(client.shard) {
            $0.deliveryEnded(
                client,
                number,
                ticket: ticket,
                bytesWereWritten: false,
                at: now,
                &effects
            )
        }
        self.bury(&effects)
    }

    /// Keeps a packet of a backend as a dead letter that cannot be stored for anybody; of one that
    /// is too large, nothing, but it counts as lost for its client if the store knows that.
    ///
    /// Effects: `.died`.
    package func bury(
        _ contents: PacketContents,
        _ reason: DeadLetter.Reason,
        in realm: RealmID,
        client: ClientName?,
        pool: PoolID,
        at now: StoreInstant,
        _ effects: inout Effects
    ) {
        let letter = DeadLetter(
            reason: reason,
            in: realm,
            client: client,
            pool: pool,
            contents: contents,
            at: now
        )
        self.countLoss(letter)
        effects.happened.append(.died(letter))
        self.bury(&effects)
    }

    /// Its client has lost a packet that was too large to be stored.
    func countLoss(_ letter: DeadLetter) {
        guard letter.reason == .tooLarge, let client = letter.client else { return }
        self.withShard(of: client, in: letter.realm) { shard in
            guard let slot = shard.slot(of: client, in: letter.realm) else { return }
            shard.countLoss(slot, at: letter.diedAt)
        }
    }

    /// Stores a packet for each of its recipients, under one lock after the other.
    ///
    /// - Parameter number: the number for the first of them, of consecutive ones; nil to take the next.
    /// - Returns: the number that it has for the first of those for whom it was stored.
    func store(
        _ reply: Reply,
        in realm: RealmID,
        number given: PacketNumber? = nil,
        at now: StoreInstant,
        _ effects: inout Effects
    ) -> PacketNumber? {
        var first: PacketNumber?
        var given = given
        reply.recipients.forEach { name in
            defer { given = given.map { $0 + 1 } }
            let number = self.withShard(of: name, in: realm) {
                $0.store(
                    reply.contents,
                    for: name,
                    in: realm,
                    from: reply.from,
                    number: given,
                    at: now,
                    &effects
                )
            }
            first = first ?? number
        }
        return first
    }

    /// Whether the packet of a session for recipients is to be stored; its key is taken then.
    ///
    /// Effects: `.duplicate` or `.refused` if it is not.
    private func mayStore(
        _ key: PacketKey?,
        _ number: PacketNumber?,
        from session: Session,
        to recipients: Recipients,
        ticket: Ticket,
        at now: StoreInstant,
        _ effects: inout Effects
    ) -> Bool {
        if self.isRepeat(key, from: session, ticket: ticket, at: now, &effects) { return false }
        if let refusal = self.refusal(of: session, to: recipients, at: now) {
            effects.append(.refused(ticket, refusal))
            return false
        }
        if let key, !self.claim(key, number, from: session, at: now, &effects) {
            let hasSeen = self.isRepeat(key, from: session, ticket: ticket, at: now, &effects)
            if !hasSeen { effects.append(.refused(ticket, .sessionEnded)) }
            return false
        }
        return true
    }

    /// Why the session may not send to the recipients, if it may not.
    private func refusal(
        of session: Session,
        to recipients: Recipients,
        at now: StoreInstant
    ) -> Refusal? {
        let isAlive = self.withShard(session.client.shard) { $0.slot(of: session) != nil }
        guard isAlive else { return .sessionEnded }
        var isAllowed = true
        recipients.forEach { name in
            isAllowed = isAllowed && self.mayAddress(name, from: session, at: now)
        }
        guard isAllowed else { return .recipientForbidden }
        return self.acceptsReplies ? nil : .outboxFull
    }
}

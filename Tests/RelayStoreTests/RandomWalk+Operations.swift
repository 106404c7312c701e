import RelayStore

extension RandomWalk {
    mutating func advance() {
        let milliseconds = [0, 0, 1, 300, 700, 1500, 5000][self.random(7)]
        self.moveClock(nanoseconds: UInt64(milliseconds) * 1_000_000 + UInt64(self.random(1000)))
    }

    // MARK: Sessions

    mutating func logIn() {
        let key = self.randomKey()
        let token = "token \(self.random(10))"
        let seconds = 1 + self.random(20)
        let isDebugServer = self.random(4) == 0
        let ticket = self.ticket()
        let login = Login(
            realm: self.realms[key.realm],
            name: StoreHarness.name(key.name),
            token: Array(token.utf8),
            tokenTTL: .seconds(seconds),
            isDebugServer: isDebugServer
        )
        _ = self.store.logIn(login, ticket: ticket, at: self.now, &self.effects)
        self.model.logIn(
            key,
            token: token,
            ttl: UInt64(seconds) * 1_000_000_000,
            isDebugServer: isDebugServer,
            ticket: ticket.handle
        )
        self.compareEffects("login of \(key) with \(token)")
        self.lookUp(token, in: key.realm)
    }

    mutating func lookUp(_ token: String, in realm: Int) {
        let session = self.store.session(
            forToken: Array(token.utf8).span,
            in: self.realms[realm],
            at: self.now
        )
        let expected = self.model.session(forToken: token, in: realm)
        if session?.name.description != expected?.0.name
            || session?.isDebugServer != expected?.1.isDebugServer
        {
            self.differ("\(token) is \(session?.name.description ?? "-"), not \(expected as Any)")
        }
        guard let session, let (key, model) = expected else { return }
        self.sessions.append(KnownSession(key: key, session: session, id: model.id))
        if self.sessions.count > 12 { self.sessions.removeFirst() }
    }

    // MARK: To backends

    mutating func send() {
        guard let known = self.randomSession() else { return }
        let pool = self.random(2)
        let text = self.text()
        let key = self.packetKey()
        let ticket = self.ticket()
        _ = self.store.send(
            StoreHarness.contents(text),
            from: known.session,
            to: self.pools[pool],
            key: key.flatMap(StoreHarness.key),
            ticket: ticket,
            at: self.now,
            &self.effects
        )
        self.model.send(
            text,
            from: known.key,
            session: known.id,
            to: pool,
            named: key,
            ticket: ticket.handle,
            loop: ticket.loop
        )
        self.compareEffects("send from \(known.key) to \(pool)")
    }

    mutating func consume() {
        guard let send = self.takeSend() else { return }
        let lane = self.lane(of: send)
        let names = self.random(3) == 0 ? nil : self.randomNames()
        let text = self.text()
        let number = send.packet.number
        if self.isUnderWay(number, lane, send.loop) {
            self.copies.ended += 1
            self.copies.stored += names?.count ?? 0
            if number <= self.copies.lastConsumed[lane, default: 0] {
                self.differ("\(number) was consumed out of order")
            }
            self.copies.lastConsumed[lane] = number
        }
        _ = self.store.consumed(
            send.lane,
            number,
            reply: names.map { StoreHarness.reply(text, for: $0) },
            loop: send.loop,
            at: self.now,
            &self.effects
        )
        self.model.consumed(
            lane.key,
            lane.pool,
            number,
            reply: names.map { (text, $0) },
            loop: send.loop
        )
        self.compareEffects("consumption of \(number)")
    }

    mutating func endAttempt() {
        guard let send = self.takeSend() else { return }
        let lane = self.lane(of: send)
        let number = send.packet.number
        switch self.random(3) {
        case 0:
            self.store.rejected(
                send.lane,
                number,
                reason: .rejected(status: 400),
                loop: send.loop,
                at: self.now,
                &self.effects
            )
            self.model.rejected(lane.key, lane.pool, number, loop: send.loop)
        case 1:
            self.store.releaseLane(send.lane, loop: send.loop)
            if self.lanes[lane] == send.lane {
                self.model.releaseLane(lane.key, lane.pool, loop: send.loop)
            }
        default:
            let isCounted = self.random(2) == 0
            self.store.attemptFailed(
                send.lane,
                number,
                isCounted: isCounted,
                loop: send.loop,
                at: self.now,
                &self.effects
            )
            self.model.attemptFailed(
                lane.key,
                lane.pool,
                number,
                isCounted: isCounted,
                loop: send.loop
            )
        }
        self.compareEffects("end of the attempt on \(number)")
    }

    mutating func nextAttempt() {
        let waiting = self.lanes.filter { lane, _ in
            let state = self.model.clients[lane.key]?.lanes[lane.pool]
            return state?.owner != nil && state?.isSending == false
        }
        guard let (lane, handle) = waiting.min(by: { $0.key.key.name < $1.key.key.name }),
            let loop = self.model.clients[lane.key]?.lanes[lane.pool]?.owner
        else { return }
        self.store.nextAttempt(handle, loop: loop, at: self.now, &self.effects)
        self.model.nextAttempt(lane.key, lane.pool, loop: loop)
        self.compareEffects("next attempt of \(lane)")
    }

    /// All lanes become nobody's.
    mutating func releaseLanes() {
        for (lane, handle) in self.lanes {
            for loop: UInt16 in 0..<3 {
                self.store.releaseLane(handle, loop: loop)
                self.model.releaseLane(lane.key, lane.pool, loop: loop)
            }
        }
    }

    mutating func adoptLanes() {
        let pool = self.random(2)
        let loop = UInt16(self.random(3))
        for shard in 0..<PacketStore.shardCount {
            self.store.adoptLanes(
                of: self.pools[pool],
                shard: shard,
                loop: loop,
                at: self.now,
                &self.effects
            )
        }
        self.model.adoptLanes(of: pool, loop: loop)
        self.compareEffects("adoption", inAnyOrder: true)
    }

    private func isUnderWay(_ number: PacketNumber, _ lane: KnownLane, _ loop: UInt16) -> Bool {
        guard let state = self.model.clients[lane.key]?.lanes[lane.pool] else { return false }
        return state.owner == loop && state.isSending && state.packets.first?.number == number
    }

    /// A packet that is or was under way to a backend; now and then it stays, to be ended twice.
    private mutating func takeSend() -> LaneSend? {
        guard !self.sends.isEmpty else { return nil }
        let index = self.random(self.sends.count)
        return self.random(8) == 0 ? self.sends[index] : self.sends.remove(at: index)
    }

    // MARK: To clients

    mutating func append() {
        let realm = self.random(2)
        let names = self.randomNames()
        let text = self.text()
        let ticket = self.ticket()
        _ = self.store.append(
            StoreHarness.reply(text, for: names),
            in: self.realms[realm],
            ticket: ticket,
            at: self.now,
            &self.effects
        )
        self.model.append(text, in: realm, for: names, ticket: ticket.handle)
        self.compareEffects("append for \(names)", copies: names.count)
    }

    mutating func sendDirect() {
        guard let known = self.randomSession() else { return }
        let names = self.randomNames()
        let text = self.text()
        let key = self.packetKey()
        let ticket = self.ticket()
        _ = self.store.send(
            StoreHarness.contents(text),
            from: known.session,
            to: StoreHarness.recipients(names),
            key: key.flatMap(StoreHarness.key),
            ticket: ticket,
            at: self.now,
            &self.effects
        )
        self.model.send(
            text,
            from: known.key,
            session: known.id,
            isDebugServer: known.session.isDebugServer,
            to: names,
            named: key,
            ticket: ticket.handle
        )
        self.compareEffects("send to \(names)", copies: names.count)
    }

    mutating func poll() {
        guard let known = self.randomSession() else { return }
        let ticket = self.ticket(loop: 0)
        let mayHold = self.random(4) != 0
        let number = self.acknowledgement(by: known.key)
        self.store.poll(
            known.session,
            acknowledging: number,
            ticket: ticket,
            mayHold: mayHold,
            at: self.now,
            &self.effects
        )
        self.model.poll(
            known.key,
            session: known.id,
            acknowledging: number,
            ticket: ticket.handle,
            mayHold: mayHold
        )
        self.polls.append((known.key, known.session.client, ticket.handle))
        self.compareEffects("poll of \(known.key)")
    }

    /// Some answer that told of losses has arrived.
    mutating func tellLosses() {
        guard !self.notices.isEmpty else { return }
        let notice = self.notices.remove(at: self.random(self.notices.count))
        self.store.lossesTold(notice.client, upTo: notice.upTo, &self.effects)
        // One of a record that was forgotten is refused.
        if self.store.isKnown(notice.client) {
            self.model.lossesTold(notice.key, upTo: notice.inModel)
        }
        self.compareEffects("losses told to \(notice.key)")
    }

    /// Of some clients, what a request acknowledges: nothing, a packet that is the first, or the one
    /// behind it, or the last thing that was delivered to anybody.
    private mutating func acknowledgement(by key: StoreModel.Key) -> PacketNumber? {
        guard key.name < "c3", self.random(3) != 0 else { return nil }
        let outbox = self.model.clients[key]?.outbox ?? []
        switch self.random(4) {
        case 0: return 0
        case 1: return outbox.dropFirst().first?.number
        case 2: return self.deliveries.last?.delivery.packet.number
        default: return outbox.first?.number
        }
    }

    mutating func endPoll() {
        guard !self.polls.isEmpty else { return }
        let poll = self.polls.remove(at: self.random(self.polls.count))
        let wasHeld = self.store.pollEnded(
            poll.client,
            ticket: Ticket(loop: 0, handle: poll.ticket)
        )
        if wasHeld != self.model.pollEnded(poll.key, ticket: poll.ticket) {
            self.differ("poll \(poll.ticket) was held: \(wasHeld)")
        }
    }

    mutating func endDelivery() {
        guard !self.deliveries.isEmpty else { return }
        let index = self.random(self.deliveries.count)
        let (key, delivery) = self.deliveries[index]
        // Now and then it stays, to be ended twice.
        if self.random(8) != 0 { self.deliveries.remove(at: index) }
        let (client, ticket, number) = (delivery.client, delivery.ticket, delivery.packet.number)
        var isRedelivered: Bool?
        switch self.random(4) {
        case 0:
            isRedelivered = true
            self.store.deliveryFailed(client, number, ticket: ticket, at: self.now, &self.effects)
        case 1:
            isRedelivered = false
            self.store.deliveryReturned(
                client,
                number,
                ticket: ticket,
                at: self.now,
                &self.effects
            )
        default:
            self.noteProof(of: number, to: key, ticket)
            self.store.deliveryProven(client, number, ticket: ticket, at: self.now, &self.effects)
        }
        self.model.deliveryEnded(
            key,
            number,
            ticket: ticket.handle,
            isRedelivered: isRedelivered
        )
        self.compareEffects("end of the delivery of \(number)")
    }

    private mutating func noteProof(
        of number: PacketNumber,
        to key: StoreModel.Key,
        _ ticket: Ticket
    ) {
        guard let client = self.model.clients[key], client.deliveries.contains(ticket.handle),
            client.outbox.first?.number == number, !client.needsAcknowledgement
        else { return }
        self.copies.ended += 1
        if number <= self.copies.lastProven[key, default: 0] {
            self.differ("\(number) was delivered out of order")
        }
        self.copies.lastProven[key] = number
    }

    // MARK: Everything

    mutating func sweep() {
        for shard in 0..<PacketStore.shardCount {
            self.store.sweep(shard: shard, at: self.now, &self.effects)
        }
        self.model.sweep()
        self.compareEffects("sweep", inAnyOrder: true)
    }

    /// Other limits, and after each kind of them a sweep: so that what a sweep removes never moves a
    /// limit that has just changed, which would depend on the order of the shards.
    mutating func reload() {
        self.sweep()
        self.changeRealmsAndPools()
        self.sweep()
        self.changeLimits()
        self.sweep()
    }

    private mutating func changeRealmsAndPools() {
        for index in 0..<2 {
            let seconds = 2 + self.random(20)
            var settings = RealmSettings()
            settings.packetTTL = .seconds(seconds)
            settings.clientPacketsMax = 1 + self.random(8)
            settings.clientBytesMax = 6 + self.random(60)
            settings.overflow = self.random(2) == 0 ? .deadLetter : .dropOldest
            settings.unknownClientsMax = 1 + self.random(4)
            let window = self.random(4) * 7
            settings.dedupeWindow = .seconds(window)
            settings.dedupeKeysMax = self.random(6)
            _ = self.store.realm(named: "realm \(index)", settings: settings)
            self.model.realms[index] = StoreModel.Realm(
                ttl: UInt64(seconds) * 1_000_000_000,
                packetsMax: settings.clientPacketsMax,
                bytesMax: settings.clientBytesMax,
                drops: settings.overflow == .dropOldest,
                strangersMax: settings.unknownClientsMax,
                keysMax: settings.dedupeKeysMax,
                window: UInt64(window) * 1_000_000_000
            )
            var inbox = InboxLimits()
            inbox.packetsMax = 4 + self.random(20)
            inbox.bytesMax = 20 + self.random(200)
            _ = self.store.pool(named: "pool \(index)", limits: inbox)
            self.model.inboxes[index] = StoreModel.Inbox(
                packetsMax: inbox.packetsMax,
                bytesMax: inbox.bytesMax
            )
        }
    }

    private mutating func changeLimits() {
        var limits = StoreLimits()
        limits.outboxPacketsMax = 8 + self.random(40)
        limits.outboxBytesMax = 100 + self.random(400)
        limits.deadLettersMax = 1 + self.random(20)
        limits.deadLettersKept = .seconds(100)
        self.store.setLimits(limits)
        self.model.outboxPacketsMax = limits.outboxPacketsMax
        self.model.outboxBytesMax = limits.outboxBytesMax
        self.model.deadLettersMax = limits.deadLettersMax
        self.model.deadLettersKept = 100 * 1_000_000_000
    }
}

@testable import RelayStore

extension CrashWalk {
    // MARK: To clients

    mutating func append() {
        let names = Set((0...self.random(3)).map { _ in self.randomName() }).sorted()
        let text = self.text()
        _ = self.model.begin()
        let copies = self.model.add(text, for: names, .toClient)
        let ticket = self.ticket()
        self.pending[ticket.handle] = .packet(copies, key: nil)
        let reply = StoreHarness.reply(text, for: names)
        if self.random(2) == 0 {
            _ = self.life.store.push(
                reply,
                key: nil,
                in: self.life.realm,
                ticket: ticket,
                at: self.clock.now,
                &self.effects
            )
        } else {
            _ = self.life.store.append(
                reply,
                in: self.life.realm,
                ticket: ticket,
                at: self.clock.now,
                &self.effects
            )
        }
    }

    /// A packet with a key, which is never refused.
    mutating func fetch() {
        guard self.life.store.acceptsReplies else { return }
        let name = self.randomName()
        let text = self.text()
        _ = self.model.begin()
        self.model.change(removing: nil, adding: self.model.add(text, for: [name], .toClient))
        let key = FetchKey(pool: self.life.pool, text: Array(text.utf8.prefix(8)))
        _ = self.life.store.fetched(
            .reply(StoreHarness.reply(text, for: [name])),
            FetchOrigin(key: key, target: 0, loop: 0),
            in: self.life.realm,
            at: self.clock.now,
            &self.effects
        )
    }

    /// Asks for a packet, and half of the clients acknowledge the last one they got.
    mutating func poll() {
        let name = self.randomName()
        guard let session = self.sessions[name] else { return }
        var number: PacketNumber?
        var ended: Int?
        if name < "c2", let index = self.deliveries.lastIndex(where: { $0.name == name }) {
            let packet = self.deliveries.remove(at: index).delivery.packet
            number = packet.number
            _ = self.model.begin()
            let copy = self.model.find(packet.contents.text, of: name)
            if let copy, self.model.copies[copy].state == .kept {
                self.model.change(removing: copy, isCertain: false)
                ended = copy
            }
        }
        let ticket = self.ticket()
        self.pending[ticket.handle] = .poll(name, ended)
        self.life.store.poll(
            session,
            acknowledging: number,
            ticket: ticket,
            mayHold: false,
            at: self.clock.now,
            &self.effects
        )
    }

    /// A client's kernel has a packet, or the connection broke.
    mutating func endDelivery() {
        guard !self.deliveries.isEmpty else { return }
        let index = self.random(self.deliveries.count)
        let (name, delivery) = self.deliveries.remove(at: index)
        if self.random(3) == 0 {
            self.life.store.deliveryFailed(
                delivery.client,
                delivery.packet.number,
                ticket: delivery.ticket,
                at: self.clock.now,
                &self.effects
            )
            return
        }
        _ = self.model.begin()
        if !delivery.needsAcknowledgement,
            let copy = self.model.find(delivery.packet.contents.text, of: name),
            self.model.copies[copy].state == .kept
        {
            // In acknowledged mode another delivery may need more than that.
            self.model.change(removing: copy, isCertain: name >= "c2")
        }
        self.life.store.deliveryProven(
            delivery.client,
            delivery.packet.number,
            ticket: delivery.ticket,
            at: self.clock.now,
            &self.effects
        )
    }

    // MARK: To the backend

    mutating func send() {
        let name = self.randomName()
        guard let session = self.sessions[name] else { return }
        let text = self.text()
        let key = self.random(3) == 0 ? "k\(self.random(6))" : nil
        _ = self.model.begin()
        let copies = self.model.add(text, for: [name], .toBackend)
        let ticket = self.ticket()
        let named = key.map { "\(name) \($0)" }
        if let named { self.keys[named, default: []] += copies }
        self.pending[ticket.handle] = .packet(copies, key: named)
        _ = self.life.store.send(
            StoreHarness.contents(text),
            from: session,
            to: self.life.pool,
            key: key.flatMap(StoreHarness.key),
            ticket: ticket,
            at: self.clock.now,
            &self.effects
        )
    }

    /// The backend takes a packet, with a reply or without.
    mutating func consume() {
        guard let (send, packet) = self.takeSend() else { return }
        var reply: Reply?
        var replies: [Int] = []
        _ = self.model.begin()
        if self.random(3) != 0 {
            let names = Set((0...self.random(2)).map { _ in self.randomName() }).sorted()
            let text = self.text()
            reply = StoreHarness.reply(text, for: names)
            replies = self.model.add(text, for: names, .toClient)
        }
        self.model.change(removing: packet, adding: replies)
        _ = self.life.store.consumed(
            send.lane,
            send.packet.number,
            reply: reply,
            loop: send.loop,
            at: self.clock.now,
            &self.effects
        )
    }

    mutating func reject() {
        guard let (send, packet) = self.takeSend() else { return }
        _ = self.model.begin()
        self.model.change(removing: packet, isDeath: true)
        self.life.store.rejected(
            send.lane,
            send.packet.number,
            reason: .rejected(status: 400),
            loop: send.loop,
            at: self.clock.now,
            &self.effects
        )
    }

    /// An attempt fails, and the next one begins at once.
    mutating func retry() {
        guard let (send, _) = self.takeSend() else { return }
        let now = self.clock.now
        self.life.store.attemptFailed(
            send.lane,
            send.packet.number,
            isCounted: true,
            loop: send.loop,
            at: now,
            &self.effects
        )
        self.life.store.nextAttempt(send.lane, loop: send.loop, at: now, &self.effects)
    }

    private mutating func takeSend() -> (LaneSend, packet: Int)? {
        guard !self.sends.isEmpty else { return nil }
        let send = self.sends.remove(at: self.random(self.sends.count))
        let name = send.packet.from?.description ?? ""
        guard let packet = self.model.find(send.packet.contents.text, of: name) else { return nil }
        return (send, packet)
    }

    // MARK: Sessions

    mutating func logIn() {
        let name = self.randomName()
        let ticket = self.ticket()
        let token = "token \(ticket.handle) of \(name)"
        let login = Login(
            realm: self.life.realm,
            name: StoreHarness.name(name),
            token: Array(token.utf8),
            tokenTTL: .seconds(3600),
            isDebugServer: false
        )
        self.model.sessionChanges[name, default: []].append(
            CrashModel.SessionChange(ticket: ticket.handle, token: token)
        )
        self.pending[ticket.handle] = .login(name)
        _ = self.life.store.logIn(login, ticket: ticket, at: self.clock.now, &self.effects)
    }

    mutating func logOut() {
        let name = self.randomName()
        guard let session = self.sessions[name],
            self.model.sessionChanges[name, default: []].isEmpty
        else { return }
        let ticket = self.ticket()
        self.model.sessionChanges[name] = [
            CrashModel.SessionChange(ticket: ticket.handle, token: nil)
        ]
        self.pending[ticket.handle] = .login(name)
        _ = self.life.store.logOut(session, ticket: ticket, &self.effects)
    }

    // MARK: The disk

    /// Copies the journal into the file, as the writer does every few thousand pages.
    mutating func checkpoint() {
        self.model.note("checkpoint")
        let mode = ["PASSIVE", "RESTART", "TRUNCATE"][self.random(3)]
        let database = try? Database(path: "\(self.disk.path)/relay.db", .writing)
        _ = try? database?.execute("PRAGMA wal_checkpoint(\(mode))")
    }

    mutating func failSyncs() {
        self.model.note("syncs fail")
        self.disk.failSyncs(1 + self.random(3))
    }

    // MARK: What follows

    /// Takes in what the store says, unless there is no power to say it.
    mutating func performEffects() {
        var effects: [Effect] = []
        while let effect = self.effects.next() { effects.append(effect) }
        effects += self.life.takeEffects()
        for event in self.life.takeEvents() { self.model.note("\(event)") }
        guard !self.disk.isOff else { return }
        for effect in effects { self.perform(effect) }
    }

    private mutating func perform(_ effect: Effect) {
        switch effect {
        case .stored(let ticket, let number): self.stored(ticket, number)
        case .pushed(let ticket, let numbers, _): self.stored(ticket, numbers.first ?? 0)
        case .duplicate(let ticket): self.duplicate(ticket)
        case .refused(let ticket, let refusal): self.refused(ticket, refusal)
        case .loggedIn(let ticket), .loggedOut(let ticket): self.sessionChanged(ticket)
        case .deliver(let delivery): self.delivered(delivery)
        case .answerEmpty(let ticket, _, _): _ = self.polled(ticket)
        case .send(let send):
            let name = send.packet.from?.description ?? ""
            self.model.seen(send.packet.contents.text, of: name, send.packet.number)
            self.sends.append(send)
        case .died(let letter) where letter.reason != .rejected(status: 400):
            self.model.broken("'\(letter.contents.text)' died: \(letter.reason)")
        default: break
        }
    }

    private mutating func stored(_ ticket: Ticket, _ number: PacketNumber) {
        guard case .packet(let copies, let key) = self.pending.removeValue(forKey: ticket.handle)
        else { return }
        if let key, self.hasStored(key) { self.model.broken("two are stored as \(key)") }
        self.model.stored(copies, firstNumber: number)
    }

    private mutating func duplicate(_ ticket: Ticket) {
        guard case .packet(let copies, let key?) = self.pending.removeValue(forKey: ticket.handle)
        else { return }
        if !self.hasStored(key) { self.model.broken("none was stored as \(key)") }
        self.model.refused(copies, couldBeWritten: false)
    }

    private func hasStored(_ key: String) -> Bool {
        self.keys[key, default: []].contains { self.model.copies[$0].answeredAt != nil }
    }

    private mutating func refused(_ ticket: Ticket, _ refusal: Refusal) {
        switch self.pending.removeValue(forKey: ticket.handle) {
        case .packet(let copies, _):
            self.model.refused(copies, couldBeWritten: refusal != .storeFailed)
        case .login(let name):
            self.model.sessionChanges[name]?.removeAll { $0.ticket == ticket.handle }
        case .poll, nil: break
        }
    }

    private mutating func sessionChanged(_ ticket: Ticket) {
        guard case .login(let name) = self.pending.removeValue(forKey: ticket.handle) else {
            return
        }
        let changes = self.model.sessionChanges[name] ?? []
        guard let index = changes.firstIndex(where: { $0.ticket == ticket.handle }) else { return }
        self.model.tokens[name] = changes[index].token
        self.model.sessionChanges[name] = Array(changes[(index + 1)...])
        self.sessions[name] = changes[index].token.flatMap { token in
            self.life.store.session(
                forToken: Array(token.utf8).span,
                in: self.life.realm,
                at: self.clock.now
            )
        }
    }

    /// A poll is answered, and what it acknowledged is gone; whose it was.
    private mutating func polled(_ ticket: Ticket) -> String? {
        guard case .poll(let name, let packet) = self.pending.removeValue(forKey: ticket.handle)
        else { return nil }
        if let packet { self.model.ended(packet) }
        return name
    }

    private mutating func delivered(_ delivery: Delivery) {
        guard let name = self.polled(delivery.ticket) else { return }
        self.model.seen(delivery.packet.contents.text, of: name, delivery.packet.number)
        self.deliveries.append((name, delivery))
    }
}

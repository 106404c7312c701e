@testable import RelayStore

/// A store out of which everything is taken, to see what was in it.
struct EmptiedStore: ~Copyable {
    let life: PowerCutLife
    private let clock: SimulatedClock
    private var effects = Effects()
    private var tickets: UInt64 = 0

    init(_ life: PowerCutLife, _ clock: SimulatedClock) {
        self.life = life
        self.clock = clock
    }

    /// What is there for these clients, and which of the tokens are good.
    mutating func all(of names: [String], tokens: [String: [String]]) -> CrashModel.Found {
        var found = CrashModel.Found()
        for (name, tokens) in tokens {
            found.tokens[name] = tokens.filter { self.session($0)?.name.description == name }
        }
        found.deadLetters = Set(self.life.store.keptDeadLetters().compactMap(\.number))
        for name in names { found.outboxes[name] = self.outbox(of: name) }
        found.inboxes = self.inboxes()
        return found
    }

    private func session(_ token: String) -> Session? {
        self.life.store.session(
            forToken: Array(token.utf8).span,
            in: self.life.realm,
            at: self.clock.now
        )
    }

    private mutating func outbox(of name: String) -> [(text: String, number: PacketNumber)] {
        let login = Login(
            realm: self.life.realm,
            name: StoreHarness.name(name),
            token: Array("emptying \(name)".utf8),
            tokenTTL: .seconds(3600),
            isDebugServer: false
        )
        _ = self.life.store.logIn(login, ticket: self.ticket(), at: self.clock.now, &self.effects)
        _ = self.answers()
        guard let session = self.session("emptying \(name)") else { return [] }
        var packets: [(text: String, number: PacketNumber)] = []
        while true {
            self.life.store.poll(
                session,
                ticket: self.ticket(),
                mayHold: false,
                at: self.clock.now,
                &self.effects
            )
            guard case .deliver(let delivery) = self.answers().first else { return packets }
            packets.append((delivery.packet.contents.text, delivery.packet.number))
            self.life.store.deliveryProven(
                delivery.client,
                delivery.packet.number,
                ticket: delivery.ticket,
                at: self.clock.now,
                &self.effects
            )
        }
    }

    private mutating func inboxes() -> [String: [(text: String, number: PacketNumber)]] {
        for shard in 0..<PacketStore.shardCount {
            self.life.store.adoptLanes(
                of: self.life.pool,
                shard: shard,
                loop: 0,
                at: self.clock.now,
                &self.effects
            )
        }
        var packets: [String: [(text: String, number: PacketNumber)]] = [:]
        while true {
            let answers = self.answers()
            if answers.isEmpty { return packets }
            for case .send(let send) in answers {
                packets[send.packet.from?.description ?? "", default: []]
                    .append((send.packet.contents.text, send.packet.number))
                _ = self.life.store.consumed(
                    send.lane,
                    send.packet.number,
                    reply: nil,
                    loop: send.loop,
                    at: self.clock.now,
                    &self.effects
                )
            }
        }
    }

    private mutating func ticket() -> Ticket {
        self.tickets += 1
        return StoreHarness.ticket(self.tickets)
    }

    /// What has followed, when nothing is left to do.
    private mutating func answers() -> [Effect] {
        while self.life.turn() {}
        var answers: [Effect] = []
        while let effect = self.effects.next() { answers.append(effect) }
        return answers + self.life.takeEffects()
    }
}

import Testing

@testable import RelayStore

struct LimitTests {
    private func settings(_ change: (inout RealmSettings) -> Void) -> RealmSettings {
        var settings = RealmSettings()
        change(&settings)
        return settings
    }

    @Test(arguments: Backing.allCases)
    func `the oldest packet of a full outbox becomes a dead letter`(on backing: Backing) throws {
        let harness = StoreHarness(on: backing, self.settings { $0.clientPacketsMax = 2 })
        let anna = try harness.login("anna")
        for text in ["one", "two"] { _ = harness.append(text, for: ["anna"]) }
        #expect(
            harness.append("three", for: ["anna"], ticket: 3) == [
                "stored 3", "died 'one' overflow",
            ]
        )
        #expect(try harness.received(by: anna) == ["two", "three"])
    }

    @Test(arguments: Backing.allCases)
    func `the oldest packet of a full outbox is dropped if that is wanted`(
        on backing: Backing
    ) throws {
        let harness = StoreHarness(
            on: backing,
            self.settings {
                $0.clientPacketsMax = 1
                $0.overflow = .dropOldest
            }
        )
        _ = harness.append("one", for: ["anna"])
        #expect(
            harness.append("two", for: ["anna"], ticket: 2) == ["stored 2", "dropped from anna"]
        )
        #expect(harness.store.statistics().deadLetters.packets == 0)
    }

    @Test(arguments: Backing.allCases)
    func `bytes count as well, and as many packets go as have to`(on backing: Backing) throws {
        let harness = StoreHarness(on: backing, self.settings { $0.clientBytesMax = 10 })
        let anna = try harness.login("anna")
        for text in ["aaaa", "bbb", "ccc"] { _ = harness.append(text, for: ["anna"]) }
        #expect(
            harness.append("dddddd", for: ["anna"], ticket: 4)
                == ["stored 4", "died 'aaaa' overflow", "died 'bbb' overflow"]
        )
        #expect(
            harness.append("eeeeeeeeeee", for: ["anna"], ticket: 5)
                == ["stored 5 for nobody", "died 'eeeeeeeeeee' overflow"]
        )
        #expect(try harness.received(by: anna) == ["ccc", "dddddd"])
    }

    @Test(arguments: Backing.allCases)
    func `a packet under delivery does not overflow`(on backing: Backing) throws {
        let harness = StoreHarness(on: backing, self.settings { $0.clientPacketsMax = 2 })
        let anna = try harness.login("anna")
        _ = harness.poll(anna, ticket: 1)
        for text in ["one", "two"] { _ = harness.append(text, for: ["anna"]) }
        #expect(
            harness.append("three", for: ["anna"], ticket: 2) == [
                "stored 2", "died 'two' overflow",
            ]
        )
        _ = try harness.end(1, .failed)
        #expect(
            harness.append("four", for: ["anna"], ticket: 3) == ["stored 3", "died 'one' overflow"]
        )
        #expect(try harness.received(by: anna) == ["three", "four"])
    }

    @Test(arguments: Backing.allCases)
    func `a packet beside one under delivery that fills the outbox goes itself`(
        on backing: Backing
    ) throws {
        let harness = StoreHarness(on: backing, self.settings { $0.clientPacketsMax = 1 })
        let anna = try harness.login("anna")
        _ = harness.poll(anna, ticket: 1)
        _ = harness.append("one", for: ["anna"])
        #expect(
            harness.append("two", for: ["anna"], ticket: 2)
                == ["stored 2 for nobody", "died 'two' overflow"]
        )
    }

    @Test(arguments: Backing.allCases)
    func `only so many ids that never logged in have packets`(on backing: Backing) throws {
        let harness = StoreHarness(on: backing, self.settings { $0.unknownClientsMax = 2 })
        for name in ["a", "b"] { _ = harness.append("x", for: [name]) }
        #expect(
            harness.append("y", for: ["c"], ticket: 1)
                == ["stored 1 for nobody", "died 'y' unknownClient"]
        )
        #expect(harness.append("y", for: ["a"], ticket: 2) == ["stored 2"])
        _ = try harness.login("a")
        #expect(harness.append("y", for: ["c"], ticket: 3) == ["stored 3"])
        #expect(harness.append("y", for: ["d"], ticket: 4).first == "stored 4 for nobody")
    }

    @Test(arguments: Backing.allCases)
    func `an id that is forgotten makes room for another`(on backing: Backing) {
        let harness = StoreHarness(
            on: backing,
            self.settings {
                $0.unknownClientsMax = 1
                $0.packetTTL = .seconds(1)
            }
        )
        _ = harness.append("x", for: ["a"])
        harness.advance(milliseconds: 1001)
        #expect(harness.sweep() == ["died 'x' expired"])
        #expect(harness.append("y", for: ["b"], ticket: 1) == ["stored 1"])
    }

    @Test(arguments: Backing.allCases)
    func `a full inbox refuses packets and takes them again`(on backing: Backing) throws {
        var inbox = InboxLimits()
        inbox.packetsMax = 2
        let harness = StoreHarness(on: backing, inbox: inbox)
        let anna = try harness.login("anna")
        let bert = try harness.login("bert")
        _ = harness.send("one", from: anna)
        _ = harness.send("two", from: bert)
        #expect(harness.send("three", from: anna, ticket: 3) == ["refused 3 inboxFull"])
        _ = try harness.consumed("two")
        #expect(harness.send("three", from: anna, ticket: 4) == ["stored 4"])
    }

    @Test(arguments: Backing.allCases)
    func `an inbox is full by bytes as well`(on backing: Backing) throws {
        var inbox = InboxLimits()
        inbox.bytesMax = 10
        let harness = StoreHarness(on: backing, inbox: inbox)
        let anna = try harness.login("anna")
        _ = harness.send("123456", from: anna)
        #expect(harness.send("12345", from: anna, ticket: 1) == ["refused 1 inboxFull"])
        #expect(harness.send("1234", from: anna, ticket: 2) == ["stored 2"])
    }

    @Test(arguments: Backing.allCases)
    func `full outboxes accept no replies until a sixteenth has gone`(on backing: Backing) throws {
        var limits = StoreLimits()
        limits.outboxPacketsMax = 32
        let harness = StoreHarness(on: backing, limits: limits)
        let server = try harness.login("server", isDebugServer: true)
        for index in 0..<31 { _ = harness.append("\(index)", for: ["server"]) }
        #expect(harness.store.acceptsReplies)
        _ = harness.append("last", for: ["server"])
        #expect(!harness.store.acceptsReplies)
        #expect(
            harness.send("x", from: server, to: ["anna"], ticket: 1) == ["refused 1 outboxFull"]
        )
        #expect(harness.append("given", for: ["server"], ticket: 2) == ["stored 2"])
        for ticket in 3...5 {
            _ = harness.poll(server, ticket: UInt64(ticket))
            #expect(try harness.end(UInt64(ticket), .proven) == [])
        }
        #expect(!harness.store.acceptsReplies)
        _ = harness.poll(server, ticket: 6)
        #expect(try harness.end(6, .proven) == ["repliesAccepted"])
        #expect(harness.store.acceptsReplies)
    }

    @Test(arguments: Backing.allCases)
    func `a reload that makes room is noticed by the sweep`(on backing: Backing) {
        var limits = StoreLimits()
        limits.outboxBytesMax = 4
        let harness = StoreHarness(on: backing, limits: limits)
        _ = harness.append("12345", for: ["anna"])
        #expect(!harness.store.acceptsReplies)
        harness.store.setLimits(StoreLimits())
        #expect(harness.sweep() == ["repliesAccepted"])
    }

    @Test(arguments: Backing.allCases)
    func `a realm and a pool keep their number over a reload`(on backing: Backing) {
        let harness = StoreHarness(on: backing)
        let other = harness.store.pool(named: "other", limits: InboxLimits())
        #expect(harness.store.pool(named: "backend", limits: InboxLimits()) == harness.pool)
        #expect(harness.store.realm(named: "app", settings: RealmSettings()) == harness.realm)
        #expect(other != harness.pool)
        #expect(harness.store.name(of: other) == "other")
        #expect(harness.store.name(of: harness.realm) == "app")
    }

    @Test(arguments: Backing.allCases)
    func `what a reload changes holds from then on`(on backing: Backing) throws {
        let harness = StoreHarness(on: backing)
        for text in ["one", "two", "three"] { _ = harness.append(text, for: ["anna"]) }
        _ = harness.store.realm(named: "app", settings: self.settings { $0.clientPacketsMax = 2 })
        #expect(harness.append("four", for: ["anna"]).count == 3)
        #expect(try harness.received(by: harness.login("anna")) == ["three", "four"])
    }
}

struct MemoryTests {
    @Test func `a burst gives its memory back`() {
        var settings = RealmSettings()
        settings.packetTTL = .seconds(10)
        let harness = StoreHarness(settings)
        for index in 0..<5000 {
            _ = harness.logIn("c\(index)", ttl: .seconds(10))
            for text in ["one", "two"] { _ = harness.append(text, for: ["c\(index)"]) }
        }
        #expect(harness.store.sum { $0.packets.count } == 10_000)
        #expect(harness.store.sum { $0.packets.chunkCount } < 10_000 / 64 + 64)
        harness.advance(milliseconds: 10_001)
        #expect(harness.sweep().count == 10_000)
        // That packets were lost is remembered as long as a packet waits.
        #expect(harness.store.sum { $0.clients.count } == 5000)
        harness.advance(milliseconds: 10_001)
        #expect(harness.sweep() == [])
        #expect(harness.store.sum { $0.packets.chunkCount + $0.clients.chunkCount } == 0)
        #expect(harness.store.sum { $0.slots.count } == 0)
    }
}

struct ExpiryTests {
    private func harness(on backing: Backing) -> StoreHarness {
        var settings = RealmSettings()
        settings.packetTTL = .seconds(10)
        return StoreHarness(on: backing, settings)
    }

    @Test(arguments: Backing.allCases)
    func `a packet that waited too long becomes a dead letter`(on backing: Backing) throws {
        let harness = self.harness(on: backing)
        _ = harness.append("one", for: ["anna"])
        harness.advance(milliseconds: 6000)
        _ = harness.append("two", for: ["anna"])
        harness.advance(milliseconds: 4000)
        #expect(harness.sweep() == [])
        harness.advance(milliseconds: 1)
        #expect(harness.sweep() == ["died 'one' expired"])
        #expect(try harness.received(by: harness.login("anna")) == ["two"])
        let letter = try #require(harness.store.keptDeadLetters().first)
        #expect(letter.direction == .toClient)
        #expect(letter.client == StoreHarness.name("anna"))
    }

    @Test(arguments: Backing.allCases)
    func `a poll gets nothing that has expired`(on backing: Backing) throws {
        let harness = self.harness(on: backing)
        let anna = try harness.login("anna")
        _ = harness.append("one", for: ["anna"])
        harness.advance(milliseconds: 10_001)
        #expect(harness.poll(anna, ticket: 1) == ["held 1", "died 'one' expired"])
    }

    @Test(arguments: Backing.allCases)
    func `a packet under delivery does not expire until that fails`(on backing: Backing) throws {
        let harness = self.harness(on: backing)
        let anna = try harness.login("anna")
        _ = harness.poll(anna, ticket: 1)
        for text in ["one", "two"] { _ = harness.append(text, for: ["anna"]) }
        harness.advance(milliseconds: 10_001)
        #expect(harness.sweep() == ["died 'two' expired"])
        #expect(try harness.end(1, .failed) == ["died 'one' expired"])
    }

    @Test(arguments: Backing.allCases)
    func `a packet under way to a backend does not expire until the attempt fails`(
        on backing: Backing
    ) throws {
        let harness = self.harness(on: backing)
        let anna = try harness.login("anna")
        for text in ["one", "two"] { _ = harness.send(text, from: anna) }
        harness.advance(milliseconds: 10_001)
        #expect(harness.sweep() == ["died 'two' expired"])
        _ = harness.send("three", from: anna)
        #expect(
            try harness.attemptFailed("one")
                == ["send@0 'three' attempts 0", "died 'one' expired"]
        )
        harness.advance(milliseconds: 10_001)
        #expect(try harness.attemptFailed("three") == ["idle@0", "died 'three' expired"])
    }

    @Test(arguments: Backing.allCases)
    func `a packet that waits for its next attempt expires`(on backing: Backing) throws {
        let harness = self.harness(on: backing)
        let anna = try harness.login("anna")
        _ = harness.send("one", from: anna)
        _ = try harness.attemptFailed("one")
        harness.advance(milliseconds: 10_001)
        #expect(harness.sweep() == ["died 'one' expired"])
        #expect(harness.send("two", from: anna, ticket: 2) == ["stored 2"])
        #expect(try harness.nextAttempt("one") == ["send@0 'two' attempts 0"])
        _ = try harness.attemptFailed("two")
        harness.advance(milliseconds: 10_001)
        #expect(try harness.nextAttempt("two") == ["idle@0", "died 'two' expired"])
    }

    @Test(arguments: Backing.allCases)
    func `a lane that is nobody's goes with its last packet`(on backing: Backing) throws {
        let harness = self.harness(on: backing)
        let anna = try harness.login("anna", ttl: .seconds(1))
        _ = harness.send("one", from: anna)
        _ = try harness.lane(of: "one") { store, send, _, _ in
            store.releaseLane(send.lane, loop: 0)
        }
        harness.advance(milliseconds: 10_001)
        #expect(harness.adoptLanes() == ["died 'one' expired"])
        _ = harness.sweep()
        #expect(harness.store.statistics().clients == 0)
        #expect(harness.store.statistics().waitingForBackends == Backlog(packets: 0, bytes: 0))
    }
}

struct DeadLetterTests {
    private func bury(_ text: String, _ reason: DeadLetter.Reason, in harness: StoreHarness) {
        var effects = Effects()
        harness.store.bury(
            StoreHarness.contents(text),
            reason,
            in: harness.realm,
            client: nil,
            pool: harness.pool,
            at: harness.now,
            &effects
        )
    }

    @Test(arguments: Backing.allCases)
    func `the oldest go out at the limits`(on backing: Backing) {
        var limits = StoreLimits()
        limits.deadLettersMax = 3
        limits.deadLetterBytesMax = 10
        let harness = StoreHarness(on: backing, limits: limits)
        for text in ["a", "b", "c", "d"] { self.bury(text, .noRecipient, in: harness) }
        #expect(harness.store.keptDeadLetters().map(\.contents.text) == ["b", "c", "d"])
        self.bury("123456789", .noRecipient, in: harness)
        #expect(harness.store.keptDeadLetters().map(\.contents.text) == ["d", "123456789"])
        #expect(harness.store.statistics().deadLetters == Backlog(packets: 2, bytes: 10))
        self.bury("12345678901", .noRecipient, in: harness)
        #expect(harness.store.keptDeadLetters().isEmpty)
    }

    @Test(arguments: Backing.allCases)
    func `they are kept for their time`(on backing: Backing) {
        var limits = StoreLimits()
        limits.deadLettersKept = .seconds(5)
        let harness = StoreHarness(on: backing, limits: limits)
        self.bury("a", .noRecipient, in: harness)
        harness.advance(milliseconds: 5000)
        _ = harness.sweep()
        #expect(harness.store.keptDeadLetters().count == 1)
        harness.advance(milliseconds: 1)
        _ = harness.sweep()
        #expect(harness.store.keptDeadLetters().isEmpty)
    }

    @Test(arguments: Backing.allCases)
    func `nothing is kept of what was too large`(on backing: Backing) throws {
        let harness = StoreHarness(on: backing)
        self.bury("large", .tooLarge, in: harness)
        let letter = try #require(harness.store.keptDeadLetters().first)
        #expect(letter.contents == .empty)
        #expect(letter.pool == harness.pool)
    }
}

import RelayStore
import Testing

struct LaneTests {
    @Test(arguments: Backing.allCases)
    func `the loop that stored a packet into an idle lane sends it`(on backing: Backing) throws {
        let harness = StoreHarness(on: backing)
        let anna = try harness.login("anna")
        #expect(
            harness.send("one", from: anna, ticket: 1, loop: 3)
                == ["stored 1", "send@3 'one' attempts 0"]
        )
        let packet = try #require(harness.sends["one"]).packet
        #expect(packet.from == anna.name)
        #expect(packet.number == harness.numbers[1])
    }

    @Test(arguments: Backing.allCases)
    func `one packet of a lane is under way at a time, in order`(on backing: Backing) throws {
        let harness = StoreHarness(on: backing)
        let anna = try harness.login("anna")
        _ = harness.send("one", from: anna, loop: 1)
        #expect(harness.send("two", from: anna, ticket: 2, loop: 2) == ["stored 2"])
        #expect(harness.send("three", from: anna, ticket: 3) == ["stored 3"])
        #expect(try harness.consumed("one") == ["send@1 'two' attempts 0"])
        #expect(try harness.consumed("two") == ["send@1 'three' attempts 0"])
        #expect(try harness.consumed("three") == ["idle@1"])
        #expect(
            harness.send("four", from: anna, ticket: 4) == ["stored 4", "send@0 'four' attempts 0"]
        )
    }

    @Test(arguments: Backing.allCases)
    func `pools and clients do not wait for each other`(on backing: Backing) throws {
        let harness = StoreHarness(on: backing)
        let anna = try harness.login("anna")
        let bert = try harness.login("bert")
        let other = harness.store.pool(named: "other", limits: InboxLimits())
        #expect(harness.send("a", from: anna).last == "send@0 'a' attempts 0")
        #expect(harness.send("b", from: anna, to: other).last == "send@0 'b' attempts 0")
        #expect(harness.send("c", from: bert).last == "send@0 'c' attempts 0")
        #expect(try harness.consumed("b") == ["idle@0"])
        #expect(try harness.consumed("a") == ["idle@0"])
    }

    @Test(arguments: Backing.allCases)
    func `the reply is stored before the next packet is sent`(on backing: Backing) throws {
        let harness = StoreHarness(on: backing)
        let anna = try harness.login("anna")
        _ = harness.poll(anna, ticket: 1)
        _ = harness.send("one", from: anna)
        _ = harness.send("two", from: anna)
        let reply = StoreHarness.reply("answer", for: ["anna"], from: "server")
        #expect(
            try harness.consumed("one", reply: reply)
                == ["deliver 1 'answer' more 0 from server", "send@0 'two' attempts 0"]
        )
    }

    @Test(arguments: Backing.allCases)
    func `a packet is consumed once and its reply stored once`(on backing: Backing) throws {
        let harness = StoreHarness(on: backing)
        let anna = try harness.login("anna")
        _ = harness.send("one", from: anna)
        let reply = StoreHarness.reply("answer", for: ["anna"])
        #expect(try harness.consumed("one", reply: reply) == ["idle@0"])
        #expect(try harness.consumed("one", reply: reply) == [])
        #expect(try harness.received(by: anna) == ["answer"])
    }

    @Test(arguments: Backing.allCases)
    func `a loop that no longer has the lane changes nothing`(on backing: Backing) throws {
        let harness = StoreHarness(on: backing)
        let anna = try harness.login("anna")
        _ = harness.send("one", from: anna, loop: 1)
        let first = try #require(harness.sends["one"])
        harness.store.releaseLane(first.lane, loop: 1)
        #expect(harness.adoptLanes(loop: 2) == ["send@2 'one' attempts 0"])
        var effects = Effects()
        let reply = StoreHarness.reply("answer", for: ["anna"])
        let number = first.packet.number
        _ = harness.store.consumed(
            first.lane,
            number,
            reply: reply,
            loop: 1,
            at: harness.now,
            &effects
        )
        harness.store.attemptFailed(
            first.lane,
            number,
            isCounted: true,
            loop: 1,
            at: harness.now,
            &effects
        )
        harness.store.rejected(
            first.lane,
            number,
            reason: .rejected(status: 400),
            loop: 1,
            at: harness.now,
            &effects
        )
        harness.store.nextAttempt(first.lane, loop: 1, at: harness.now, &effects)
        harness.store.releaseLane(first.lane, loop: 1)
        let effect = effects.next()
        #expect(effect?.text == nil)
        #expect(try harness.consumed("one", reply: reply) == ["idle@2"])
        #expect(try harness.received(by: anna) == ["answer"])
    }

    @Test(arguments: Backing.allCases)
    func `a failed attempt waits for the next one, counted or not`(on backing: Backing) throws {
        let harness = StoreHarness(on: backing)
        let anna = try harness.login("anna")
        _ = harness.send("one", from: anna)
        _ = harness.send("two", from: anna)
        #expect(try harness.attemptFailed("one") == [])
        #expect(harness.send("three", from: anna, ticket: 3) == ["stored 3"])
        #expect(try harness.consumed("one") == [])
        #expect(try harness.nextAttempt("one") == ["send@0 'one' attempts 1"])
        #expect(try harness.nextAttempt("one") == [])
        #expect(try harness.attemptFailed("one", isCounted: false) == [])
        #expect(try harness.nextAttempt("one") == ["send@0 'one' attempts 1"])
        #expect(try harness.consumed("one") == ["send@0 'two' attempts 0"])
    }

    @Test(arguments: Backing.allCases)
    func `a rejected packet is a dead letter and the next one is sent`(on backing: Backing) throws {
        let harness = StoreHarness(on: backing)
        let anna = try harness.login("anna")
        _ = harness.send("one", from: anna)
        _ = harness.send("two", from: anna)
        _ = try harness.attemptFailed("one")
        _ = try harness.nextAttempt("one")
        let effects = try harness.lane(of: "one") { store, send, now, effects in
            store.rejected(
                send.lane,
                send.packet.number,
                reason: .rejected(status: 422),
                loop: send.loop,
                at: now,
                &effects
            )
        }
        #expect(effects == ["send@0 'two' attempts 0", "died 'one' rejected(status: 422)"])
        let letter = try #require(harness.store.keptDeadLetters().first)
        #expect(letter.direction == .toBackend)
        #expect(letter.client == anna.name)
        #expect(letter.pool == harness.pool)
        #expect(letter.attempts == 2)
    }

    @Test(arguments: Backing.allCases)
    func `a released lane is taken up by a new packet, its oldest first`(on backing: Backing) throws
    {
        let harness = StoreHarness(on: backing)
        let anna = try harness.login("anna")
        _ = harness.send("one", from: anna, loop: 1)
        _ = try harness.lane(of: "one") { store, send, _, _ in
            store.releaseLane(send.lane, loop: 1)
        }
        #expect(
            harness.send("two", from: anna, ticket: 2, loop: 2)
                == ["stored 2", "send@2 'one' attempts 0"]
        )
        #expect(harness.adoptLanes(loop: 3) == [])
    }

    @Test(arguments: Backing.allCases)
    func `lanes are adopted for their pool only, and once`(on backing: Backing) throws {
        let harness = StoreHarness(on: backing)
        let other = harness.store.pool(named: "other", limits: InboxLimits())
        for name in ["anna", "bert", "carl"] {
            let session = try harness.login(name)
            for (pool, text) in [(harness.pool, "\(name) 1"), (other, "\(name) 2")] {
                _ = harness.send(text, from: session, to: pool, loop: 1)
                _ = try harness.lane(of: text) { store, send, _, _ in
                    store.releaseLane(send.lane, loop: 1)
                }
            }
        }
        #expect(
            harness.adoptLanes(of: other, loop: 2).sorted()
                == ["anna", "bert", "carl"].map { "send@2 '\($0) 2' attempts 0" }
        )
        #expect(harness.adoptLanes(of: other, loop: 3) == [])
        #expect(harness.adoptLanes(loop: 3).count == 3)
    }

    @Test(arguments: Backing.allCases)
    func `packets go on after their session has ended`(on backing: Backing) throws {
        let harness = StoreHarness(on: backing)
        let anna = try harness.login("anna", ttl: .seconds(1))
        _ = harness.send("one", from: anna)
        _ = harness.send("two", from: anna)
        harness.advance(milliseconds: 1001)
        _ = harness.sweep()
        #expect(try harness.consumed("one") == ["send@0 'two' attempts 0"])
        #expect(try harness.consumed("two") == ["idle@0"])
        _ = harness.sweep()
        #expect(harness.store.statistics() == StoreStatistics())
    }

    @Test(arguments: Backing.allCases)
    func `the backlog of a pool is what is not consumed`(on backing: Backing) throws {
        let harness = StoreHarness(on: backing)
        let anna = try harness.login("anna")
        _ = harness.send("12345", from: anna)
        _ = harness.send("678", from: anna)
        #expect(harness.store.backlog(of: harness.pool) == Backlog(packets: 2, bytes: 8))
        _ = try harness.consumed("12345")
        let pools = harness.store.pools()
        #expect(pools.map(\.name) == ["backend"])
        #expect(pools.first?.backlog == Backlog(packets: 1, bytes: 3))
    }
}

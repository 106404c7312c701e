import RelayStore
import Testing

struct DeliveryTests {
    @Test func `a poll gets the oldest packet and how many wait behind it`() throws {
        let harness = StoreHarness()
        let anna = try harness.login("anna")
        for text in ["one", "two", "three"] { _ = harness.append(text, for: ["anna"]) }
        #expect(harness.poll(anna, ticket: 1) == ["deliver 1 'one' more 2"])
    }

    @Test func `a held poll gets the packet as it comes`() throws {
        let harness = StoreHarness()
        let anna = try harness.login("anna")
        #expect(harness.poll(anna, ticket: 1) == ["held 1"])
        #expect(
            harness.append("one", for: ["anna"], ticket: 2) == [
                "deliver 1 'one' more 0", "stored 2",
            ]
        )
        #expect(harness.store.statistics().heldPolls == 0)
        #expect(harness.store.statistics().deliveries == 1)
    }

    @Test func `numbers grow and follow the clock`() throws {
        let harness = StoreHarness()
        _ = harness.append("one", for: ["anna"], ticket: 1)
        _ = harness.append("two", for: ["anna"], ticket: 2)
        harness.advance(milliseconds: 5)
        _ = harness.append("three", for: ["anna"], ticket: 3)
        let start: UInt64 = 1_700_000_000_000_000
        #expect(harness.numbers == [1: start, 2: start + 1, 3: start + 5000])
    }

    @Test func `numbers grow when the clock is set back`() {
        let harness = StoreHarness()
        harness.now.unixMicroseconds = 17
        _ = harness.append("one", for: ["anna"], ticket: 1)
        #expect(harness.numbers[1] == 1_700_000_000_000_000)
    }

    @Test func `no other packet goes out until the first is proven`() throws {
        let harness = StoreHarness()
        let anna = try harness.login("anna")
        for text in ["one", "two"] { _ = harness.append(text, for: ["anna"]) }
        _ = harness.poll(anna, ticket: 1)
        #expect(harness.poll(anna, ticket: 2) == ["check 1", "held 2"])
        #expect(harness.poll(anna, ticket: 3, mayHold: false) == ["check 1", "empty 3 more 1"])
        #expect(harness.append("three", for: ["anna"], ticket: 4) == ["stored 4"])
        #expect(try harness.end(1, .proven) == ["deliver 2 'two' more 1"])
    }

    @Test func `a failed delivery is first again and says so`() throws {
        let harness = StoreHarness()
        let anna = try harness.login("anna")
        for text in ["one", "two"] { _ = harness.append(text, for: ["anna"]) }
        _ = harness.poll(anna, ticket: 1)
        #expect(try harness.end(1, .failed) == [])
        #expect(harness.poll(anna, ticket: 2) == ["deliver 2 'one' more 1 again"])
        #expect(try harness.end(2, .proven) == [])
        #expect(harness.poll(anna, ticket: 3) == ["deliver 3 'two' more 0"])
    }

    @Test func `a returned delivery is first again and was never seen`() throws {
        let harness = StoreHarness()
        let anna = try harness.login("anna")
        _ = harness.append("one", for: ["anna"])
        _ = harness.poll(anna, ticket: 1)
        _ = harness.poll(anna, ticket: 2)
        #expect(try harness.end(1, .returned) == ["deliver 2 'one' more 0"])
        #expect(try harness.end(2, .failed) == [])
        #expect(harness.poll(anna, ticket: 3) == ["deliver 3 'one' more 0 again"])
        #expect(try harness.end(3, .returned) == [])
        #expect(harness.poll(anna, ticket: 4) == ["deliver 4 'one' more 0 again"])
    }

    @Test func `a delivery ends once, and by its own ticket`() throws {
        let harness = StoreHarness()
        let anna = try harness.login("anna")
        for text in ["one", "two"] { _ = harness.append(text, for: ["anna"]) }
        _ = harness.poll(anna, ticket: 1)
        _ = try harness.end(1, .returned)
        _ = harness.poll(anna, ticket: 2)
        #expect(try harness.end(1, .proven) == [])
        #expect(harness.store.statistics().waitingForClients.packets == 2)
        _ = try harness.end(2, .proven)
        #expect(try harness.end(2, .proven) == [])
        #expect(try harness.end(2, .failed) == [])
        #expect(harness.store.statistics().waitingForClients.packets == 1)
        #expect(harness.store.statistics().deliveries == 0)
    }

    @Test func `a packet for several goes to each of them once`() throws {
        let harness = StoreHarness()
        let anna = try harness.login("anna")
        let bert = try harness.login("bert")
        _ = harness.poll(bert, ticket: 1)
        #expect(
            harness.append("news", for: ["anna", "bert"], ticket: 2)
                == ["deliver 1 'news' more 0", "stored 2"]
        )
        #expect(try harness.received(by: anna) == ["news"])
        #expect(try harness.end(1, .proven) == [])
        #expect(try harness.received(by: bert) == [])
    }

    @Test func `a packet for nobody is stored for nobody`() {
        let harness = StoreHarness()
        #expect(harness.append("x", for: [], ticket: 1) == ["stored 1 for nobody"])
    }

    @Test func `packets wait for a client that has not come yet`() throws {
        let harness = StoreHarness()
        _ = harness.append("early", for: ["anna"])
        let anna = try harness.login("anna")
        #expect(try harness.received(by: anna) == ["early"])
    }
}

struct HeldPollTests {
    @Test func `a poll held for less than a second is not displaced`() throws {
        let harness = StoreHarness()
        let anna = try harness.login("anna")
        _ = harness.poll(anna, ticket: 1)
        harness.advance(milliseconds: 999)
        #expect(harness.poll(anna, ticket: 2) == ["held 2"])
        harness.advance(milliseconds: 1)
        #expect(harness.poll(anna, ticket: 3) == ["empty 1 more 0", "held 3"])
        harness.advance(milliseconds: 1000)
        #expect(harness.poll(anna, ticket: 4) == ["empty 2 more 0", "empty 3 more 0", "held 4"])
        #expect(harness.store.statistics().heldPolls == 1)
    }

    @Test func `a sixth poll displaces the oldest`() throws {
        let harness = StoreHarness()
        let anna = try harness.login("anna")
        for ticket in 1...5 {
            #expect(harness.poll(anna, ticket: UInt64(ticket)) == ["held \(ticket)"])
        }
        #expect(harness.poll(anna, ticket: 6) == ["empty 1 more 0", "held 6"])
        #expect(harness.store.statistics().heldPolls == 5)
    }

    @Test func `the newest poll gets the next packet`() throws {
        let harness = StoreHarness()
        let anna = try harness.login("anna")
        for ticket in 1...3 { _ = harness.poll(anna, ticket: UInt64(ticket)) }
        // Those that were held before wait for the proof from the start.
        #expect(
            harness.append("one", for: ["anna"]).prefix(2) == ["deliver 3 'one' more 0", "check 3"]
        )
        #expect(harness.append("two", for: ["anna"], ticket: 9) == ["stored 9"])
        #expect(try harness.end(3, .proven) == ["deliver 2 'two' more 0", "check 2"])
    }

    @Test func `a poll that does not wait disturbs nobody`() throws {
        let harness = StoreHarness()
        let anna = try harness.login("anna")
        _ = harness.poll(anna, ticket: 1)
        harness.advance(milliseconds: 5000)
        #expect(harness.poll(anna, ticket: 2, mayHold: false) == ["empty 2 more 0"])
        #expect(harness.append("one", for: ["anna"]).first == "deliver 1 'one' more 0")
    }

    @Test func `a poll that ended gets nothing`() throws {
        let harness = StoreHarness()
        let anna = try harness.login("anna")
        for ticket in 1...3 { _ = harness.poll(anna, ticket: UInt64(ticket)) }
        #expect(harness.pollEnded(anna, ticket: 3))
        #expect(!harness.pollEnded(anna, ticket: 3))
        #expect(harness.pollEnded(anna, ticket: 1))
        #expect(harness.append("one", for: ["anna"]).first == "deliver 2 'one' more 0")
        #expect(!harness.pollEnded(anna, ticket: 2))
    }
}

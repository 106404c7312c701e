import RelayStore
import Testing

struct DeliveryTests {
    @Test(arguments: Backing.allCases)
    func `a poll gets the oldest packet and how many wait behind it`(on backing: Backing) throws {
        let harness = StoreHarness(on: backing)
        let anna = try harness.login("anna")
        for text in ["one", "two", "three"] { _ = harness.append(text, for: ["anna"]) }
        #expect(harness.poll(anna, ticket: 1) == ["deliver 1 'one' more 2"])
    }

    @Test(arguments: Backing.allCases)
    func `a held poll gets the packet as it comes`(on backing: Backing) throws {
        let harness = StoreHarness(on: backing)
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

    @Test(arguments: Backing.allCases)
    func `numbers grow and follow the clock`(on backing: Backing) throws {
        let harness = StoreHarness(on: backing)
        _ = harness.append("one", for: ["anna"], ticket: 1)
        _ = harness.append("two", for: ["anna"], ticket: 2)
        harness.advance(milliseconds: 5)
        _ = harness.append("three", for: ["anna"], ticket: 3)
        let start: UInt64 = 1_700_000_000_000_000
        #expect(harness.numbers == [1: start, 2: start + 1, 3: start + 5000])
    }

    @Test(arguments: Backing.allCases)
    func `numbers grow when the clock is set back`(on backing: Backing) {
        let harness = StoreHarness(on: backing)
        harness.now.unixMicroseconds = 17
        _ = harness.append("one", for: ["anna"], ticket: 1)
        #expect(harness.numbers[1] == 1_700_000_000_000_000)
    }

    @Test(arguments: Backing.allCases)
    func `no other packet goes out until the first is proven`(on backing: Backing) throws {
        let harness = StoreHarness(on: backing)
        let anna = try harness.login("anna")
        for text in ["one", "two"] { _ = harness.append(text, for: ["anna"]) }
        _ = harness.poll(anna, ticket: 1)
        #expect(harness.poll(anna, ticket: 2) == ["check 1", "held 2"])
        #expect(harness.poll(anna, ticket: 3, mayHold: false) == ["check 1", "empty 3 more 1"])
        #expect(harness.append("three", for: ["anna"], ticket: 4) == ["stored 4"])
        #expect(try harness.end(1, .proven) == ["deliver 2 'two' more 1"])
    }

    @Test(arguments: Backing.allCases)
    func `a failed delivery is first again and says so`(on backing: Backing) throws {
        let harness = StoreHarness(on: backing)
        let anna = try harness.login("anna")
        for text in ["one", "two"] { _ = harness.append(text, for: ["anna"]) }
        _ = harness.poll(anna, ticket: 1)
        #expect(try harness.end(1, .failed) == [])
        #expect(harness.poll(anna, ticket: 2) == ["deliver 2 'one' more 1 again"])
        #expect(try harness.end(2, .proven) == [])
        #expect(harness.poll(anna, ticket: 3) == ["deliver 3 'two' more 0"])
    }

    @Test(arguments: Backing.allCases)
    func `a returned delivery is first again and was never seen`(on backing: Backing) throws {
        let harness = StoreHarness(on: backing)
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

    @Test(arguments: Backing.allCases)
    func `a delivery ends once, and by its own ticket`(on backing: Backing) throws {
        let harness = StoreHarness(on: backing)
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

    @Test(arguments: Backing.allCases)
    func `a packet for several goes to each of them once`(on backing: Backing) throws {
        let harness = StoreHarness(on: backing)
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

    @Test(arguments: Backing.allCases)
    func `a packet for nobody is stored for nobody`(on backing: Backing) {
        let harness = StoreHarness(on: backing)
        #expect(harness.append("x", for: [], ticket: 1) == ["stored 1 for nobody"])
    }

    @Test(arguments: Backing.allCases)
    func `packets wait for a client that has not come yet`(on backing: Backing) throws {
        let harness = StoreHarness(on: backing)
        _ = harness.append("early", for: ["anna"])
        let anna = try harness.login("anna")
        #expect(try harness.received(by: anna) == ["early"])
    }
}

struct HeldPollTests {
    @Test(arguments: Backing.allCases)
    func `a poll held for less than a second is not displaced`(on backing: Backing) throws {
        let harness = StoreHarness(on: backing)
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

    @Test(arguments: Backing.allCases)
    func `a sixth poll displaces the oldest`(on backing: Backing) throws {
        let harness = StoreHarness(on: backing)
        let anna = try harness.login("anna")
        for ticket in 1...5 {
            #expect(harness.poll(anna, ticket: UInt64(ticket)) == ["held \(ticket)"])
        }
        #expect(harness.poll(anna, ticket: 6) == ["empty 1 more 0", "held 6"])
        #expect(harness.store.statistics().heldPolls == 5)
    }

    @Test(arguments: Backing.allCases)
    func `the newest poll gets the next packet`(on backing: Backing) throws {
        let harness = StoreHarness(on: backing)
        let anna = try harness.login("anna")
        for ticket in 1...3 { _ = harness.poll(anna, ticket: UInt64(ticket)) }
        // Those that were held before wait for the proof from the start.
        #expect(
            harness.append("one", for: ["anna"]).prefix(2) == ["deliver 3 'one' more 0", "check 3"]
        )
        #expect(harness.append("two", for: ["anna"], ticket: 9) == ["stored 9"])
        #expect(try harness.end(3, .proven) == ["deliver 2 'two' more 0", "check 2"])
    }

    @Test(arguments: Backing.allCases)
    func `a poll that does not wait disturbs nobody`(on backing: Backing) throws {
        let harness = StoreHarness(on: backing)
        let anna = try harness.login("anna")
        _ = harness.poll(anna, ticket: 1)
        harness.advance(milliseconds: 5000)
        #expect(harness.poll(anna, ticket: 2, mayHold: false) == ["empty 2 more 0"])
        #expect(harness.append("one", for: ["anna"]).first == "deliver 1 'one' more 0")
    }

    @Test(arguments: Backing.allCases)
    func `a poll that ended gets nothing`(on backing: Backing) throws {
        let harness = StoreHarness(on: backing)
        let anna = try harness.login("anna")
        for ticket in 1...3 { _ = harness.poll(anna, ticket: UInt64(ticket)) }
        #expect(harness.pollEnded(anna, ticket: 3))
        #expect(!harness.pollEnded(anna, ticket: 3))
        #expect(harness.pollEnded(anna, ticket: 1))
        #expect(harness.append("one", for: ["anna"]).first == "deliver 2 'one' more 0")
        #expect(!harness.pollEnded(anna, ticket: 2))
    }
}

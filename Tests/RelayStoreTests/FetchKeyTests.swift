import RelayStore
import Testing

/// Packets that backends give with a key when they are asked.
struct FetchKeyTests {
    @Test(arguments: Backing.allCases)
    func `a packet is stored once, however often it comes`(on backing: Backing) throws {
        let harness = StoreHarness(on: backing)
        _ = harness.logIn("anna")
        let anna = try #require(harness.session("token of anna"))
        #expect(harness.fetched("one", key: "k", for: "anna") == ["fetched k stored"])
        #expect(harness.fetched("one", key: "k", for: "anna", target: 1) == ["fetched k"])
        #expect(harness.fetched("two", key: "l", for: "anna") == ["fetched l stored"])
        #expect(try harness.received(by: anna) == ["one", "two"])
        #expect(harness.fetched("one", key: "k", for: "anna") == ["fetched k"])
        #expect(harness.store.statistics().waitingForClients.packets == 0)
    }

    @Test(arguments: Backing.allCases)
    func `keys of one pool mean nothing in another`(on backing: Backing) {
        let harness = StoreHarness(on: backing)
        let other = harness.store.pool(named: "another", limits: InboxLimits())
        #expect(harness.fetched("one", key: "k", for: "anna") == ["fetched k stored"])
        #expect(
            harness.fetched("one", key: "k", for: "anna", pool: other) == ["fetched k stored"]
        )
    }

    @Test(arguments: Backing.allCases)
    func `a packet for nobody is a dead letter once`(on backing: Backing) {
        let harness = StoreHarness(on: backing)
        for _ in 0..<3 { _ = harness.fetched("one", key: "k", for: nil) }
        #expect(harness.store.keptDeadLetters().map(\.reason) == [.noRecipient])
    }

    @Test(arguments: Backing.allCases)
    func `a key is known for the dedupe window after it was dealt with`(on backing: Backing) {
        let harness = StoreHarness(on: backing)
        _ = harness.fetched("one", key: "k", for: "anna")
        harness.advance(milliseconds: 600_000)
        #expect(harness.fetched("one", key: "k", for: "anna") == ["fetched k"])
        harness.advance(milliseconds: 1)
        #expect(harness.fetched("one", key: "k", for: "anna") == ["fetched k stored"])
    }

    @Test func `one that is being written is not written again, and not said to be stored`() throws
    {
        let journal = HeldJournal()
        let harness = StoreHarness(journal: journal)
        for _ in 0..<3 { #expect(harness.fetched("one", key: "k", for: "anna") == []) }
        #expect(journal.commit(to: harness) == [0: ["fetched k stored"]])
        #expect(harness.store.statistics().waitingForClients.packets == 1)
        #expect(harness.fetched("one", key: "k", for: "anna") == ["fetched k"])
    }
}

import Testing

@testable import RelayStore

/// Packets with keys: what a client sends again is not stored again.
struct KeyTests {
    private func harness(
        on backing: Backing,
        window: Duration = .seconds(10),
        keysMax: Int = 1024
    ) -> StoreHarness {
        var settings = RealmSettings()
        settings.dedupeWindow = window
        settings.dedupeKeysMax = keysMax
        return StoreHarness(on: backing, settings)
    }

    @Test(arguments: Backing.allCases)
    func `a packet with the key of one before is not stored`(on backing: Backing) throws {
        let harness = self.harness(on: backing)
        let anna = try harness.login("anna")
        #expect(harness.send("one", from: anna, key: "a", ticket: 1).first == "stored 1")
        #expect(harness.send("one", from: anna, key: "a", ticket: 2) == ["duplicate 2"])
        #expect(harness.send("two", from: anna, key: "b", ticket: 3) == ["stored 3"])
        #expect(harness.send("two", from: anna, ticket: 4) == ["stored 4"])
        // Also after it was consumed.
        _ = try harness.consumed("one")
        #expect(harness.send("one", from: anna, key: "a", ticket: 5) == ["duplicate 5"])
        #expect(harness.store.backlog(of: harness.pool).packets == 2)
    }

    @Test(arguments: Backing.allCases)
    func `keys belong to a client, and outlast its session`(on backing: Backing) throws {
        let harness = self.harness(on: backing)
        let anna = try harness.login("anna")
        let bert = try harness.login("bert")
        _ = harness.send("one", from: anna, key: "a")
        #expect(harness.send("one", from: bert, key: "a", ticket: 1).first == "stored 1")
        let again = try harness.login("anna")
        #expect(harness.send("one", from: again, key: "a", ticket: 2) == ["duplicate 2"])
        #expect(harness.send("one", from: anna, key: "a", ticket: 3) == ["refused 3 sessionEnded"])
    }

    @Test(arguments: Backing.allCases)
    func `a key is forgotten after the window`(on backing: Backing) throws {
        let harness = self.harness(on: backing, window: .seconds(10))
        let anna = try harness.login("anna")
        _ = harness.send("one", from: anna, key: "a")
        harness.advance(milliseconds: 10_000)
        #expect(harness.send("one", from: anna, key: "a", ticket: 1) == ["duplicate 1"])
        harness.advance(milliseconds: 1)
        #expect(harness.send("one", from: anna, key: "a", ticket: 2) == ["stored 2"])
        #expect(harness.send("one", from: anna, key: "a", ticket: 3) == ["duplicate 3"])
    }

    @Test(arguments: Backing.allCases)
    func `of too many keys the newest are kept`(on backing: Backing) throws {
        let harness = self.harness(on: backing, keysMax: 3)
        let anna = try harness.login("anna")
        for key in ["a", "b", "c", "d"] { _ = harness.send(key, from: anna, key: key) }
        for key in ["d", "c", "b"] {
            #expect(harness.send("x", from: anna, key: key, ticket: 1) == ["duplicate 1"])
        }
        #expect(harness.send("x", from: anna, key: "a", ticket: 2) == ["stored 2"])
        #expect(harness.send("x", from: anna, key: "b", ticket: 3) == ["stored 3"])
    }

    @Test(arguments: Backing.allCases, [false, true])
    func `without a window or without keys every repeat is stored`(
        on backing: Backing,
        isWindow: Bool
    ) throws {
        let harness = self.harness(
            on: backing,
            window: isWindow ? .zero : .seconds(10),
            keysMax: isWindow ? 10 : 0
        )
        let anna = try harness.login("anna")
        for _ in 0..<3 { _ = harness.send("one", from: anna, key: "a") }
        #expect(harness.store.backlog(of: harness.pool).packets == 3)
        #expect(harness.store.sum { $0.extras.count } == 0)
    }

    @Test(arguments: Backing.allCases)
    func `a packet that was refused leaves no key`(on backing: Backing) throws {
        var inbox = InboxLimits()
        inbox.packetsMax = 1
        let harness = StoreHarness(on: backing, inbox: inbox)
        let anna = try harness.login("anna")
        _ = harness.send("one", from: anna)
        #expect(harness.send("two", from: anna, key: "a", ticket: 1) == ["refused 1 inboxFull"])
        _ = try harness.consumed("one")
        #expect(harness.send("two", from: anna, key: "a", ticket: 2).first == "stored 2")
        // A repeat needs no room.
        #expect(harness.send("two", from: anna, key: "a", ticket: 3) == ["duplicate 3"])
    }

    @Test(arguments: Backing.allCases)
    func `packets to other clients have keys as well`(on backing: Backing) throws {
        let harness = self.harness(on: backing)
        let anna = try harness.login("anna")
        _ = try harness.login("bert")
        #expect(
            harness.send("one", from: anna, to: ["bert"], key: "a", ticket: 1)
                == ["refused 1 recipientForbidden"]
        )
        _ = try harness.login("bert", isDebugServer: true)
        #expect(
            harness.send("one", from: anna, to: ["bert"], key: "a", ticket: 2) == ["stored 2"]
        )
        #expect(
            harness.send("one", from: anna, to: ["bert"], key: "a", ticket: 3) == ["duplicate 3"]
        )
        #expect(harness.store.statistics().waitingForClients.packets == 1)
    }

    @Test(arguments: Backing.allCases)
    func `a client is kept for its keys, and forgotten with the last of them`(
        on backing: Backing
    ) throws {
        let harness = self.harness(on: backing, window: .seconds(10))
        let anna = try harness.login("anna", ttl: .seconds(1))
        _ = harness.send("one", from: anna, key: "a")
        _ = try harness.consumed("one")
        harness.advance(milliseconds: 10_000)
        _ = harness.sweep()
        #expect(harness.store.statistics().clients == 1)
        harness.advance(milliseconds: 1)
        _ = harness.sweep()
        #expect(harness.store.statistics().clients == 0)
        #expect(harness.store.sum { $0.extras.count } == 0)
    }

    @Test func `a repeat waits for what becomes of the first, and needs no journal after it`()
        throws
    {
        let journal = HeldJournal()
        let harness = StoreHarness(journal: journal)
        _ = harness.logIn("anna")
        _ = journal.commit(to: harness)
        let anna = try #require(harness.session("token of anna"))
        #expect(harness.send("one", from: anna, key: "a", ticket: 1) == [])
        #expect(harness.send("one", from: anna, key: "a", ticket: 2) == [])
        #expect(
            journal.commit(to: harness)
                == [0: ["stored 1", "send@0 'one' attempts 0", "duplicate 2"]]
        )
        #expect(harness.send("one", from: anna, key: "a", ticket: 3) == ["duplicate 3"])

        // The first could not be written: the repeat is stored in its place.
        for ticket: UInt64 in [4, 5] {
            _ = harness.send("two", from: anna, key: "b", ticket: ticket)
        }
        #expect(
            journal.commit(to: harness, failing: [4])
                == [0: ["stored 5", "refused 4 storeFailed"]]
        )
        #expect(harness.store.backlog(of: harness.pool).packets == 2)
    }

    @Test(arguments: ["", " ", "a b", "\u{7f}", "é", String(repeating: "k", count: 129)])
    func `what is no key`(text: String) {
        #expect(StoreHarness.key(text) == nil)
    }
}

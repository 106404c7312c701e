import Synchronization
import Testing

@testable import RelayStore

/// Packets that somebody else than a client or a backend gives.
struct PushTests {
    @Test(arguments: Backing.allCases)
    func `a packet is stored for each recipient, under a number each`(on backing: Backing) throws {
        let harness = StoreHarness(on: backing)
        let anna = try harness.login("anna")
        let bob = try harness.login("bob")
        _ = harness.poll(anna, ticket: 1)
        #expect(
            harness.push("news", for: ["anna", "bob"], ticket: 2)
                == ["deliver 1 'news' more 0", "pushed 2 for 2 of 2"]
        )
        let numbers = try #require(harness.pushed[2])
        #expect(numbers[0] < numbers[1])
        #expect(harness.deliveries[1]?.packet.number == numbers[0])
        #expect(try harness.received(by: bob) == ["news"])
    }

    @Test(arguments: Backing.allCases)
    func `a repeat with the same key has the same numbers and is not stored`(
        on backing: Backing
    ) throws {
        let harness = StoreHarness(on: backing)
        let anna = try harness.login("anna")
        _ = harness.push("news", for: ["anna", "bob"], key: "k", ticket: 1)
        #expect(
            harness.push("other", for: ["anna"], key: "k", ticket: 2)
                == ["pushed 2 for 2 of 2 again"]
        )
        #expect(harness.pushed[1] == harness.pushed[2])
        #expect(harness.push("more", for: ["anna"], key: "l") == ["pushed 0 for 1 of 1"])
        #expect(harness.push("much", for: ["anna"]) == ["pushed 0 for 1 of 1"])
        #expect(try harness.received(by: anna) == ["news", "more", "much"])
    }

    @Test(arguments: Backing.allCases)
    func `a key is forgotten after the window, the oldest when there are too many`(
        on backing: Backing
    ) {
        var settings = RealmSettings()
        settings.dedupeWindow = .seconds(1)
        settings.dedupeKeysMax = 2
        let harness = StoreHarness(on: backing, settings)
        _ = harness.push("one", for: ["anna"], key: "1")
        harness.advance(milliseconds: 1000)
        #expect(harness.push("one", for: ["anna"], key: "1") == ["pushed 0 for 1 of 1 again"])
        harness.advance(milliseconds: 1)
        #expect(harness.push("one", for: ["anna"], key: "1") == ["pushed 0 for 1 of 1"])

        _ = harness.push("two", for: ["anna"], key: "2")
        _ = harness.push("three", for: ["anna"], key: "3")
        #expect(harness.push("three", for: ["anna"], key: "3") == ["pushed 0 for 1 of 1 again"])
        #expect(harness.push("two", for: ["anna"], key: "2") == ["pushed 0 for 1 of 1 again"])
        #expect(harness.push("one", for: ["anna"], key: "1") == ["pushed 0 for 1 of 1"])
    }

    @Test(arguments: Backing.allCases)
    func `a sweep forgets keys that nobody asks for`(on backing: Backing) {
        let harness = StoreHarness(on: backing)
        _ = harness.push("one", for: ["anna"], key: "1")
        #expect(harness.store.pushKeys.withLock { $0.count(in: harness.realm) } == 1)
        harness.advance(milliseconds: 600_001)
        _ = harness.sweep()
        #expect(harness.store.pushKeys.withLock { $0.count(in: harness.realm) } == 0)
    }

    @Test(arguments: [false, true], Backing.allCases)
    func `where keys are not remembered each push is stored`(isWindow: Bool, on backing: Backing) {
        var settings = RealmSettings()
        if isWindow { settings.dedupeWindow = .zero } else { settings.dedupeKeysMax = 0 }
        let harness = StoreHarness(on: backing, settings)
        for _ in 0..<2 {
            #expect(harness.push("news", for: ["anna"], key: "1") == ["pushed 0 for 1 of 1"])
        }
        #expect(harness.store.statistics().waitingForClients.packets == 2)
    }

    @Test func `each realm has keys of its own`() {
        let harness = StoreHarness()
        let other = harness.store.realm(named: "other", settings: RealmSettings())
        var effects = Effects()
        _ = harness.push("one", for: ["anna"], key: "1")
        _ = harness.store.push(
            StoreHarness.reply("one", for: ["anna"]),
            key: StoreHarness.key("1"),
            in: other,
            ticket: StoreHarness.ticket(1),
            at: harness.now,
            &effects
        )
        let effect = effects.next()
        #expect(effect?.text == "pushed 1 for 1 of 1")
    }

    @Test(arguments: Backing.allCases)
    func `full outboxes refuse a packet for all of its recipients, and its key is free`(
        on backing: Backing
    )
        throws
    {
        var limits = StoreLimits()
        limits.outboxPacketsMax = 1
        let harness = StoreHarness(on: backing, limits: limits)
        let anna = try harness.login("anna")
        _ = harness.push("one", for: ["anna"], key: "1", ticket: 1)
        #expect(harness.push("two", for: ["anna"], key: "2") == ["refused 0 outboxFull"])
        #expect(harness.push("two", for: ["anna"]) == ["refused 0 outboxFull"])
        // What is stored is known, though there is no room.
        #expect(harness.push("one", for: ["anna"], key: "1") == ["pushed 0 for 1 of 1 again"])
        #expect(try harness.received(by: anna) == ["one"])
        #expect(harness.push("two", for: ["anna"], key: "2") == ["pushed 0 for 1 of 1"])
    }

    @Test(arguments: Backing.allCases)
    func `what becomes a dead letter at once has the number 0`(on backing: Backing) {
        var settings = RealmSettings()
        settings.unknownClientsMax = 1
        let harness = StoreHarness(on: backing, settings)
        _ = harness.logIn("anna")
        #expect(
            harness.push("news", for: ["bob", "carol", "anna"], ticket: 1)
                == ["pushed 1 for 2 of 3", "died 'news' unknownClient"]
        )
        #expect(harness.pushed[1]?[1] == 0)
    }

    @Test func `a push happens when it is written, and its repeat after it`() {
        let journal = HeldJournal()
        let harness = StoreHarness(journal: journal)
        #expect(harness.push("news", for: ["anna", "bob"], key: "k", ticket: 1) == [])
        #expect(harness.push("news", for: ["anna", "bob"], key: "k", ticket: 2, loop: 1) == [])
        #expect(harness.store.statistics().waitingForClients.packets == 0)
        #expect(
            journal.commit(to: harness)
                == [0: ["pushed 1 for 2 of 2"], 1: ["pushed 2 for 2 of 2 again"]]
        )
        #expect(harness.store.statistics().waitingForClients.packets == 2)
    }

    @Test func `a push that could not be written leaves nothing, and its repeat is stored`() {
        let journal = HeldJournal()
        let harness = StoreHarness(journal: journal)
        _ = harness.push("news", for: ["anna", "bob"], key: "k", ticket: 1)
        #expect(journal.commit(to: harness, failing: [1]) == [0: ["refused 1 storeFailed"]])
        #expect(harness.store.statistics().waitingForClients.packets == 0)
        _ = harness.push("news", for: ["anna", "bob"], key: "k", ticket: 2)
        #expect(journal.commit(to: harness) == [0: ["pushed 2 for 2 of 2"]])
    }

    @Test func `of pushes with one key at the same time one is stored`() {
        let store = StoreHarness().store
        let realm = store.realm(named: "app", settings: RealmSettings())
        let now = StoreInstant(nanoseconds: 1, unixMicroseconds: 1_700_000_000_000_000)
        let answers = Mutex<[Bool]>([])
        let keys = 200
        onThreads(4) { thread in
            var effects = Effects()
            for key in 0..<keys {
                _ = store.push(
                    StoreHarness.reply("news", for: ["anna\(key % 7)"]),
                    key: StoreHarness.key("\(key)"),
                    in: realm,
                    ticket: Ticket(loop: UInt16(thread), handle: UInt64(key)),
                    at: now,
                    &effects
                )
                while let effect = effects.next() {
                    guard case .pushed(_, _, let isDuplicate) = effect else { continue }
                    answers.withLock { $0.append(isDuplicate) }
                }
            }
        }
        // Who came second while the first was stored is answered by the first's thread.
        #expect(answers.withLock { $0.count } == 4 * keys)
        #expect(answers.withLock { $0.count { !$0 } } == keys)
        #expect(store.statistics().waitingForClients.packets == keys)
    }
}

/// The table alone: what two threads do at the same time, step by step.
struct PushKeysTests {
    private let realm = RealmID(index: 0)
    private let now = StoreInstant(nanoseconds: 1, unixMicroseconds: 1)

    private let key: PacketKey

    init() throws {
        self.key = try #require(StoreHarness.key("k"))
    }

    private func claim(_ keys: inout PushKeys, _ ticket: UInt64) -> PushKeys.Claim {
        keys.claim(
            self.key,
            in: self.realm,
            StoreHarness.ticket(ticket),
            window: 600_000_000_000,
            at: self.now
        )
    }

    @Test func `who repeats a push under way hears what became of it`() {
        var keys = PushKeys()
        #expect(self.claim(&keys, 1) == .first)
        #expect(self.claim(&keys, 2) == .underWay)
        #expect(self.claim(&keys, 3) == .underWay)
        #expect(
            keys.stored(self.key, in: self.realm, [7], max: 1024, at: self.now)
                == [2, 3].map(StoreHarness.ticket)
        )
        #expect(self.claim(&keys, 4) == .stored([7]))
    }

    @Test func `a push that is refused is refused to who repeated it, and the key is free`() {
        var keys = PushKeys()
        #expect(self.claim(&keys, 1) == .first)
        #expect(self.claim(&keys, 2) == .underWay)
        #expect(keys.refused(self.key, in: self.realm) == [StoreHarness.ticket(2)])
        #expect(self.claim(&keys, 3) == .first)
    }
}

import RelayStore
import Synchronization
import Testing

struct JournalTests {
    @Test func `an operation that is being written has not happened`() throws {
        let journal = HeldJournal()
        let harness = StoreHarness(journal: journal)
        #expect(harness.logIn("anna", ticket: 1) == [])
        #expect(harness.session("token of anna") == nil)
        #expect(journal.commit(to: harness) == [0: ["loggedIn 1"]])
        let anna = try #require(harness.session("token of anna"))

        #expect(harness.send("one", from: anna, ticket: 2, loop: 3) == [])
        #expect(harness.append("news", for: ["anna"], ticket: 4) == [])
        #expect(harness.poll(anna, ticket: 5) == ["held 5"])
        #expect(harness.store.backlog(of: harness.pool).packets == 0)
        #expect(
            journal.commit(to: harness) == [
                3: ["stored 2", "send@3 'one' attempts 0"],
                0: ["deliver 5 'news' more 0", "stored 4"],
            ]
        )
    }

    @Test func `numbers follow the order of commits`() throws {
        let journal = HeldJournal()
        let harness = StoreHarness(journal: journal)
        _ = harness.append("one", for: ["anna"])
        _ = harness.append("two", for: ["anna"])
        journal.operations.withLock { $0.reverse() }
        _ = journal.commit(to: harness)
        _ = harness.logIn("anna")
        _ = journal.commit(to: harness)
        let anna = try #require(harness.session("token of anna"))
        #expect(try harness.received(by: anna) == ["two", "one"])
    }

    @Test func `what could not be written is refused and leaves nothing`() throws {
        let journal = HeldJournal()
        let harness = StoreHarness(journal: journal)
        _ = harness.append("one", for: ["anna"], ticket: 1)
        _ = harness.append("two", for: ["anna"], ticket: 2)
        #expect(
            journal.commit(to: harness, failing: [1])
                == [0: ["stored 2", "refused 1 storeFailed"]]
        )
        #expect(harness.store.statistics().waitingForClients.packets == 1)
    }

    @Test func `a session that ended while its packet was written is refused`() throws {
        let journal = HeldJournal()
        let harness = StoreHarness(journal: journal)
        _ = harness.logIn("anna", ticket: 1)
        _ = journal.commit(to: harness)
        let anna = try #require(harness.session("token of anna"))
        _ = harness.logIn("anna", token: "new", ticket: 2)
        _ = harness.send("one", from: anna, ticket: 3)
        #expect(journal.commit(to: harness) == [0: ["loggedIn 2", "refused 3 sessionEnded"]])
    }

    @Test func `a packet stays under way until its consumption is written, once`() throws {
        let journal = HeldJournal()
        let harness = StoreHarness(journal: journal)
        _ = harness.logIn("anna")
        _ = journal.commit(to: harness)
        let anna = try #require(harness.session("token of anna"))
        for text in ["one", "two"] { _ = harness.send(text, from: anna) }
        let sent = journal.commit(to: harness)
        #expect(sent[0]?.last == "stored 0")
        let send = try #require(journal.sends.withLock { $0.first })
        var effects = Effects()
        for _ in 0..<2 {
            let progress = harness.store.consumed(
                send.lane,
                send.packet.number,
                reply: StoreHarness.reply("answer", for: ["anna"]),
                loop: 0,
                at: harness.now,
                &effects
            )
            guard case .pending = progress else {
                Issue.record("it happened before it was written")
                return
            }
        }
        let effect = effects.next()
        #expect(effect?.text == nil)
        #expect(harness.store.backlog(of: harness.pool).packets == 2)
        #expect(journal.commit(to: harness) == [0: ["send@0 'two' attempts 0"]])
        #expect(harness.store.statistics().waitingForClients.packets == 1)
    }

    @Test func `an acknowledgement that is being written has not happened`() throws {
        let journal = HeldJournal()
        let harness = StoreHarness(journal: journal)
        _ = harness.logIn("anna")
        _ = harness.append("one", for: ["anna"], ticket: 1)
        _ = journal.commit(to: harness)
        let anna = try #require(harness.session("token of anna"))
        #expect(harness.poll(anna, upTo: 0, ticket: 2) == [])
        #expect(journal.commit(to: harness) == [0: ["deliver 2 'one' more 0"]])
        #expect(harness.session("token of anna")?.acknowledges == true)
        #expect(harness.poll(anna, upTo: .max, ticket: 3) == [])
        #expect(harness.store.statistics().waitingForClients.packets == 1)
        #expect(journal.commit(to: harness) == [0: ["acknowledged@0 1", "held 3"]])
        #expect(harness.poll(anna, upTo: .max, ticket: 4) == [])
        #expect(
            journal.commit(to: harness, failing: [4]) == [0: ["refused 4 storeFailed"]]
        )
    }

    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func `every packet arrives in order however commits are delayed, batched and failed`(
        seed: UInt64
    ) throws {
        var generator = SeededGenerator(seed: seed)
        let journal = HeldJournal()
        let harness = StoreHarness(journal: journal)
        var expected: [String] = []
        for step in 0..<200 {
            let ticket = UInt64(step + 1)
            _ = harness.append("\(step)", for: ["anna"], ticket: ticket)
            let fails = Int.random(in: 0..<4, using: &generator) == 0
            if fails {
                journal.failing.withLock { _ = $0.insert(ticket) }
            } else {
                expected.append("\(step)")
            }
            if Bool.random(using: &generator) { _ = journal.commit(to: harness) }
        }
        _ = harness.logIn("anna")
        _ = journal.commit(to: harness)
        let anna = try #require(harness.session("token of anna"))
        #expect(try harness.received(by: anna) == expected, "seed \(seed)")
    }
}

/// Keeps operations until a test commits them, or fails them.
///
/// Unlike a real one it writes nothing, and commits only when told.
final class HeldJournal: Journal, StoreEvents {
    let operations = Mutex<[StoreOperation]>([])
    let failing = Mutex<Set<UInt64>>([])
    let sends = Mutex<[LaneSend]>([])
    private let texts = Mutex<[UInt16?: [String]]>([:])

    func write(_ operation: StoreOperation) -> JournalAnswer {
        self.operations.withLock { $0.append(operation) }
        return .pending
    }

    /// Commits everything but the operations of the tickets that fail.
    ///
    /// - Returns: what each loop heard.
    func commit(to harness: StoreHarness, failing: Set<UInt64> = []) -> [UInt16?: [String]] {
        let failing = self.failing.withLock { $0 }.union(failing)
        let operations = self.operations.withLock { operations in
            defer { operations = [] }
            return operations
        }
        let tickets = operations.compactMap(\.ticket).filter { failing.contains($0.handle) }
        harness.store.committed(
            operations.filter { $0.ticket.map { !tickets.contains($0) } ?? true },
            failed: tickets,
            at: harness.now,
            to: self
        )
        return self.texts.withLock { texts in
            defer { texts = [:] }
            return texts
        }
    }

    func committed(_ effects: [Effect], loop: UInt16?) {
        self.texts.withLock { $0[loop, default: []] += effects.map(\.text) }
        for case .send(let send) in effects { self.sends.withLock { $0.append(send) } }
    }
}

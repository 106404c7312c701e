import RelayStore
import Synchronization
import Testing

@testable import RelayPackets

/// The relay over a store that answers later: nothing is said or done before it is stored.
struct JournalTests {
    private static let atOnce = ["Prefer: wait=0"]

    /// Logs a client in, committing that.
    private func logIn(
        _ name: String,
        _ harness: PacketHarness,
        _ journal: SlowJournal
    ) throws {
        try harness.logIn(name)
        journal.commit(harness)
    }

    @Test func `a login is answered when its session is stored`() throws {
        let journal = SlowJournal()
        let harness = try PacketHarness(journal: journal)
        let client = try harness.request("POST /auth HTTP/1.1", [], "anna")
        harness.backend.answer(200, ["Client-Id: anna"], "secret")
        harness.settle()
        #expect(client.status == nil)
        journal.commit(harness)
        #expect(client.answer == "200, Client-Id: anna, 'secret'")
    }

    @Test func `a packet is sent, and its poll begins, when it is stored`() throws {
        let journal = SlowJournal()
        let harness = try PacketHarness(journal: journal)
        try self.logIn("anna", harness, journal)
        let client = try harness.post("anna", "hello", Self.atOnce)
        #expect(client.status == nil)
        #expect(harness.backend.requests.isEmpty)
        journal.commit(harness)
        #expect(client.answer == "200, More: 0")
        #expect(harness.backend.packets == ["hello"])
    }

    @Test func `a packet that could not be stored is a 503 that says so`() throws {
        let journal = SlowJournal()
        let harness = try PacketHarness(journal: journal)
        try self.logIn("anna", harness, journal)
        let client = try harness.post("anna", "hello", Self.atOnce)
        journal.fail(harness)
        #expect(client.status == 503)
        #expect(client.body.contains("store-failed"))
        #expect(harness.backend.requests.isEmpty)
        #expect(harness.store.backlog(of: harness.pool).packets == 0)
    }

    @Test func `a client that hangs up meanwhile has sent its packet`() throws {
        let journal = SlowJournal()
        let harness = try PacketHarness(journal: journal)
        try self.logIn("anna", harness, journal)
        let client = try harness.post("anna", "hello")
        harness.hangUp(client)
        journal.commit(harness)
        #expect(harness.backend.packets == ["hello"])
        #expect(harness.part.heldPolls.isEmpty)
        #expect(harness.store.statistics().heldPolls == 0)
    }

    @Test func `the next packet of a lane goes when the one before is removed`() throws {
        let journal = SlowJournal()
        let harness = try PacketHarness(journal: journal)
        try self.logIn("anna", harness, journal)
        for text in ["one", "two"] { _ = try harness.post("anna", text, Self.atOnce) }
        journal.commit(harness)
        let poll = try harness.post("anna")
        harness.backend.answer(200, ["To: anna"], "reply")
        harness.settle()
        #expect(poll.status == nil)
        #expect(harness.backend.requests.isEmpty)
        #expect(harness.part.requestsUnderWay == 1)
        journal.commit(harness)
        #expect(poll.answer == "200, More: 0, 'reply'")
        #expect(harness.backend.packets == ["two"])
    }

    @Test func `a key is said to be stored only when it is`() throws {
        let journal = SlowJournal()
        let harness = try PacketHarness(fetches: true, journal: journal)
        harness.backend.answer(200, ["To: anna", "Packet-Id: k"], "one")
        #expect(harness.backend.sent == ["Type: Packet\r\n\r\n"])
        journal.commit(harness)
        harness.backend.answer(200, ["To: anna", "Packet-Id: k"], "one")
        #expect(harness.backend.sent == ["Type: Packet\r\nStored: k\r\n\r\n"])
        journal.commit(harness)
        #expect(harness.store.statistics().waitingForClients.packets == 1)
    }

    @Test func `a packet that was fetched reaches its poll when it is stored, on any loop`() throws
    {
        let journal = SlowJournal()
        let harness = try PacketHarness(loops: 2, fetches: true, journal: journal)
        try self.logIn("anna", harness, journal)
        let fetching = try #require(harness.targets.first { $0.fetches == 1 })
        let polls = try [0, 1].map { try harness.post("anna", loop: $0) }
        fetching.answer(200, ["To: anna"], "one")
        harness.settle()
        #expect(polls.allSatisfy { $0.status == nil })
        journal.commit(harness)
        #expect(polls.map(\.answer).sorted() == ["200, More: 0, 'one'", "none"])
    }
}

/// A journal that keeps what it is given until the test commits it.
final class SlowJournal: Journal {
    private let operations = Mutex<[StoreOperation]>([])

    func write(_ operation: StoreOperation) -> JournalAnswer {
        self.operations.withLock { $0.append(operation) }
        return .pending
    }

    private func take() -> [StoreOperation] {
        self.operations.withLock { operations in
            defer { operations = [] }
            return operations
        }
    }

    /// All that was given until now is written.
    func commit(_ harness: PacketHarness) {
        harness.store.committed(self.take(), at: harness.part.now, to: harness.relay)
        harness.settle()
    }

    /// None of it could be written.
    func fail(_ harness: PacketHarness) {
        let failed = self.take().compactMap(\.ticket)
        harness.store.committed([], failed: failed, at: harness.part.now, to: harness.relay)
        harness.settle()
    }
}

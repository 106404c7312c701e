import Testing

@testable import RelayStore

/// What people do with dead letters.
struct KeptDeadLetterTests {
    /// A store on disk in which the packets of anna, `one` for the backend and `two` for her, are dead.
    private func harness() throws -> DiskHarness {
        var settings = RealmSettings()
        settings.clientPacketsMax = 1
        let harness = try DiskHarness(realm: settings)
        let anna = try harness.logIn("anna")
        _ = harness.send("one", from: anna)
        harness.reject(harness.heard.nextSend())
        _ = harness.append("two", for: ["anna"])
        _ = harness.append("three", for: ["anna"])
        return harness
    }

    private func letters(_ harness: DiskHarness) -> [String] {
        harness.store.keptDeadLetters().map { "\($0.id) \($0.reason)" }
    }

    @Test func `they have ids, which stay`() throws {
        let harness = try self.harness()
        let expected = ["1 rejected(status: 410)", "2 overflow"]
        #expect(self.letters(harness) == expected)
        try harness.reopen()
        #expect(self.letters(harness) == expected)
        _ = harness.fetched("nothing", key: "k", for: nil)
        #expect(self.letters(harness) == expected + ["3 noRecipient"])
        try harness.reopen()
        #expect(self.letters(harness) == expected + ["3 noRecipient"])
    }

    @Test func `one that is retried is a packet again, once, and survives`() throws {
        let harness = try self.harness()
        for _ in 0..<2 { try harness.reopen() }
        let letter = try #require(harness.store.deadLetter(1))
        #expect(letter.contents.isAbsent)
        let contents = try #require(harness.disk.contents(ofDeadLetter: 1))
        #expect(contents.text == "one")
        #expect(harness.retry(1, contents))
        #expect(!harness.retry(1, contents))
        let number = harness.heard.retried(1)
        #expect(number > letter.number ?? .max)
        #expect(self.letters(harness) == ["2 overflow"])
        try harness.reopen()
        #expect(self.letters(harness) == ["2 overflow"])
        #expect(harness.consumed() == ["one"])
    }

    @Test func `one for a client comes behind the others, as an outbox lets it`() throws {
        let harness = try self.harness()
        let contents = try #require(harness.store.deadLetter(2)).contents
        #expect(try harness.received(by: harness.session("anna")) == ["three"])
        #expect(harness.retry(2, contents))
        #expect(harness.heard.retried(2) > 0)
        try harness.reopen()
        #expect(try harness.received(by: harness.session("anna")) == ["two"])
    }

    @Test func `one that is dropped is gone`() throws {
        let harness = try self.harness()
        #expect(harness.store.dropDeadLetter(1))
        #expect(!harness.store.dropDeadLetter(1))
        try harness.reopen()
        #expect(self.letters(harness) == ["2 overflow"])
    }

    @Test func `in memory the same`() throws {
        let harness = StoreHarness()
        let anna = try harness.login("anna")
        _ = harness.send("one", from: anna)
        _ = try harness.lane(of: "one") { store, send, now, effects in
            store.rejected(
                send.lane,
                send.packet.number,
                reason: .attemptsExhausted,
                loop: 0,
                at: now,
                &effects
            )
        }
        let letter = try #require(harness.store.keptDeadLetters().first)
        let heard = Heard()
        #expect(
            harness.store.retryDeadLetter(letter.id, letter.contents, at: harness.now, to: heard)
        )
        #expect(heard.nextSend().packet.contents.text == "one")
        #expect(heard.retried(letter.id) > letter.number ?? .max)
        #expect(harness.store.keptDeadLetters().isEmpty)
    }

    @Test func `one for nobody cannot be retried`() throws {
        let harness = try self.harness()
        _ = harness.fetched("nothing", key: "k", for: nil)
        #expect(!harness.retry(3, .empty))
        #expect(harness.store.deadLetter(3) != nil)
    }
}

extension DiskHarness {
    fileprivate func retry(_ id: UInt64, _ contents: PacketContents) -> Bool {
        self.store.retryDeadLetter(id, contents, at: self.now, to: self.heard)
    }
}

import Testing

@testable import RelayStore

/// The keys of packets in a store on disk.
struct DiskKeyTests {
    private func harness(
        window: Duration = .seconds(600),
        keysMax: Int = 1024
    ) throws -> DiskHarness {
        var settings = RealmSettings()
        settings.dedupeWindow = window
        settings.dedupeKeysMax = keysMax
        return try DiskHarness(realm: settings)
    }

    @Test func `a repeat after a restart is not stored`() throws {
        let harness = try self.harness()
        let anna = try harness.logIn("anna")
        #expect(harness.send("one", from: anna, key: "a").isStored)
        #expect(harness.send("one", from: anna, key: "a").isDuplicate)
        #expect(harness.send("two", from: anna, key: "b").isStored)
        harness.consume(harness.heard.nextSend())

        try harness.reopen()
        let again = try harness.session("anna")
        // One that was consumed, and one that still waits.
        #expect(harness.send("one", from: again, key: "a").isDuplicate)
        #expect(harness.send("two", from: again, key: "b").isDuplicate)
        #expect(harness.send("three", from: again, key: "c").isStored)
        let bert = try harness.logIn("bert")
        #expect(harness.send("four", from: bert, key: "a").isStored)
        #expect(harness.consumed().sorted() == ["four", "three", "two"])
    }

    @Test func `of two under way with one key the first is stored`() throws {
        let harness = try self.harness()
        let anna = try harness.logIn("anna")
        let tickets = (0..<300).map {
            harness.beginToSend("packet \($0)", from: anna, key: "key-\($0 / 3)")
        }
        let answers = tickets.map { harness.heard.answer(to: $0) }
        for (index, answer) in answers.enumerated() {
            #expect(index % 3 == 0 ? answer.isStored : answer.isDuplicate)
        }
        #expect(try harness.rows(in: "seen") == 100)
        #expect(try harness.rows(in: "inbox") == 100)
        try harness.reopen()
        #expect(harness.consumed() == (0..<100).map { "packet \($0 * 3)" })
    }

    @Test func `of too many keys the file has the newest`() throws {
        let harness = try self.harness(keysMax: 2)
        let anna = try harness.logIn("anna")
        for key in ["a", "b", "c"] { #expect(harness.send(key, from: anna, key: key).isStored) }
        try harness.reopen()
        #expect(try harness.rows(in: "seen") == 2)
        let again = try harness.session("anna")
        #expect(harness.send("b", from: again, key: "b").isDuplicate)
        #expect(harness.send("a", from: again, key: "a").isStored)
        #expect(harness.send("c", from: again, key: "c").isDuplicate)
        #expect(harness.send("b", from: again, key: "b").isStored)
    }

    @Test func `a key that ran out is forgotten, by the file too`() throws {
        let harness = try self.harness()
        let anna = try harness.logIn("anna")
        #expect(harness.send("one", from: anna, key: "a").isStored)
        #expect(harness.send("two", from: anna, key: "b").isStored)
        let elevenMinutes = 660_000_000
        try harness.change(
            """
            UPDATE seen SET seq = seq - \(elevenMinutes), at_us = at_us - \(elevenMinutes)
            WHERE CAST(pid AS TEXT) = 'a'
            """
        )
        try harness.reopen()
        let again = try harness.session("anna")
        #expect(harness.send("two", from: again, key: "b").isDuplicate)
        #expect(harness.send("one", from: again, key: "a").isStored)
        #expect(try harness.rows(in: "seen") == 2)
    }

    @Test func `a packet that was refused when it was written leaves no key`() throws {
        let harness = try self.harness()
        let anna = try harness.logIn("anna")
        let login = Login(
            realm: harness.realm,
            name: anna.name,
            token: Array("token of anna".utf8),
            tokenTTL: .seconds(3600),
            isDebugServer: false
        )
        var effects = Effects()
        let ticket = harness.heard.nextTicket()
        _ = harness.store.logIn(login, ticket: ticket, at: harness.now, &effects)
        let answer = harness.heard.answer(to: harness.beginToSend("one", from: anna, key: "a"))
        #expect(answer.text.hasSuffix("sessionEnded"))
        try harness.reopen()
        #expect(try harness.rows(in: "seen") == 0)
        #expect(try harness.send("one", from: harness.session("anna"), key: "a").isStored)
    }

    @Test func `without a window no key is written`() throws {
        let harness = try self.harness(window: .zero)
        let anna = try harness.logIn("anna")
        for _ in 0..<2 { #expect(harness.send("one", from: anna, key: "a").isStored) }
        #expect(try harness.rows(in: "seen") == 0)
    }
}

/// The keys of packets that were pushed or fetched, in a store on disk.
struct DiskBackendKeyTests {
    private func harness(keysMax: Int = 1024) throws -> DiskHarness {
        var settings = RealmSettings()
        settings.dedupeKeysMax = keysMax
        settings.unknownClientsMax = 1
        return try DiskHarness(realm: settings)
    }

    @Test func `a push is known after a restart, with its numbers`() throws {
        let harness = try self.harness()
        let first = harness.push("one", for: ["anna", "bert", "cleo"], key: "a")
        guard case .pushed(_, let numbers, isDuplicate: false) = first else {
            Issue.record("it was not stored")
            return
        }
        // Beyond the first stranger nobody is known.
        #expect(numbers.map { $0 == 0 } == [false, true, true])
        #expect(harness.push("two", for: ["anna"], key: "b").isPushed(again: false))
        for _ in 0..<2 {
            try harness.reopen()
            guard
                case .pushed(_, numbers, isDuplicate: true) =
                    harness.push("one", for: ["anna"], key: "a")
            else {
                Issue.record("it is not known")
                return
            }
            #expect(harness.push("two", for: ["anna"], key: "b").isPushed(again: true))
        }
        #expect(harness.push("three", for: ["anna"], key: "c").isPushed(again: false))
        #expect(try harness.received(by: harness.logIn("anna")) == ["one", "two", "three"])
    }

    @Test func `of two pushes under way with one key the first is stored`() throws {
        let harness = try self.harness()
        let tickets = (0..<300).map {
            harness.beginToPush("packet \($0)", for: ["anna"], key: "key-\($0 / 3)")
        }
        for (index, ticket) in tickets.enumerated() {
            #expect(harness.heard.answer(to: ticket).isPushed(again: index % 3 != 0))
        }
        #expect(try harness.rows(in: "pushed") == 100)
        #expect(try harness.rows(in: "outbox") == 100)
    }

    @Test func `of too many keys of pushes the newest are known, each once`() throws {
        let harness = try self.harness(keysMax: 2)
        for key in ["a", "b", "c", "a"] {
            #expect(harness.push(key, for: ["anna"], key: key).isPushed(again: false))
        }
        try harness.reopen()
        #expect(harness.push("a", for: ["anna"], key: "a").isPushed(again: true))
        #expect(harness.push("d", for: ["anna"], key: "d").isPushed(again: false))
        #expect(harness.push("a", for: ["anna"], key: "a").isPushed(again: true))
        #expect(harness.push("b", for: ["anna"], key: "b").isPushed(again: false))
        // What the file has too many goes with the first commit of a minute.
        try harness.reopen()
        #expect(harness.push("d", for: ["anna"], key: "d").isPushed(again: true))
        _ = harness.push("e", for: ["anna"])
        #expect(try harness.rows(in: "pushed") == 2)
    }

    @Test func `keys that ran out are forgotten, by the file too`() throws {
        let harness = try self.harness()
        for key in ["a", "b"] {
            #expect(harness.push(key, for: ["anna"], key: key).isPushed(again: false))
            #expect(harness.fetched(key, key: key, for: "anna"))
        }
        let elevenMinutes = 660_000_000
        try harness.change(
            """
            UPDATE pushed SET seq = seq - \(elevenMinutes), at_us = at_us - \(elevenMinutes)
            WHERE CAST(key AS TEXT) = 'a';
            UPDATE fetched SET until_us = until_us - \(elevenMinutes) WHERE CAST(key AS TEXT) = 'a'
            """
        )
        try harness.reopen()
        #expect(harness.push("b", for: ["anna"], key: "b").isPushed(again: true))
        #expect(harness.push("a", for: ["anna"], key: "a").isPushed(again: false))
        #expect(!harness.fetched("b", key: "b", for: "anna"))
        #expect(harness.fetched("a", key: "a", for: "anna"))
        #expect(try harness.rows(in: "pushed") == 2)
        #expect(try harness.rows(in: "fetched") == 2)
    }

    @Test func `a fetched packet is stored once, and a useless one dies once`() throws {
        let harness = try self.harness()
        #expect(harness.fetched("one", key: "a", for: "anna"))
        #expect(harness.fetched("two", key: "b", for: nil))
        for _ in 0..<2 {
            try harness.reopen()
            #expect(!harness.fetched("one", key: "a", for: "anna"))
            #expect(!harness.fetched("two", key: "b", for: nil))
        }
        #expect(harness.store.keptDeadLetters().map(\.reason) == [.noRecipient])
        #expect(try harness.rows(in: "dead") == 1)
        #expect(try harness.received(by: harness.logIn("anna")) == ["one"])
    }
}

extension Effect {
    fileprivate func isPushed(again: Bool) -> Bool {
        if case .pushed(_, _, again) = self { true } else { false }
    }

    fileprivate var isDuplicate: Bool { if case .duplicate = self { true } else { false } }
}

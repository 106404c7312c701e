import Testing

@testable import RelayStore

/// What a file has of packets that were acknowledged.
struct DiskAcknowledgementTests {
    /// Three clients with 2048 packets each, one after the other in turn.
    private func harness() throws -> DiskHarness {
        var settings = RealmSettings()
        settings.clientPacketsMax = 10_000
        let harness = try DiskHarness(realm: settings)
        for name in ["anna", "bert", "cleo"] { _ = try harness.logIn(name) }
        let tickets = (0..<2048).flatMap { index in
            ["anna", "bert", "cleo"].map { harness.beginToAppend("packet \(index)", for: [$0]) }
        }
        for ticket in tickets { #expect(harness.heard.answer(to: ticket).isStored) }
        return harness
    }

    @Test func `of old packets the last number is written, and it holds after a restart`() throws {
        let harness = try self.harness()
        let number = try harness.number(of: "anna", at: 500)
        #expect(try harness.poll("anna", acknowledging: number).text.contains("'packet 501'"))
        #expect(try harness.rows(in: "acked") == 1)
        #expect(try harness.rows(in: "outbox") == 6144)
        for _ in 0..<2 {
            try harness.reopen()
            #expect(try harness.poll("anna", acknowledging: 0).text.contains("'packet 501'"))
            #expect(try harness.poll("bert", acknowledging: 0).text.contains("'packet 0'"))
            #expect(harness.store.statistics().waitingForClients.packets == 6144 - 501)
        }
    }

    @Test func `rows go when half of their bucket is acknowledged, and new ones at once`() throws {
        let harness = try self.harness()
        let number = try harness.number(of: "anna", at: 500)
        _ = try harness.poll("anna", acknowledging: number)
        try harness.reopen()
        _ = try harness.poll("bert", acknowledging: harness.number(of: "bert", at: 500))
        // A bucket has 1024 rows: of the first one 683 go.
        let left = try #require(try harness.rows(in: "outbox"))
        #expect(6144 - left >= 683)
        #expect(try harness.rows(in: "outbox", "seq <= \(number)") ?? 0 >= 501)
        _ = try harness.poll("cleo", acknowledging: harness.number(of: "cleo", at: 2047))
        let newest = try harness.number(of: "anna", at: 2046)
        _ = try harness.poll("anna", acknowledging: newest)
        _ = try harness.poll("bert", acknowledging: newest)
        // Each commit clears two buckets at most.
        for _ in 0..<4 { _ = harness.append("more", for: ["bert"]) }
        // The last of anna, the last two of bert, and what came now.
        #expect(try harness.rows(in: "outbox") == 7)
        #expect(try harness.rows(in: "acked") == 3)
        try harness.reopen()
        #expect(harness.store.statistics().waitingForClients.packets == 7)
        #expect(try harness.poll("anna", acknowledging: 0).text.contains("'packet 2047'"))
        // Cleo has no row in the outbox any more.
        #expect(try harness.rows(in: "acked") == 2)
    }

    @Test func `a file of the first version is taken over, once`() throws {
        let harness = try DiskHarness()
        let anna = try harness.logIn("anna")
        for text in ["one", "two"] { #expect(harness.append(text, for: ["anna"]).isStored) }
        #expect(harness.send("question", from: anna, key: "a").isStored)
        harness.disk.stop()
        try harness.change(
            """
            DROP TABLE pushed; DROP TABLE fetched; DROP TABLE acked;
            UPDATE meta SET value = 1 WHERE key = 'version'
            """
        )
        #expect(
            try harness.tables() == [
                "client", "dead", "inbox", "meta", "outbox", "pool", "realm", "retry", "seen",
                "session",
            ]
        )
        for _ in 0..<2 {
            try harness.reopen()
            let version = try Database(path: "\(harness.path)/relay.db", .reading)
                .integer("SELECT value FROM meta WHERE key = 'version'")
            #expect(version == Schema.version)
            #expect(try harness.send("question", from: harness.session("anna"), key: "a").isRepeat)
        }
        #expect(harness.consumed() == ["question"])
        #expect(try harness.received(by: harness.session("anna")) == ["one", "two"])
    }
}

extension Effect {
    fileprivate var isRepeat: Bool { if case .duplicate = self { true } else { false } }
}

extension DiskHarness {
    /// The number of a client's packet by its place in the file.
    fileprivate func number(of name: String, at index: Int) throws -> PacketNumber {
        let number = try Database(path: "\(self.path)/relay.db", .reading).integer(
            """
            SELECT seq FROM outbox JOIN client ON client.id = outbox.client
            WHERE CAST(client.name AS TEXT) = '\(name)'
            AND CAST(body AS TEXT) = 'packet ' || \(index)
            """
        )
        return PacketNumber(try #require(number))
    }

    /// What tables the file has, in order.
    fileprivate func tables() throws -> [String] {
        let rows = try Database(path: "\(self.path)/relay.db", .reading).prepare(
            "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name"
        )
        var names: [String] = []
        while try rows.step() { names.append(String(decoding: rows.bytes(0), as: UTF8.self)) }
        return names
    }
}

import RelayConfig
import RelayPipeline
import RelayStore
import Testing

@testable import RelayPackets

struct PacketKeyTests {
    private static func send(
        _ text: String,
        _ key: String,
        _ harness: PacketHarness,
        _ fields: [String] = []
    ) throws -> FakeClient {
        try harness.post(
            "anna",
            text,
            ["Packet-Id: \(key)", "Prefer: wait=0"] + fields
        )
    }

    @Test func `a repeat is a duplicate, answered at once and without a packet`() throws {
        let harness = try PacketHarness()
        try harness.logIn("anna")
        #expect(try Self.send("hello", "k", harness).answer == "200, More: 0")
        try harness.push("one", to: "anna")
        #expect(
            try harness.post("anna", "hello", ["Packet-Id: k"]).answer
                == "200, More: 1, Duplicate: true"
        )
        #expect(harness.backend.packets == ["hello"])
        #expect(harness.store.backlog(of: harness.pool).packets == 1)
        #expect(try harness.post("anna").answer == "200, More: 0, 'one'")
    }

    @Test func `a backend hears the client's own id, or else the number`() throws {
        let harness = try PacketHarness()
        try harness.logIn("anna")
        _ = try Self.send("named", "k-1", harness, ["X-A: 1"])
        let named = try #require(harness.backend.sent.first).split(separator: "\r\n")
        #expect(named.filter { $0.hasPrefix("Packet-Id") } == ["Packet-Id: k-1"])
        #expect(named.contains("X-A: 1"))
        harness.backend.answer(200)
        harness.settle()
        _ = try harness.post("anna", "plain", ["Prefer: wait=0"])
        let plain = try #require(harness.backend.sent.first).split(separator: "\r\n")
        let values = plain.filter { $0.hasPrefix("Packet-Id") }
        #expect(values.count == 1)
        #expect(UInt64(values[0].dropFirst("Packet-Id: ".count)) ?? 0 > 0)
    }

    @Test func `a debug server does not hear the sender's id`() throws {
        let harness = try PacketHarness()
        try harness.logIn("anna")
        try harness.logIn("carol", isDebugServer: true)
        #expect(try Self.send("x", "k", harness, ["To: carol"]).answer == "200, More: 0")
        #expect(
            try Self.send("x", "k", harness, ["To: carol"]).answer
                == "200, More: 0, Duplicate: true"
        )
        let received = try harness.post("carol")
        #expect(received.answer == "200, More: 0, From: anna, 'x'")
        #expect(received.value("Packet-Id") != "k")
    }

    @Test func `a repeat needs neither room nor leave`() throws {
        let harness = try PacketHarness(buffer: { $0.inboxPacketsMax = 1 })
        try harness.logIn("anna")
        try harness.logIn("carol", isDebugServer: true)
        _ = try Self.send("one", "a", harness)
        #expect(try Self.send("two", "b", harness).status == 503)
        #expect(try Self.send("one", "a", harness).answer == "200, More: 0, Duplicate: true")
        _ = try Self.send("x", "c", harness, ["To: carol"])
        try harness.logIn("carol", token: "no debug server any more")
        #expect(try Self.send("x", "d", harness, ["To: carol"]).status == 403)
        #expect(
            try Self.send("x", "c", harness, ["To: carol"]).answer
                == "200, More: 0, Duplicate: true"
        )
    }

    @Test func `a repeat acknowledges`() throws {
        let harness = try PacketHarness()
        try harness.logIn("anna")
        _ = try Self.send("hello", "k", harness)
        for text in ["one", "two"] { try harness.push(text, to: "anna") }
        let first = try harness.post("anna", "", ["Ack: 0"])
        let number = try #require(first.value("Packet-Id"))
        #expect(
            try Self.send("hello", "k", harness, ["Ack: \(number)"]).answer
                == "200, More: 1, Duplicate: true"
        )
        #expect(harness.store.statistics().waitingForClients.packets == 1)
    }

    @Test func `a repeat waits until the first is stored`() throws {
        let journal = SlowJournal()
        let harness = try PacketHarness(journal: journal)
        try harness.logIn("anna")
        journal.commit(harness)
        let first = try Self.send("hello", "k", harness)
        let again = try Self.send("hello", "k", harness)
        #expect(again.status == nil)
        journal.commit(harness)
        #expect(first.answer == "200, More: 0")
        #expect(again.answer == "200, More: 0, Duplicate: true")
        #expect(harness.backend.packets == ["hello"])
    }
}

import RelayConfig
import RelayObservation
import RelayPipeline
import RelayStore
import Testing

@testable import RelayPackets

struct AcknowledgementTests {
    @Test func `a packet is the answer until a request acknowledges it`() throws {
        let harness = try PacketHarness()
        try harness.logIn("anna")
        for text in ["one", "two"] { try harness.push(text, to: "anna") }
        let first = try harness.post("anna", "", ["Ack: 0"])
        #expect(first.answer == "200, More: 1, 'one'")
        harness.prove(first)
        let number = try #require(first.value("Packet-Id"))
        #expect(try harness.post("anna").answer == "200, More: 1, Redelivered: true, 'one'")
        #expect(
            try harness.post("anna", "", ["Ack: \(number)"]).answer == "200, More: 0, 'two'"
        )
    }

    @Test func `a packet counts as delivered when it is acknowledged`() throws {
        let harness = try PacketHarness()
        try harness.logIn("anna")
        try harness.push("one", to: "anna")
        let first = try harness.post("anna", "", ["Ack: 0"])
        harness.prove(first)
        harness.prove(try harness.post("anna"))
        #expect(harness.relay.counters.delivered.value == 0)
        #expect(harness.relay.counters.redelivered.value == 1)
        let number = try #require(first.value("Packet-Id"))
        _ = try harness.post("anna", "", ["Ack: \(number)", "Prefer: wait=0"])
        #expect(harness.relay.counters.delivered.value == 1)
        #expect(harness.store.statistics().waitingForClients.packets == 0)
    }

    @Test func `a request that is refused acknowledges nothing`() throws {
        let harness = try PacketHarness(buffer: { $0.inboxPacketsMax = 1 })
        try harness.logIn("anna")
        try harness.push("one", to: "anna")
        let first = try harness.post("anna", "x", ["Ack: 0"])
        let number = try #require(first.value("Packet-Id"))
        #expect(try harness.post("anna", "y", ["Ack: \(number)"]).status == 503)
        #expect(harness.store.statistics().waitingForClients.packets == 1)
    }

    @Test func `a packet is sent, and then the request acknowledges`() throws {
        let harness = try PacketHarness()
        try harness.logIn("anna")
        for text in ["one", "two"] { try harness.push(text, to: "anna") }
        let first = try harness.post("anna", "", ["Ack: 0"])
        let number = try #require(first.value("Packet-Id"))
        let second = try harness.post("anna", "hello", ["Ack: \(number)"])
        #expect(second.answer == "200, More: 0, 'two'")
        #expect(harness.backend.packets == ["hello"])
    }

    @Test func `a poll whose client goes while its acknowledgement is written is not held`() throws
    {
        let journal = SlowJournal()
        let harness = try PacketHarness(journal: journal)
        try harness.logIn("anna")
        journal.commit(harness)
        let gone = try harness.post("anna", "", ["Ack: 0"])
        harness.hangUp(gone)
        journal.commit(harness)
        #expect(harness.store.statistics().heldPolls == 0)
        #expect(harness.part.heldPolls.isEmpty)
    }
}

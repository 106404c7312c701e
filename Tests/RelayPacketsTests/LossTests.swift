import RelayConfig
import RelayPipeline
import RelayStore
import Testing

@testable import RelayPackets

struct LossTests {
    /// A packet for anna has expired.
    private func harness() throws -> PacketHarness {
        let harness = try PacketHarness(buffer: { $0.packetTTL = .seconds(10) })
        try harness.logIn("anna")
        try harness.push("lost", to: "anna")
        harness.advance(.seconds(11))
        return harness
    }

    @Test func `every answer tells how many packets are lost, until one is proven`() throws {
        let harness = try self.harness()
        let first = try harness.post("anna", "", ["Prefer: wait=0"])
        #expect(first.answer == "200, More: 0, Lost: 1")
        harness.lose(first)
        let second = try harness.post("anna", "", ["Prefer: wait=0"])
        #expect(second.answer == "200, More: 0, Lost: 1")
        harness.prove(second)
        #expect(try harness.post("anna", "", ["Prefer: wait=0"]).answer == "200, More: 0")
    }

    @Test func `an answer with a packet tells it`() throws {
        let harness = try self.harness()
        try harness.push("one", to: "anna")
        let first = try harness.post("anna")
        #expect(first.answer == "200, More: 0, Lost: 1, 'one'")
        harness.prove(first)
        try harness.push("two", to: "anna")
        #expect(try harness.post("anna").answer == "200, More: 0, 'two'")
    }

    @Test func `an answer that says nothing of losses is not watched`() throws {
        let harness = try PacketHarness()
        try harness.logIn("anna")
        let poll = try harness.post("anna", "", ["Prefer: wait=0"])
        #expect(poll.exchange?.isOver == true)
        let losing = try self.harness()
        let telling = try losing.post("anna", "", ["Prefer: wait=0"])
        #expect(telling.exchange?.isOver == false)
    }

    @Test func `an exchange that ends without a word has told nothing`() throws {
        let harness = try self.harness()
        try harness.post("anna", "", ["Prefer: wait=0"]).exchange?.finish()
        #expect(
            try harness.post("anna", "", ["Prefer: wait=0"]).answer == "200, More: 0, Lost: 1"
        )
    }
}

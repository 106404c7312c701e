import RelayConfig
import RelayEngine
import RelayPipeline
import RelayStore
import Testing

@testable import RelayPackets

struct PollTests {
    @Test func `a packet that waits is the answer, with its number and how many wait behind it`()
        throws
    {
        let harness = try PacketHarness()
        try harness.logIn("anna")
        for text in ["one", "two", "three"] { try harness.push(text, to: "anna") }
        let poll = try harness.post("anna")
        #expect(poll.answer == "200, More: 2, 'one'")
        #expect(poll.value("Content-Type") == "application/octet-stream")
        #expect(poll.value("Cache-Control") == "no-store")
        #expect(poll.value("Packet-Id").flatMap(UInt64.init) ?? 0 > 0)
    }

    @Test func `a held poll gets the packet as it comes`() throws {
        let harness = try PacketHarness()
        try harness.logIn("anna")
        let poll = try harness.post("anna")
        #expect(poll.status == nil)
        #expect(harness.part.heldPolls.count == 1)
        try harness.push("one", to: "anna")
        #expect(poll.answer == "200, More: 0, 'one'")
        #expect(harness.part.heldPolls.isEmpty)
    }

    @Test func `a poll is held as long as configured, then answered empty`() throws {
        let harness = try PacketHarness(buffer: { $0.hold = .seconds(10) })
        try harness.logIn("anna")
        let poll = try harness.post("anna")
        harness.advance(.milliseconds(9_999))
        #expect(poll.status == nil)
        harness.advance(.milliseconds(3))
        #expect(poll.answer == "200, More: 0")
        #expect(poll.value("Packet-Id") == nil)
        #expect(harness.part.heldPolls.isEmpty)
        #expect(harness.store.statistics().heldPolls == 0)
    }

    @Test(arguments: [("wait=3", 3), ("wait=3, respond-async", 3), ("wait=99", 10), ("wait=x", 10)])
    func `a client may prefer a shorter hold`(prefer: String, seconds: Int64) throws {
        let harness = try PacketHarness(buffer: { $0.hold = .seconds(10) })
        try harness.logIn("anna")
        let poll = try harness.post("anna", "", ["Prefer: \(prefer)"])
        harness.advance(.seconds(seconds) - .milliseconds(1))
        #expect(poll.status == nil)
        harness.advance(.milliseconds(3))
        #expect(poll.answer == "200, More: 0")
    }

    @Test func `wait=0 is answered at once and disturbs no held poll`() throws {
        let harness = try PacketHarness()
        try harness.logIn("anna")
        let held = try harness.post("anna")
        harness.advance(.seconds(2))
        #expect(try harness.post("anna", "", ["Prefer: wait=0"]).answer == "200, More: 0")
        #expect(held.status == nil)
    }

    @Test func `a newer poll displaces one that was held for a second`() throws {
        let harness = try PacketHarness()
        try harness.logIn("anna")
        let older = try harness.post("anna")
        harness.advance(.seconds(1))
        let newer = try harness.post("anna")
        #expect(older.answer == "200, More: 0")
        try harness.push("one", to: "anna")
        #expect(newer.answer == "200, More: 0, 'one'")
    }

    @Test func `a poll whose client hung up gets nothing`() throws {
        let harness = try PacketHarness()
        try harness.logIn("anna")
        let gone = try harness.post("anna")
        harness.hangUp(gone)
        #expect(harness.part.heldPolls.isEmpty)
        #expect(harness.store.statistics().heldPolls == 0)
        try harness.push("one", to: "anna")
        #expect(gone.status == nil)
        #expect(try harness.post("anna").answer == "200, More: 0, 'one'")
    }

    @Test func `until a packet is proven, another poll is held and has proof looked for`() throws {
        let harness = try PacketHarness()
        try harness.logIn("anna")
        for text in ["one", "two"] { try harness.push(text, to: "anna") }
        let first = try harness.post("anna")
        let second = try harness.post("anna")
        #expect(second.status == nil)
        #expect(first.proofsAsked == 1)
        #expect(try harness.post("anna", "", ["Prefer: wait=0"]).answer == "200, More: 1")
        #expect(first.proofsAsked == 2)
        harness.prove(first)
        #expect(second.answer == "200, More: 0, 'two'")
    }

    @Test func `a hold that ends beside a delivery says how many wait`() throws {
        let harness = try PacketHarness()
        try harness.logIn("anna")
        for text in ["one", "two", "three"] { try harness.push(text, to: "anna") }
        _ = try harness.post("anna")
        let second = try harness.post("anna")
        harness.advance(.seconds(11))
        #expect(second.answer == "200, More: 2")
    }

    @Test func `a delivery that failed goes out again, first and marked`() throws {
        let harness = try PacketHarness()
        try harness.logIn("anna")
        for text in ["one", "two"] { try harness.push(text, to: "anna") }
        harness.lose(try harness.post("anna"))
        let again = try harness.post("anna")
        #expect(again.answer == "200, More: 1, Redelivered: true, 'one'")
        harness.prove(again)
        #expect(try harness.post("anna").answer == "200, More: 0, 'two'")
    }

    @Test func `a delivery of which no byte was written is not marked`() throws {
        let harness = try PacketHarness()
        try harness.logIn("anna")
        try harness.push("one", to: "anna")
        harness.lose(try harness.post("anna"), wasWritten: false)
        #expect(try harness.post("anna").answer == "200, More: 0, 'one'")
    }

    @Test func `an exchange that ends without a word has delivered nothing`() throws {
        let harness = try PacketHarness()
        try harness.logIn("anna")
        try harness.push("one", to: "anna")
        try harness.post("anna").exchange?.finish()
        #expect(try harness.post("anna").answer == "200, More: 0, Redelivered: true, 'one'")
    }

    @Test func `a new login has held polls answered, empty`() throws {
        let harness = try PacketHarness()
        try harness.logIn("anna")
        let held = try harness.post("anna")
        try harness.logIn("anna", token: "another")
        #expect(held.answer == "200, More: 0")
        #expect(try harness.post("anna").status == 401)
    }

    @Test func `an exchange that is gone gives back the packet on its way from another loop`()
        throws
    {
        let harness = try PacketHarness(loops: 2)
        try harness.logIn("anna")
        let gone = try harness.post("anna", loop: 1)
        // The packet is leased on loop 0 and posted; the client hangs up before loop 1 turns.
        let reply = Reply(
            recipients: .one(try PacketHarness.name("anna")),
            contents: PacketContents(bytes: Array("one".utf8), headerCount: 0)
        )
        harness.part.operate { store, now, effects in
            let ticket = Ticket(loop: 0, handle: .max)
            _ = store.append(reply, in: harness.realm, ticket: ticket, at: now, &effects)
        }
        gone.exchange?.clientHungUp()
        harness.settle()
        #expect(gone.status == nil)
        #expect(try harness.post("anna").answer == "200, More: 0, 'one'")
    }

    @Test func `a packet stored on one loop reaches the poll that is held on another`() throws {
        let harness = try PacketHarness(loops: 3)
        try harness.logIn("anna")
        let poll = try harness.post("anna", loop: 2)
        try harness.push("one", to: "anna", loop: 1)
        #expect(poll.answer == "200, More: 0, 'one'")
        // Proven on its loop, it makes way for the next poll, on a third one.
        let next = try harness.post("anna", loop: 0)
        try harness.push("two", to: "anna", loop: 1)
        #expect(next.status == nil)
        harness.prove(poll)
        #expect(next.answer == "200, More: 0, 'two'")
    }
}

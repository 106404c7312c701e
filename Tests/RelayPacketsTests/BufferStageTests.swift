import RelayConfig
import RelayPipeline
import RelayStore
import Testing

@testable import RelayPackets

struct BufferStageTests {
    private static let anna = "Authorization: Bearer token of anna"

    @Test func `other paths are not its own`() throws {
        let harness = try PacketHarness()
        #expect(try harness.head("POST /else HTTP/1.1", [Self.anna]).status == 404)
    }

    @Test(arguments: ["GET", "PUT", "DELETE", "OPTIONS", "FROB"])
    func `only POST is allowed`(method: String) throws {
        let harness = try PacketHarness()
        let client = try harness.head("\(method) / HTTP/1.1", [Self.anna])
        #expect(client.status == 405)
        #expect(client.value("Allow") == "POST")
    }

    @Test(arguments: [
        [], ["Authorization: Bearer wrong"], ["Authorization: Basic token of anna"],
        ["Authorization: Bearer "], [anna, anna],
    ])
    func `without a live token it is a 401`(fields: [String]) throws {
        let harness = try PacketHarness()
        try harness.logIn("anna")
        let client = try harness.head("POST / HTTP/1.1", fields)
        #expect(client.status == 401)
        #expect(client.value("WWW-Authenticate") == "Bearer")
        #expect(client.body.contains(#""status":401"#))
    }

    @Test func `a packet above packet_size is refused on the head`() throws {
        let harness = try PacketHarness(buffer: { $0.packetBytesMax = 10 })
        try harness.logIn("anna")
        let fields = [Self.anna, "Content-Length: 11"]
        #expect(try harness.head("POST / HTTP/1.1", fields).status == 413)
        let chunked = try harness.head(
            "POST / HTTP/1.1",
            [Self.anna, "Transfer-Encoding: chunked"]
        )
        #expect(chunked.status == nil)
        #expect(chunked.exchange?.bodyBytesMax == 10)
    }

    @Test func `what is kept of bodies is bounded, and given back`() throws {
        var limits = LimitsConfiguration()
        limits.bufferedBytesMax = 10
        let harness = try PacketHarness(listenerLimits: limits)
        try harness.logIn("anna")
        let eight = [Self.anna, "Content-Length: 8"]
        let first = try harness.head("POST / HTTP/1.1", eight)
        harness.send("1234567", on: first)
        #expect(first.status == nil)
        let second = try harness.head("POST / HTTP/1.1", eight)
        #expect(second.status == 503)
        #expect(second.value("Retry-After") == "1")

        let chunked = try harness.head(
            "POST / HTTP/1.1",
            [Self.anna, "Transfer-Encoding: chunked"]
        )
        harness.send("abc", on: chunked)
        #expect(chunked.status == nil)
        harness.send("d", on: chunked)
        #expect(chunked.status == 503)

        harness.hangUp(first)
        #expect(try harness.head("POST / HTTP/1.1", eight).status == nil)
    }

    @Test func `a body that is announced and does not come keeps nobody off`() throws {
        var limits = LimitsConfiguration()
        limits.bufferedBytesMax = 10
        let harness = try PacketHarness(listenerLimits: limits)
        try harness.logIn("anna")
        for path in ["/", "/auth"] {
            for _ in 0..<5 {
                let idle = try harness.head(
                    "POST \(path) HTTP/1.1",
                    [Self.anna, "Content-Length: 10"]
                )
                #expect(idle.status == nil)
            }
        }
        #expect(try harness.post("anna", "1234567890", ["Prefer: wait=0"]).status == 200)
    }

    @Test func `a stored packet takes no room of bodies under way`() throws {
        var limits = LimitsConfiguration()
        limits.bufferedBytesMax = 10
        let harness = try PacketHarness(listenerLimits: limits)
        try harness.logIn("anna")
        for _ in 0..<3 {
            #expect(try harness.post("anna", "12345678", ["Prefer: wait=0"]).status == 200)
        }
        #expect(harness.store.backlog(of: harness.pool).packets == 3)
    }

    @Test func `a full inbox is a 503 on the head, and does not keep polls off`() throws {
        let harness = try PacketHarness(buffer: { $0.inboxPacketsMax = 1 })
        try harness.logIn("anna")
        _ = try harness.post("anna", "one", ["Prefer: wait=0"])
        let client = try harness.head("POST / HTTP/1.1", [Self.anna, "Content-Length: 3"])
        #expect(client.status == 503)
        #expect(client.value("Retry-After") == "1")
        #expect(try harness.post("anna", "", ["Prefer: wait=0"]).answer == "200, More: 0")
    }

    @Test func `an Ack or a Packet-Id that is malformed is a 400, with and without a body`() throws
    {
        let harness = try PacketHarness()
        try harness.logIn("anna")
        for field in ["Ack: ", "Ack: x", "Ack: 9007199254740991", "Packet-Id: ", "Packet-Id: a b"] {
            #expect(try harness.post("anna", "hello", [field]).status == 400)
            #expect(try harness.post("anna", "", [field]).status == 400)
        }
    }

    @Test func `a recipient that is malformed is a 400, also if there is no such client`() throws {
        let harness = try PacketHarness()
        try harness.logIn("anna")
        for value in ["", "a b", ","] {
            #expect(try harness.post("anna", "hello", ["To: \(value)"]).status == 400)
        }
    }

    @Test func `who is no debug server may address a debug server, and one only`() throws {
        let harness = try PacketHarness()
        try harness.logIn("anna")
        try harness.logIn("bob")
        try harness.logIn("carol", isDebugServer: true)
        #expect(try harness.post("anna", "x", ["To: bob"]).status == 403)
        #expect(try harness.post("anna", "x", ["To: nobody"]).status == 403)
        #expect(try harness.post("anna", "x", ["To: carol, bob"]).status == 400)
        #expect(try harness.post("anna", "x", ["Debug: bob"]).status == 403)
        #expect(try harness.post("anna", "x", ["Prefer: wait=0", "To: carol"]).status == 200)
        #expect(harness.backend.requests.isEmpty)

        let received = try harness.post("carol")
        #expect(received.answer == "200, More: 0, From: anna, 'x'")
        harness.prove(received)
        #expect(
            try harness.post("carol", "y", ["Prefer: wait=0", "To: anna, bob"]).status == 200
        )
        #expect(try harness.post("anna").answer == "200, More: 0, From: carol, 'y'")
        #expect(try harness.post("bob").answer == "200, More: 0, From: carol, 'y'")
    }

    @Test func `To without a body is ignored`() throws {
        let harness = try PacketHarness()
        try harness.logIn("anna")
        let poll = try harness.post("anna", "", ["To: a b", "Prefer: wait=0"])
        #expect(poll.answer == "200, More: 0")
        let chunked = try harness.head(
            "POST / HTTP/1.1",
            [Self.anna, "To: nobody", "Transfer-Encoding: chunked"]
        )
        // What the head announces counts on the head.
        #expect(chunked.status == 403)
    }

    @Test func `an announced body that turns out empty is a poll`() throws {
        let harness = try PacketHarness()
        try harness.logIn("anna")
        let client = try harness.head(
            "POST / HTTP/1.1",
            [Self.anna, "Prefer: wait=0", "Transfer-Encoding: chunked"]
        )
        harness.end(client)
        #expect(client.answer == "200, More: 0")
        #expect(harness.backend.requests.isEmpty)
    }

    @Test func `a session that ends while the body comes in sends nothing`() throws {
        let harness = try PacketHarness()
        try harness.logIn("anna")
        let client = try harness.head("POST / HTTP/1.1", [Self.anna, "Content-Length: 2"])
        try harness.logIn("anna", token: "another")
        harness.send("hi", on: client)
        harness.end(client)
        #expect(client.status == 401)
        #expect(harness.backend.requests.isEmpty)
    }
}

import RelayEngine
import RelayStore
import Testing

@testable import RelayPackets

/// The packet relay behind our own server, over real sockets on loopback, with two loops.
struct LoopbackTests {
    @Test func `a client logs in, sends, and gets the answer of the backend`() throws {
        let relay = try LoopbackRelay()
        defer { relay.stop() }
        let client = try LoopbackClient(relay.port)
        let login = try client.post("/auth", "anna")
        #expect(login.status == 200)
        #expect(login.body == "token of anna")

        let answer = try client.post("/", "hello", ["Authorization: Bearer token of anna"])
        #expect(answer.status == 200)
        #expect(answer.body == "echo of hello")
        #expect(answer.fields["more"] == "0")
        #expect(answer.fields["from"] == "echo")
        #expect(answer.fields["x-topic"] == "tea")
    }

    @Test func `every packet of many clients comes back once, in order`() throws {
        let relay = try LoopbackRelay()
        defer { relay.stop() }
        var clients: [(name: String, client: LoopbackClient)] = []
        for index in 0..<16 {
            let client = try LoopbackClient(relay.port)
            #expect(try client.post("/auth", "client\(index)").status == 200)
            clients.append(("client\(index)", client))
        }
        for round in 0..<20 {
            for (name, client) in clients {
                try client.send("/", "\(round)", ["Authorization: Bearer token of \(name)"])
            }
            for (name, client) in clients {
                let answer = try client.receive()
                #expect(answer.body == "echo of \(round)", "\(name)")
                #expect(answer.fields["redelivered"] == nil)
            }
        }
        for (name, client) in clients {
            let bearer = "Authorization: Bearer token of \(name)"
            let last = try client.post("/", "", [bearer, "Prefer: wait=0"])
            #expect(last.body == "")
            #expect(last.fields["more"] == "0")
        }
        #expect(relay.store.statistics().waitingForBackends.packets == 0)
        #expect(relay.store.statistics().waitingForClients.packets == 0)
    }

    @Test func `a packet does not wait behind polls held before it on the same connection`() throws
    {
        let relay = try LoopbackRelay()
        defer { relay.stop() }
        let polls = try LoopbackClient(relay.port)
        _ = try polls.post("/auth", "anna")
        let bearer = "Authorization: Bearer token of anna"
        try polls.send("/", "", [bearer])
        try polls.send("/", "", [bearer])
        let sender = try LoopbackClient(relay.port)
        // Both are held, so that the answer of the backend goes to the newer one.
        while relay.store.statistics().heldPolls < 2 {
            _ = try sender.post("/", "", [bearer, "Prefer: wait=0"])
        }
        _ = try sender.post("/", "hello", [bearer, "Prefer: wait=0"])
        #expect(try polls.receive().body == "")
        #expect(try polls.receive().body == "echo of hello")
    }

    @Test func `a packet whose connection was reset is not lost`() throws {
        let relay = try LoopbackRelay()
        defer { relay.stop() }
        let first = try LoopbackClient(relay.port)
        _ = try first.post("/auth", "anna")
        let bearer = "Authorization: Bearer token of anna"
        // The client's end is gone before the backend has answered.
        try first.send("/", "slow", [bearer])
        first.reset()
        let second = try LoopbackClient(relay.port)
        var answer = try second.post("/", "", [bearer])
        // The reset came before the answer or behind it; in either case the packet waits for the next poll.
        while answer.body.isEmpty { answer = try second.post("/", "", [bearer]) }
        #expect(answer.body == "echo of slow")
    }

    @Test func `a client that closes after it has read has the packet`() throws {
        let relay = try LoopbackRelay()
        defer { relay.stop() }
        let bearer = "Authorization: Bearer token of anna"
        _ = try LoopbackClient(relay.port).post("/auth", "anna")
        for round in 0..<50 {
            // A connection of its own for each packet.
            let client = try LoopbackClient(relay.port)
            let answer = try client.post("/", "\(round)", [bearer])
            #expect(answer.body == "echo of \(round)")
            #expect(answer.fields["redelivered"] == nil)
            client.close()
        }
    }
}

import RelayConfig
import RelayObservation
import RelayStore
import RelayUpstream
import Testing

@testable import RelayPackets

/// Logouts, sessions that backends end, and who may become a debug server.
struct SessionEndTests {
    private func logOut(_ harness: PacketHarness, _ fields: [String]) throws -> FakeClient {
        try harness.request("POST /logout HTTP/1.1", fields)
    }

    @Test func `a logout is a 200, then the token is a 401`() throws {
        let harness = try PacketHarness()
        try harness.logIn("anna")
        let poll = try harness.post("anna")
        #expect(poll.status == nil)
        let logout = try self.logOut(harness, ["Authorization: Bearer token of anna"])
        #expect(logout.answer == "200")
        #expect(logout.value("Cache-Control") == "no-store")
        #expect(poll.answer == "200, More: 0")
        #expect(try harness.post("anna").status == 401)
        #expect(try self.logOut(harness, ["Authorization: Bearer token of anna"]).status == 401)
        #expect(harness.backend.requests.isEmpty)
    }

    @Test func `a logout needs a token, and a POST`() throws {
        let harness = try PacketHarness()
        for fields in [[], ["Authorization: Basic x"], ["Authorization: Bearer nobody"]] {
            let client = try self.logOut(harness, fields)
            #expect(client.status == 401)
            #expect(client.value("WWW-Authenticate") == "Bearer")
        }
        #expect(try harness.head("GET /logout HTTP/1.1").value("Allow") == "POST")
    }

    @Test func `the path of logouts may be another`() throws {
        let harness = try PacketHarness(auth: { $0.logoutPath = "/bye" })
        try harness.logIn("anna")
        #expect(try self.logOut(harness, ["Authorization: Bearer token of anna"]).status == 404)
        let bye = try harness.request(
            "POST /bye HTTP/1.1",
            ["Authorization: Bearer token of anna"],
            "a body means nothing"
        )
        #expect(bye.status == 200)
    }

    @Test(arguments: [200, 204, 404, 503])
    func `any answer to a packet may end sessions`(status: Int) throws {
        let harness = try PacketHarness()
        for name in ["anna", "bob", "carol"] { try harness.logIn(name) }
        let poll = try harness.post("bob")
        _ = try harness.post("anna", "hello", ["Prefer: wait=0"])
        harness.backend.answer(status, ["End-Session: bob, ,nobody", "End-Session: carol"])
        harness.settle()
        #expect(poll.answer == "200, More: 0")
        #expect(try harness.post("bob").status == 401)
        #expect(try harness.post("carol").status == 401)
        #expect(try harness.post("anna", "", ["Prefer: wait=0"]).status == 200)
    }

    @Test func `an answer to a fetch may end sessions, and carry a packet for one of them`() throws
    {
        let harness = try PacketHarness(fetches: true)
        try harness.logIn("anna")
        harness.backend.answer(200, ["End-Session: anna", "To: anna"], "farewell")
        harness.settle()
        #expect(try harness.post("anna").status == 401)
        try harness.logIn("anna")
        #expect(try harness.post("anna").answer == "200, More: 0, 'farewell'")
    }

    @Test(arguments: [200, 401, 500])
    func `an answer to a login may end sessions, before the login`(status: Int) throws {
        let harness = try PacketHarness()
        try harness.logIn("anna")
        try harness.logIn("bob")
        _ = try harness.request("POST /auth HTTP/1.1", [], "anna")
        harness.backend.answer(status, ["Client-Id: anna", "End-Session: anna, bob"], "new")
        harness.settle()
        #expect(try harness.post("anna").status == 401)
        #expect(try harness.post("bob").status == 401)
        let new = try harness.request(
            "POST / HTTP/1.1",
            ["Authorization: Bearer new", "Prefer: wait=0"]
        )
        #expect(new.status == (status == 200 ? 200 : 401))
    }

    @Test func `a packet that was stored is no error, though the session has ended`() throws {
        let journal = SlowJournal()
        let harness = try PacketHarness(journal: journal)
        try harness.logIn("anna")
        journal.commit(harness)
        let client = try harness.post("anna", "hello")
        try harness.logIn("anna", token: "new")
        journal.commit(harness)
        #expect(client.answer == "200, More: 0")
        #expect(harness.backend.packets == ["hello"])
    }

    @Test func `without debug servers nobody may ask to become one`() throws {
        let harness = try PacketHarness(auth: { $0.debugServers = false })
        for path in ["/auth", "/register"] {
            let client = try harness.request(
                "POST \(path) HTTP/1.1",
                ["Permissions: read, Accept-Debug"],
                "anna"
            )
            #expect(client.status == 403)
        }
        #expect(harness.backend.requests.isEmpty)
    }

    @Test func `without debug servers a backend cannot make one`() throws {
        let harness = try PacketHarness(auth: { $0.debugServers = false })
        try harness.logIn("bob")
        let client = try harness.request("POST /auth HTTP/1.1", ["Permissions: read"], "anna")
        harness.backend.answer(
            200,
            ["Client-Id: anna", "Permissions: Accept-Debug"],
            "token of anna"
        )
        #expect(client.status == 200)
        #expect(try harness.post("bob", "hello", ["To: anna"]).status == 403)
    }

    @Test func `who becomes a debug server is logged, also if the client does not wait`() throws {
        let log = RecordedLog()
        let journal = SlowJournal()
        let harness = try PacketHarness(journal: journal, logger: log.logger())
        let client = try harness.request(
            "POST /auth HTTP/1.1",
            ["Permissions: Accept-Debug"],
            "anna"
        )
        harness.backend.answer(200, ["Client-Id: anna"], "secret")
        harness.hangUp(client)
        journal.commit(harness)
        let lines = log.lines.filter { $0.contains("debug server") }
        #expect(lines.count == 1)
        #expect(lines.first?.contains("anna") == true)
        #expect(lines.first?.contains("127.0.0.1") == true)
    }
}

/// Answers of backends that name several clients.
struct SeveralRecipientsTests {
    @Test func `a reply goes to each client that it names, once`() throws {
        let harness = try PacketHarness()
        for name in ["anna", "bob"] { try harness.logIn(name) }
        _ = try harness.post("anna", "hello", ["Prefer: wait=0"])
        harness.backend.answer(200, ["To: anna, ,bob ,anna", "To: carol", "From: app"], "all")
        for name in ["anna", "bob"] {
            let poll = try harness.post(name)
            #expect(poll.answer == "200, More: 0, From: app, 'all'")
            harness.prove(poll)
            #expect(try harness.post(name, "", ["Prefer: wait=0"]).answer == "200, More: 0")
        }
        #expect(harness.store.statistics().waitingForClients.packets == 1)
        #expect(harness.relay.counters.storedToClient.value == 3)
    }

    @Test(arguments: [",", "anna, b ob"])
    func `a list that is none makes a dead letter`(list: String) throws {
        let harness = try PacketHarness(fetches: true)
        harness.backend.answer(200, ["To: \(list)"], "all")
        harness.settle()
        #expect(harness.store.keptDeadLetters().map(\.reason) == [.noRecipient])
        #expect(harness.store.statistics().waitingForClients.packets == 0)
    }

    @Test func `a body that is too large is lost for each of them`() throws {
        let harness = try PacketHarness(fetches: true, buffer: { $0.packetBytesMax = 3 })
        harness.backend.answer(200, ["To: anna, bob"], "four")
        harness.settle()
        #expect(harness.relay.counters.lost.value == 2)
        #expect(harness.store.statistics().waitingForClients.packets == 0)
    }

    @Test func `a thousand ids are read in one go`() throws {
        let harness = try PacketHarness(fetches: true)
        let ids = (0..<1000).map { "client\($0)" }
        let list = (ids + ids).joined(separator: ",")
        harness.backend.answer(200, ["To: \(list)"], "all")
        harness.settle()
        #expect(harness.store.statistics().waitingForClients.packets == 1000)
    }
}

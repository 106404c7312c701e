import RelayConfig
import RelayObservation
import RelayPipeline
import RelayStore
import Testing

@testable import RelayPackets

struct PushTests {
    private static let secret = "Authorization: Bearer \(PacketHarness.pushSecrets[0])"

    private func push(
        _ harness: PacketHarness,
        _ fields: [String],
        _ body: String = "news",
        loop: Int = 0
    ) throws -> FakeClient {
        try harness.request("POST /packets HTTP/1.1", [Self.secret] + fields, body, loop: loop)
    }

    @Test func `a packet goes to each client, with its fields, and is answered with its numbers`()
        throws
    {
        let harness = try PacketHarness()
        for name in ["anna", "bob"] { try harness.logIn(name) }
        let held = try harness.post("anna")
        let push = try self.push(harness, ["To: bob, anna", "X-Topic: tea", "X-Real-IP: 1.2.3.4"])
        #expect(push.status == 202)
        let numbers = try #require(push.value("Packet-Id")).split(separator: ", ").map(String.init)
        #expect(numbers.count == 2)
        #expect(push.value("Duplicate") == nil)
        #expect(held.answer == "200, More: 0, X-Topic: tea, 'news'")
        #expect(held.value("Packet-Id") == numbers[1])
        let bob = try harness.post("bob")
        #expect(bob.value("Packet-Id") == numbers[0])
        #expect(harness.backend.requests.isEmpty)
        #expect(harness.relay.counters.storedToClient.value == 2)
    }

    @Test func `a repeat is answered with the same numbers, and stored once`() throws {
        let harness = try PacketHarness(loops: 2)
        try harness.logIn("anna")
        let first = try self.push(harness, ["To: anna", "Packet-Id: k"])
        let second = try self.push(harness, ["To: anna", "Packet-Id: k"], loop: 1)
        #expect(second.status == 202)
        #expect(second.value("Packet-Id") == first.value("Packet-Id"))
        #expect(second.value("Duplicate") == "true")
        #expect(harness.store.statistics().waitingForClients.packets == 1)
        #expect(harness.relay.counters.storedToClient.value == 1)
    }

    @Test func `a push is answered when it is stored`() throws {
        let journal = SlowJournal()
        let harness = try PacketHarness(journal: journal)
        let push = try self.push(harness, ["To: anna", "Packet-Id: k"])
        let again = try self.push(harness, ["To: anna", "Packet-Id: k"])
        #expect(push.status == nil)
        journal.commit(harness)
        #expect(push.status == 202)
        #expect(again.value("Duplicate") == "true")
        let failed = try self.push(harness, ["To: anna"])
        journal.fail(harness)
        #expect(failed.status == 503)
        #expect(failed.body.contains("store-failed"))
    }

    @Test func `any of the secrets will do, and nothing else`() throws {
        let harness = try PacketHarness()
        for secret in PacketHarness.pushSecrets {
            let fields = ["Authorization: Bearer \(secret)", "To: anna"]
            #expect(try harness.request("POST /packets HTTP/1.1", fields, "x").status == 202)
        }
        try harness.logIn("carol", isDebugServer: true)
        let wrong = [
            [], ["Authorization: Bearer \(PacketHarness.pushSecrets[0])x"],
            ["Authorization: Bearer \(PacketHarness.pushSecrets[0].dropLast())"],
            ["Authorization: Basic \(PacketHarness.pushSecrets[0])"],
            [Self.secret, Self.secret], ["Authorization: Bearer token of carol"],
        ]
        for fields in wrong {
            let client = try harness.request("POST /packets HTTP/1.1", fields + ["To: anna"], "x")
            #expect(client.status == 401, "\(fields)")
            #expect(client.value("WWW-Authenticate") == "Bearer")
        }
        // And a secret is no token of a client.
        #expect(try harness.request("POST / HTTP/1.1", [Self.secret]).status == 401)
    }

    @Test func `what the head tells is refused on the head`() throws {
        let harness = try PacketHarness(buffer: { $0.packetBytesMax = 10 })
        #expect(try harness.head("GET /packets HTTP/1.1", [Self.secret]).value("Allow") == "POST")
        let bad: [([String], UInt16)] = [
            (["Content-Length: 4"], 400), (["To: ", "Content-Length: 4"], 400),
            (["To: a b", "Content-Length: 4"], 400), (["To: anna"], 400),
            (["Debug: anna", "Content-Length: 4"], 400),
            (["To: anna", "Packet-Id: a b", "Content-Length: 4"], 400),
            (["To: anna", "Packet-Id: ", "Content-Length: 4"], 400),
            (["To: anna", "Content-Length: 11"], 413),
        ]
        for (fields, status) in bad {
            let client = try harness.head("POST /packets HTTP/1.1", [Self.secret] + fields)
            #expect(client.status == status, "\(fields)")
        }
        #expect(harness.store.statistics().waitingForClients.packets == 0)
    }

    @Test func `a chunked body that is empty is no packet`() throws {
        let harness = try PacketHarness()
        let client = try harness.head(
            "POST /packets HTTP/1.1",
            [Self.secret, "To: anna", "Transfer-Encoding: chunked"]
        )
        #expect(client.status == nil)
        harness.end(client)
        #expect(client.status == 400)
    }

    @Test func `full outboxes are a 503 that says when to try again`() throws {
        var limits = StoreLimits()
        limits.outboxPacketsMax = 1
        let harness = try PacketHarness(limits: limits)
        #expect(try self.push(harness, ["To: anna", "Packet-Id: 1"]).status == 202)
        for key in [[], ["Packet-Id: 2"]] {
            let client = try self.push(harness, ["To: anna"] + key)
            #expect(client.status == 503)
            #expect(client.value("Retry-After") == "1")
        }
        #expect(try self.push(harness, ["To: anna", "Packet-Id: 1"]).value("Duplicate") == "true")
    }

    @Test func `too many bodies at a time are a 503`() throws {
        var limits = LimitsConfiguration()
        limits.bufferedBytesMax = 6
        let harness = try PacketHarness(listenerLimits: limits)
        let head = ["To: anna", "Content-Length: 4"]
        let first = try harness.head("POST /packets HTTP/1.1", [Self.secret] + head)
        harness.send("news", on: first)
        #expect(try harness.head("POST /packets HTTP/1.1", [Self.secret] + head).status == 503)
        harness.end(first)
        #expect(first.status == 202)
        #expect(try harness.head("POST /packets HTTP/1.1", [Self.secret] + head).status == nil)
    }

    @Test func `a client that goes away while its push is stored has pushed it`() throws {
        let journal = SlowJournal()
        let harness = try PacketHarness(journal: journal)
        let push = try self.push(harness, ["To: anna"])
        harness.hangUp(push)
        journal.commit(harness)
        #expect(push.status == nil)
        #expect(harness.store.statistics().waitingForClients.packets == 1)
    }
}

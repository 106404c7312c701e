import Testing

/// Clients that send `Ack` get every packet until they say that they have it.
struct AcknowledgementTests {
    private static func ask(
        _ token: String,
        _ number: String,
        on client: TestClient
    ) throws -> Message {
        try client.exchange(.poll(token, wait: 0).with("Ack", number))
    }

    /// Two packets wait for alice, one event loop serves her.
    private static func run(_ body: (PacketSystem, _ alice: String) throws -> Void) throws {
        try PacketSystem.run { system in
            let alice = try system.logIn("alice")
            let bob = try system.logIn("bob")
            try system.send(["one", "two"], to: "alice", by: bob)
            try body(system, alice)
        }
    }

    @Test func `a packet comes again until it is acknowledged, on any connection`() throws {
        try Self.run { system, alice in
            let first = try Self.ask(alice, "0", on: system.client())
            #expect(first.text == "one")
            #expect(first.field("Redelivered") == nil)
            let client = try system.client()
            for _ in 0..<2 {
                let again = try Self.ask(alice, "0", on: client)
                #expect(again.text == "one")
                #expect(again.field("Redelivered") == "true")
                #expect(again.field("Packet-Id") == first.field("Packet-Id"))
            }
            let silent = try client.exchange(.poll(alice, wait: 0))
            #expect(silent.text == "one")

            let second = try Self.ask(alice, #require(first.field("Packet-Id")), on: client)
            #expect(second.text == "two")
            #expect(second.field("Redelivered") == nil)
            expectNoPacket(try Self.ask(alice, #require(second.field("Packet-Id")), on: client))
        }
    }

    @Test func `acknowledging again is harmless, and a number below acknowledges nothing more`()
        throws
    {
        try Self.run { system, alice in
            let client = try system.client()
            let first = try #require(try Self.ask(alice, "0", on: client).field("Packet-Id"))
            for number in [first, first, "0", "1"] {
                #expect(try Self.ask(alice, number, on: client).text == "two")
            }
            let large = "9007199254740991"
            expectProblem(try Self.ask(alice, large, on: client), 400)
            #expect(try Self.ask(alice, first, on: client).text == "two")
        }
    }

    @Test func `what was not acknowledged waits for the next session`() throws {
        try Self.run { system, alice in
            #expect(try Self.ask(alice, "0", on: system.client()).text == "one")
            let again = try system.logIn("alice")
            expectProblem(try Self.ask(alice, "0", on: system.client()), 401)
            #expect(try system.receive(2, again).map(\.text) == ["one", "two"])
        }
    }
}

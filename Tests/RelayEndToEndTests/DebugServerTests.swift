import Testing

/// Packets between clients (relay-protocol(7), Debug servers).
struct DebugServerTests {
    private static func run(
        _ body: (PacketSystem, _ alice: String, _ carol: String) throws -> Void
    ) throws {
        try PacketSystem.run { system in
            let alice = try system.logIn("alice")
            let carol = try system.logIn("carol", permissions: "Read, Accept-Debug")
            try body(system, alice, carol)
        }
    }

    @Test(arguments: ["To", "Debug", "debug"])
    func `a packet goes to a debug server and its answer back`(name: String) throws {
        try Self.run { system, alice, carol in
            let question = Request.packet(alice, "who are you?", wait: 0)
                .with(name, "carol").with("X-Topic", "names")
            expectNoPacket(try system.exchange(question))
            let received = try system.exchange(.poll(carol))
            #expect(received.text == "who are you?")
            #expect(received.field("From") == "alice")
            #expect(received.extensionFields == ["x-topic: names"])
            #expect(received.field("X-Forwarded-For") == nil)

            expectNoPacket(try system.exchange(.packet(carol, "carol", to: "alice", wait: 0)))
            let answer = try system.exchange(.poll(alice))
            #expect(answer.text == "carol")
            #expect(answer.field("From") == "carol")
            #expect(system.backend.packets.isEmpty)
        }
    }

    @Test func `To wins over Debug`() throws {
        try Self.run { system, alice, carol in
            let packet = Request.packet(alice, "hello", to: "carol", wait: 0).with("Debug", "bob")
            expectNoPacket(try system.exchange(packet))
            #expect(try system.exchange(.poll(carol)).text == "hello")
        }
    }

    @Test func `a debug server may address several at a time`() throws {
        try Self.run { system, alice, carol in
            let bob = try system.logIn("bob")
            let packet = Request.packet(carol, "all", to: "alice, bob ,,alice", wait: 0)
            expectNoPacket(try system.exchange(packet))
            for token in [alice, bob] {
                #expect(try system.exchange(.poll(token)).text == "all")
                expectNoPacket(try system.exchange(.poll(token, wait: 0)))
            }
        }
    }

    @Test func `others may address one debug server and nobody else`() throws {
        try Self.run { system, alice, carol in
            _ = try system.logIn("bob")
            for id in ["bob", "nobody", "alice"] {
                expectProblem(try system.exchange(.packet(alice, "hello", to: id)), 403, "\(id)")
            }
            expectProblem(try system.exchange(.packet(alice, "hello", to: "carol, bob")), 400)
            expectNoPacket(try system.exchange(.poll(carol, wait: 0)))
            #expect(system.backend.packets.isEmpty)
        }
    }

    @Test func `without a body To means nothing`() throws {
        try Self.run { system, alice, _ in
            let poll = Request.poll(alice, wait: 0).with("To", "nobody")
            expectNoPacket(try system.exchange(poll))
        }
    }

    @Test func `a debug server is a client like any other`() throws {
        try Self.run { system, _, carol in
            let answer = try system.exchange(.packet(carol, "to the backend"))
            #expect(answer.text == "to the backend")
            #expect(system.backend.packets.first?.message.field("From") == "carol")
        }
    }

    @Test func `it ends with its session`() throws {
        try Self.run { system, alice, _ in
            _ = try system.logIn("carol")
            expectProblem(try system.exchange(.packet(alice, "hello", to: "carol")), 403)
        }
    }

    @Test func `who becomes one is logged with id and address`() throws {
        try Self.run { system, _, _ in
            let line = try system.relay.waitForLine(containing: "carol")
            #expect(line.contains("127.0.0.1"))
        }
    }
}

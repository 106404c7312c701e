import Testing

/// Clients that give their packets a `Packet-Id` may send them again.
struct PacketKeyTests {
    @Test func `a repeat is stored once, and the backend knows its name`() throws {
        try PacketSystem.run(
            script: { request, backend in
                request.isPacket ? .answer(200) : backend.admit(request)
            }
        ) { system in
            let token = try system.logIn("alice")
            let packet = Request.packet(token, "once", wait: 0).with("Packet-Id", "order-17")
            let first = try system.exchange(packet)
            expectNoPacket(first)
            #expect(first.field("Duplicate") == nil)
            for _ in 0..<2 {
                let again = try system.exchange(packet)
                expectNoPacket(again)
                #expect(again.field("Duplicate") == "true")
            }
            _ = try system.exchange(.packet(token, "end", wait: 0))
            let packets = try system.backend.waitForPackets(2).map(\.message)
            #expect(packets.map(\.text) == ["once", "end"])
            #expect(packets[0].values(of: "Packet-Id") == ["order-17"])
            #expect(packets[1].values(of: "Packet-Id").count == 1)
        }
    }

    @Test func `a client whose connection broke after it had sent sends again`() throws {
        try PacketSystem.run { system in
            let token = try system.logIn("alice")
            let packet = Request.packet(token, "hello").with("Packet-Id", "1")
            let broken = try system.client()
            try broken.send(packet)
            _ = try system.backend.waitForPackets(1)
            broken.stream.reset()
            #expect(try system.exchange(packet).field("Duplicate") == "true")
            #expect(try system.receive(1, token).map(\.text) == ["hello"])
            #expect(system.backend.packets.count == 1)
        }
    }

    @Test func `as many names are remembered as is said, the newest`() throws {
        try PacketSystem.run({ $0.buffer = "hold: 10s, dedupe_keys: 2" }) { system in
            let token = try system.logIn("alice")
            func isDuplicate(_ key: String) throws -> Bool {
                let packet = Request.packet(token, "x", wait: 0).with("Packet-Id", key)
                return try system.exchange(packet).field("Duplicate") == "true"
            }
            for key in ["a", "b", "c"] { #expect(try !isDuplicate(key)) }
            for key in ["b", "c"] { #expect(try isDuplicate(key)) }
            #expect(try !isDuplicate("a"))
        }
    }

    @Test func `a name that is given to a poll means nothing`() throws {
        try PacketSystem.run { system in
            let token = try system.logIn("alice")
            for _ in 0..<2 {
                let poll = Request.poll(token, wait: 0).with("Packet-Id", "a")
                #expect(try system.exchange(poll).field("Duplicate") == nil)
            }
        }
    }
}

import Testing

/// Clients are told how many packets they will not get.
struct LossTests {
    private static let small = "hold: 10s, client_packets: 2, overflow: "

    /// Five packets come for alice, of which two have a place.
    private static func run(
        _ overflow: String,
        _ body: (PacketSystem, _ alice: String) throws -> Void
    ) throws {
        try PacketSystem.run({ $0.buffer = Self.small + overflow }) { system in
            let alice = try system.logIn("alice")
            let bob = try system.logIn("bob")
            try system.send(["1", "2", "3", "4", "5"], to: "alice", by: bob)
            try body(system, alice)
        }
    }

    @Test(arguments: ["dead_letter", "drop_oldest"])
    func `what overflowed is told once it has arrived`(overflow: String) throws {
        try Self.run(overflow) { system, alice in
            let client = try system.client()
            let first = try client.exchange(.poll(alice, wait: 0))
            #expect(first.text == "4")
            #expect(first.field("Lost") == "3")
            let second = try client.exchange(.poll(alice, wait: 0))
            #expect(second.text == "5")
            #expect(second.field("Lost") == nil)
        }
    }

    @Test func `in acknowledged mode it is told until it is acknowledged`() throws {
        try Self.run("drop_oldest") { system, alice in
            func ask(_ number: String) throws -> Message {
                try system.exchange(.poll(alice, wait: 0).with("Ack", number))
            }
            let first = try ask("0")
            #expect(first.field("Lost") == "3")
            #expect(try ask("0").field("Lost") == "3")
            let second = try ask(#require(first.field("Packet-Id")))
            #expect(second.text == "5")
            #expect(second.field("Lost") == nil)
        }
    }

    @Test func `a packet above packet_size is a gap for its recipient`() throws {
        try PacketSystem.run(
            { $0.buffer = "hold: 10s, packet_size: 1KiB" },
            script: { request, backend in
                guard request.isPacket else { return backend.admit(request) }
                let body = String(repeating: "b", count: 1025)
                return .answer(200, fields: [("To", "alice")], body: body)
            }
        ) { system in
            let alice = try system.logIn("alice")
            let client = try system.client()
            _ = try client.exchange(.packet(alice, "big", wait: 0))
            _ = try system.backend.waitForPackets(1)
            var told: String?
            while told == nil {
                told = try client.exchange(.poll(alice, wait: 0)).field("Lost")
            }
            #expect(told == "1")
            #expect(try client.exchange(.poll(alice, wait: 0)).field("Lost") == nil)
        }
    }
}

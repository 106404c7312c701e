import Testing

/// `ordering` of `buffer`.
struct OrderingTests {
    /// A backend that never answers 'stuck'.
    private static let script: TestBackend.Script = { request, backend in
        guard request.isPacket else { return backend.admit(request) }
        return request.message.text == "stuck" ? .hang : .answer(200)
    }

    @Test func `without order a packet that hangs holds up no other of its client`() throws {
        try PacketSystem.run({ $0.buffer = "hold: 0s, ordering: none" }, script: Self.script) {
            system in
            let token = try system.logIn("alice")
            let client = try system.client()
            let texts = ["stuck"] + (1...20).map { "packet \($0)" }
            for text in texts {
                #expect(try client.exchange(.packet(token, text)).status == 200)
            }
            let arrived = try system.backend.waitForPackets(texts.count)
            #expect(Set(arrived.map(\.message.text)) == Set(texts))
            #expect(arrived.allSatisfy { $0.message.field("From") == "alice" })
        }
    }

    @Test func `in order it does, until it is given up`() throws {
        try PacketSystem.run(
            {
                $0.buffer = "hold: 0s, ordering: client"
                $0.pool.append("packet_timeout: 300ms")
                $0.retry = "attempts: 1"
            },
            script: Self.script
        ) { system in
            let token = try system.logIn("alice")
            let client = try system.client()
            for text in ["stuck", "next"] {
                #expect(try client.exchange(.packet(token, text)).status == 200)
            }
            let arrived = try system.backend.waitForPackets(2)
            #expect(arrived.map(\.message.text) == ["stuck", "next"])
            let line = try system.relay.waitForLine(containing: "packet became a dead letter")
            #expect(line.contains("attempts exhausted"))
        }
    }
}

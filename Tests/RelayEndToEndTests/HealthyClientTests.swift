import Testing

/// Clients that read what they get never get it twice, however they use connections.
struct HealthyClientTests {
    private static let count = 20

    /// Has packets wait for alice, lets `receive` read them all, and expects each once, in order.
    private static func run(
        _ receive: (PacketSystem, _ token: String, _ count: Int) throws -> [Message]
    ) throws {
        try PacketSystem.run { system in
            let alice = try system.logIn("alice")
            let bob = try system.logIn("bob")
            let texts = (0..<Self.count).map { "packet \($0)" }
            try system.send(texts, to: "alice", by: bob)
            let packets = try receive(system, alice, Self.count)
            #expect(packets.map(\.text) == texts)
            #expect(packets.allSatisfy { $0.field("Redelivered") == nil })
            // Whatever came again would come before this.
            let last = try system.exchange(.packet(alice, "last"))
            #expect(last.text == "last")
            #expect(last.field("Redelivered") == nil)
        }
    }

    @Test func `two keep-alive connections in turn`() throws {
        try Self.run { system, token, count in
            let clients = try [system.client(), system.client()]
            return try (0..<count).map { try clients[$0 % 2].exchange(.poll(token)) }
        }
    }

    @Test func `two keep-alive connections that both have a poll`() throws {
        try Self.run { system, token, count in
            let clients = try [system.client(), system.client()]
            for client in clients { try client.send(.poll(token)) }
            var packets: [Message] = []
            while packets.count < count {
                for client in clients where client.stream.hasInput(by: .after(.milliseconds(1))) {
                    packets.append(try client.response())
                    try client.send(.poll(token))
                }
            }
            return packets.sorted { Self.number($0) < Self.number($1) }
        }
    }

    @Test func `a connection for each poll that the client closes`() throws {
        try Self.run { system, token, count in
            try (0..<count).map { _ in
                let client = try system.client()
                defer { client.stream.close() }
                return try client.exchange(.poll(token))
            }
        }
    }

    @Test(arguments: ["HTTP/1.0", "HTTP/1.1"])
    func `a connection for each poll that relay closes`(version: String) throws {
        try Self.run { system, token, count in
            var poll = Request.poll(token).with("Connection", "close")
            poll.version = version
            return try (0..<count).map { _ in
                let client = try system.client()
                let answer = try client.exchange(poll)
                #expect(answer.field("Connection") == "close")
                #expect(try client.stream.hasEnded())
                return answer
            }
        }
    }

    @Test func `FIN after reading, and only then the end`() throws {
        try Self.run { system, token, count in
            try (0..<count).map { _ in
                let client = try system.client()
                let answer = try client.exchange(.poll(token))
                client.stream.finish()
                #expect(try client.stream.hasEnded())
                return answer
            }
        }
    }

    @Test func `RST after reading, once the next poll has its packet`() throws {
        try Self.run { system, token, count in
            var packets: [Message] = []
            var previous: TestClient?
            for _ in 0..<count {
                let client = try system.client()
                packets.append(try client.exchange(.poll(token)))
                previous?.stream.reset()
                previous = client
            }
            return packets
        }
    }

    @Test func `RST on a connection whose last request brought nothing`() throws {
        try Self.run { system, token, count in
            try (0..<count).map { _ in
                let client = try system.client()
                let packet = try client.exchange(.poll(token))
                // The request is the proof; what it gets is not read.
                try client.send(Request(method: "GET", path: "/"))
                _ = client.stream.hasInput(by: .usual)
                client.stream.reset()
                return packet
            }
        }
    }

    @Test func `pipelined polls`() throws {
        try PacketSystem.run({ $0.buffer = "hold: 100ms" }) { system in
            let alice = try system.logIn("alice")
            let bob = try system.logIn("bob")
            let texts = (0..<Self.count).map { "packet \($0)" }
            try system.send(texts, to: "alice", by: bob)
            let client = try system.client()
            var packets: [Message] = []
            let deadline = Deadline.usual
            // Several polls of a client are served newest first, so one may bring nothing.
            while packets.count < Self.count, !deadline.isOver {
                let polls = [Request.poll(alice), .poll(alice), .poll(alice)]
                try client.stream.write(polls.flatMap { $0.bytes(to: client.address) })
                for _ in polls {
                    let answer = try client.response()
                    if answer.field("Packet-Id") != nil { packets.append(answer) }
                }
            }
            packets.sort { Self.number($0) < Self.number($1) }
            #expect(packets.map(\.text) == texts)
            #expect(packets.allSatisfy { $0.field("Redelivered") == nil })
            #expect(try client.exchange(.packet(alice, "last")).text == "last")
        }
    }

    @Test func `packets larger than what the kernel takes at once`() throws {
        try PacketSystem.run { system in
            let alice = try system.logIn("alice")
            let bob = try system.logIn("bob")
            let texts = (0..<3).map { String(repeating: "\($0)", count: 1 << 20) }
            try system.send(texts, to: "alice", by: bob)
            for text in texts {
                let client = try system.client(receiveBuffer: 4096)
                let answer = try client.exchange(.poll(alice))
                #expect(answer.text == text)
                #expect(answer.field("Redelivered") == nil)
                client.stream.close()
            }
            #expect(try system.exchange(.packet(alice, "last")).text == "last")
        }
    }

    private static func number(_ packet: Message) -> UInt64 {
        packet.field("Packet-Id").flatMap(UInt64.init) ?? 0
    }
}

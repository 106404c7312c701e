import Testing

/// Clients whose connection broke get the packet again, marked, before all others.
///
/// The packet is larger than what their kernels take: what a kernel has taken has arrived.
struct RedeliveryTests {
    private static let large = String(repeating: "x", count: 1 << 20)

    /// A connection whose kernel takes little more than what is read.
    private static func client(_ system: PacketSystem) throws -> TestClient {
        try system.client(receiveBuffer: 4096)
    }

    /// Has packets wait for alice, with one event loop, which sees a reset before what comes later.
    private static func run(
        _ texts: [String],
        _ body: (PacketSystem, _ alice: String) throws -> Void
    ) throws {
        try PacketSystem.run({ $0.workers = 1 }) { system in
            let alice = try system.logIn("alice")
            let bob = try system.logIn("bob")
            try system.send(texts, to: "alice", by: bob)
            try body(system, alice)
        }
    }

    /// Expects `texts` on one connection, only the first of them marked.
    private static func expectAgain(
        _ texts: [String],
        _ system: PacketSystem,
        _ token: String
    ) throws {
        let packets = try system.receive(texts.count, token)
        // Compared before they are expected: a megabyte is no message for people.
        let areTheSame = packets.map(\.text) == texts
        #expect(areTheSame)
        let marks = packets.map { $0.field("Redelivered") }
        #expect(marks == ["true"] + Array(repeating: nil, count: texts.count - 1))
    }

    @Test func `RST before reading`() throws {
        try Self.run([Self.large, "two"]) { system, token in
            let client = try Self.client(system)
            try client.send(.poll(token))
            #expect(client.stream.hasInput(by: .usual))
            client.stream.reset()
            try Self.expectAgain([Self.large, "two"], system, token)
        }
    }

    @Test func `a close with the answer unread`() throws {
        try Self.run([Self.large, "two"]) { system, token in
            let client = try Self.client(system)
            try client.send(.poll(token))
            #expect(client.stream.hasInput(by: .usual))
            // The kernel answers for a program that ends so with a reset.
            client.stream.close()
            try Self.expectAgain([Self.large, "two"], system, token)
        }
    }

    @Test func `a cut in the middle of the answer`() throws {
        try Self.run([Self.large, "two"]) { system, token in
            let client = try Self.client(system)
            try client.send(.poll(token))
            for _ in 0..<10 { try client.stream.fill() }
            client.stream.close()
            try Self.expectAgain([Self.large, "two"], system, token)
        }
    }

    @Test func `a connection on which nothing moves for two seconds while another poll waits`()
        throws
    {
        try Self.run([Self.large, "two"]) { system, token in
            let stuck = try Self.client(system)
            try stuck.send(.poll(token))
            #expect(stuck.stream.hasInput(by: .usual))
            // Nothing passes the packet under way.
            let nothing = try system.exchange(.poll(token, wait: 0))
            #expect(nothing.status == 200)
            #expect(nothing.field("Packet-Id") == nil)
            try Self.expectAgain([Self.large, "two"], system, token)
            #expect(throws: StreamFailure.reset) { try stuck.stream.rest() }
        }
    }

    @Test func `again and again, until it is read`() throws {
        try Self.run([Self.large]) { system, token in
            for _ in 0..<10 {
                let client = try Self.client(system)
                try client.send(.poll(token))
                #expect(client.stream.hasInput(by: .usual))
                client.stream.reset()
            }
            let packets = try system.receive(1, token)
            #expect(packets.first?.text == Self.large)
            #expect(packets.first?.field("Redelivered") == "true")
            #expect(try system.exchange(.packet(token, "last")).text == "last")
        }
    }
}

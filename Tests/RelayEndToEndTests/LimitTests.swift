import Testing

/// The limits of `buffer:` and `limits:` as clients and backends meet them (relay.yaml(5)).
struct LimitTests {
    @Test(arguments: [("client_packets: 2"), ("client_bytes: 2KiB, packet_size: 1KiB")])
    func `a full outbox gives up its oldest packets`(limit: String) throws {
        try PacketSystem.run({ $0.buffer = "hold: 10s, \(limit)" }) { system in
            let alice = try system.logIn("alice")
            let bob = try system.logIn("bob")
            let texts = (0..<4).map { String(repeating: "\($0)", count: 800) }
            try system.send(texts, to: "alice", by: bob)
            #expect(try system.receive(2, alice).map(\.text) == Array(texts.suffix(2)))
        }
    }

    @Test(arguments: ["outbox_packets: 2", "outbox_bytes: 2KiB, packet_size: 1KiB"])
    func `a full store holds packets back until there is room for replies`(limit: String) throws {
        try PacketSystem.run({ $0.buffer = "hold: 10s, \(limit)" }) { system in
            let alice = try system.logIn("alice")
            let bob = try system.logIn("bob")
            let sender = try system.client()
            let texts = (0..<6).map { String(repeating: "\($0)", count: 1024) }
            for text in texts {
                let packet = Request.packet(bob, text, wait: 0).with("X-Deliver-To", "alice")
                #expect(try sender.exchange(packet).status == 200)
            }
            try system.backend.waitForPackets(2)
            expectNoPacket(try sender.exchange(.poll(bob, wait: 0)))
            #expect(system.backend.packets.count == 2)
            #expect(try system.receive(6, alice).map(\.text) == texts)
        }
    }

    @Test func `packets for ids that never logged in may be refused`() throws {
        try PacketSystem.run({ $0.buffer = "hold: 10s, unknown_clients: 1" }) { system in
            let bob = try system.logIn("bob")
            try system.send(["known"], to: "first", by: bob)
            try system.send(["unknown"], to: "second", by: bob)
            try system.send(["known, too"], to: "first", by: bob)
            let second = try system.logIn("second")
            expectNoPacket(try system.exchange(.poll(second, wait: 0)))
            let first = try system.logIn("first")
            #expect(try system.receive(2, first).map(\.text) == ["known", "known, too"])
        }
    }

    @Test func `one connection more than source_connections is a 429, until another ends`() throws {
        try PacketSystem.run({ $0.limits = "source_connections: 2" }) { system in
            let first = try TestClient(system.address)
            let second = try TestClient(system.address)
            for client in [first, second] {
                #expect(try client.exchange(.get("/nothing")).status == 404)
            }
            let third = try TestClient(system.address)
            let refusal = try third.stream.message()
            expectProblem(refusal, 429)
            #expect(refusal.field("Connection") == "close")
            #expect(try third.stream.hasEnded())
            first.stream.close()
            let deadline = Deadline.usual
            var status = 429
            // relay hears of the end in its own time.
            while status == 429, !deadline.isOver {
                let client = try TestClient(system.address)
                defer { client.stream.close() }
                status = try client.exchange(.get("/nothing")).status
            }
            #expect(status == 404)
        }
    }

    @Test func `inbox_bytes is a 503 as well`() throws {
        try PacketSystem.run(
            { $0.buffer = "hold: 10s, inbox_bytes: 2KiB, packet_size: 1KiB" },
            script: { request, backend in request.isPacket ? .hang : backend.admit(request) }
        ) { system in
            let token = try system.logIn("alice")
            let text = String(repeating: "a", count: 700)
            for _ in 0..<2 {
                expectNoPacket(try system.exchange(.packet(token, text, wait: 0)))
            }
            let answer = try system.exchange(.packet(token, text, wait: 0))
            expectProblem(answer, 503)
            #expect(answer.field("Retry-After") != nil)
        }
    }

    @Test func `bodies under way beyond buffered are a 503, until some have come`() throws {
        try PacketSystem.run({ $0.limits = "buffered: 64KiB" }) { system in
            let token = try system.logIn("alice")
            let packet = Request.packet(token, String(repeating: "a", count: 60_000), wait: 0)
                .with("X-Silent", "1")
            let bytes = packet.bytes(to: system.address)
            let slow = try system.client()
            try slow.stream.write(Array(bytes.dropLast(10_000)))
            // Until relay has read it there is room for others.
            let other = try system.client()
            var answer = try other.exchange(packet)
            let deadline = Deadline.usual
            while answer.status == 200, !deadline.isOver { answer = try other.exchange(packet) }
            expectProblem(answer, 503)
            #expect(answer.field("Retry-After") != nil)
            try slow.stream.write(Array(bytes.suffix(10_000)))
            expectNoPacket(try slow.response())
            expectNoPacket(try system.exchange(packet))
        }
    }

    /// Lets `seconds` pass: a poll with nothing to wait for is the only clock that a client has.
    private static func pass(_ seconds: Int, _ system: PacketSystem) throws {
        let clock = try system.logIn("clock")
        expectNoPacket(try system.exchange(.poll(clock, wait: seconds)))
    }

    @Test func `packets expire in both directions`() throws {
        try PacketSystem.run({ $0.buffer = "hold: 10s, packet_ttl: 1s" }) { system in
            let alice = try system.logIn("alice")
            let bob = try system.logIn("bob")
            try system.send(["too late"], to: "alice", by: bob)
            system.backend.stop()
            _ = try system.exchange(.packet(bob, "too late, too", wait: 0))
            let start = ContinuousClock.now
            while ContinuousClock.now - start < .seconds(1) {
                expectNoPacket(try system.exchange(.poll(bob, wait: 1)))
            }
            try system.backend.start()
            expectNoPacket(try system.exchange(.poll(alice, wait: 0)))
            #expect(try system.exchange(.packet(bob, "in time")).text == "in time")
            #expect(!system.backend.packets.contains { $0.message.text == "too late, too" })
        }
    }

    @Test func `a token that is not used expires`() throws {
        try PacketSystem.run({ $0.auth = "token_ttl: 1s" }) { system in
            let old = try system.logIn("alice")
            try Self.pass(2, system)
            expectProblem(try system.exchange(.poll(old, wait: 0)), 401)
        }
    }

    @Test func `a connection above max_connections waits for its turn`() throws {
        try PacketSystem.run({ $0.limits = "max_connections: 2" }) { system in
            let clients = try [system.client(), system.client()]
            for client in clients { #expect(try client.exchange(.login("alice")).status == 200) }
            let waiting = try system.client()
            try waiting.send(.login("bob"))
            #expect(try clients[1].exchange(.login("alice")).status == 200)
            #expect(!waiting.stream.hasInput(by: .after(.zero)))
            clients[0].stream.close()
            #expect(try waiting.response().status == 200)
        }
    }

    @Test func `an idle connection is closed, a held poll is not idle`() throws {
        try PacketSystem.run({ $0.limits = "idle_timeout: 100ms" }) { system in
            let token = try system.logIn("alice")
            let poll = try system.client()
            try poll.send(.poll(token, wait: 1))
            let idle = try system.client()
            _ = try idle.exchange(.login("bob"))
            #expect(try idle.stream.hasEnded())
            #expect(!poll.stream.hasInput(by: .after(.zero)))
            expectNoPacket(try poll.response())
        }
    }

    @Test func `packets are refused while memory is short, until it is ample again`() throws {
        try PacketSystem.run(
            {
                $0.sections = ["memory: { limit: 32MiB }"]
                $0.limits = "body_size: 4MiB"
                $0.buffer = "hold: 10s, packet_size: 4MiB, inbox_bytes: 1GiB"
            },
            script: { request, backend in
                request.isPacket ? .hang : backend.admit(request)
            }
        ) { system in
            let token = try system.logIn("alice")
            let packet = Request.packet(token, String(repeating: "a", count: 4 << 20), wait: 0)
            let client = try system.client()
            // relay looks four times a second: it may see less than all of it, or refuse the rest.
            for _ in 0..<12 { try? client.send(packet) }
            try system.relay.waitForLine(containing: "memory is")
            // The backend takes in what waits.
            system.backend.stop()
            system.backend.setScript { _, _ in .answer(200) }
            try system.backend.start()
            try system.relay.waitForLine(containing: "memory is ample again")
            #expect(try system.exchange(packet).status == 200)
        }
    }

    @Test func `port 0 lets the system choose, and the log tells`() throws {
        let host = try LoopbackHost.unique()
        let folder = try TemporaryFolder()
        let backend = try TestBackend(host.at(9001))
        var file = RelayFile(host)
        file.listenerAddress = host.at(0)
        let path = try folder.write(file.text, to: "relay.yaml")
        let relay = try RelayProcess(file: path, admin: file.adminAddress)
        let line = try relay.waitForLine(containing: "packets=\(host.text):")
        let port = line.split(separator: "packets=\(host.text):").last.flatMap {
            UInt16($0.prefix { $0.isNumber })
        }
        let address = host.at(try #require(port))
        #expect(try TestClient.exchange(.login("alice"), with: address).status == 200)
        #expect(try relay.terminate() == .code(0))
        backend.stop()
    }
}

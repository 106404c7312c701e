import Testing

/// Packets that the backend has for clients without being sent one (relay-protocol(7), Fetching).
struct FetchTests {
    @Test func `a fetch says nothing of a client`() throws {
        try PacketSystem.run({ $0.pool = ["fetch: { interval: 10ms }"] }) { system in
            let requests = try system.backend.waitForRequests { $0.count(where: \.isFetch) >= 3 }
            for fetch in requests.filter(\.isFetch).map(\.message) {
                #expect(fetch.startLine == "POST /endpoint HTTP/1.1")
                #expect(fetch.values(of: "Type") == ["Packet"])
                #expect(fetch.field("From") == nil)
                #expect(fetch.body.isEmpty)
            }
        }
    }

    @Test func `a packet reaches the client that waits for it`() throws {
        try PacketSystem.run({ $0.pool = ["fetch: { interval: 10ms }"] }) { system in
            let token = try system.logIn("alice")
            let poll = try system.client()
            try poll.send(.poll(token))
            system.backend.push(
                .init(
                    recipient: "alice",
                    body: "news",
                    fields: [("X-Kind", "n"), ("From", "desk")]
                )
            )
            let answer = try poll.response()
            #expect(answer.text == "news")
            #expect(answer.field("From") == "desk")
            #expect(answer.extensionFields == ["x-kind: n"])
        }
    }

    @Test func `a fetch that brought a packet is followed by another at once`() throws {
        try PacketSystem.run({ $0.pool = ["fetch: { interval: 1h }"] }, script: Self.holding) {
            system in
            let token = try system.logIn("alice")
            let texts = (0..<20).map { "\($0)" }
            for text in texts { system.backend.push(text, to: "alice") }
            #expect(try system.receive(20, token).map(\.text) == texts)
        }
    }

    @Test func `in mode client each fetch is for a client that has a poll held`() throws {
        try PacketSystem.run(
            { $0.pool = ["fetch: { mode: client, interval: 10ms }"] },
            script: { request, backend in
                guard request.isFetch else { return backend.admit(request) }
                guard let client = request.message.field("From") else { return .answer(400) }
                return .answer(200, fields: [("To", client)], body: "for \(client)")
            }
        ) { system in
            let tokens = try ["alice", "bob"].map { try system.logIn($0) }
            #expect(system.backend.received.allSatisfy { !$0.isFetch })
            for (client, token) in zip(["alice", "bob"], tokens) {
                #expect(try system.exchange(.poll(token)).text == "for \(client)")
            }
        }
    }

    @Test func `a packet with a key arrives once, and its backend is told`() throws {
        try PacketSystem.run(
            { $0.pool = ["fetch: { interval: 10ms }"] },
            script: { request, backend in
                guard request.isFetch else { return backend.admit(request) }
                // It gives the packet three times at least, and then until it is told.
                let fetches = backend.received.filter(\.isFetch)
                let isTold = fetches.contains { $0.message.field("Stored") == "k/1" }
                if fetches.count > 3, isTold { return .pushed(hold: .seconds(20)) }
                return .answer(200, fields: [("To", "alice"), ("Packet-Id", "k/1")], body: "named")
            }
        ) { system in
            let token = try system.logIn("alice")
            #expect(try system.exchange(.poll(token)).text == "named")
            try system.backend.waitForRequests { $0.count(where: \.isFetch) > 3 }
            expectNoPacket(try system.exchange(.poll(token, wait: 1)))
        }
    }

    @Test func `fetches outstanding are as many as configured, for every target`() throws {
        try PacketSystem.run(
            { file in
                file.pool = ["fetch: { connections: 3 }"]
                file.targets.append(Address(host: file.targets[0].host, port: 9002))
            },
            script: Self.holding
        ) { system in
            let other = try TestBackend(system.host.at(9002), script: Self.holding)
            defer { other.stop() }
            try system.backend.waitForRequests { $0.count(where: \.isFetch) == 3 }
            try other.waitForRequests { $0.count(where: \.isFetch) == 3 }
            // Whoever fetched too often would do so before this comes back.
            let token = try system.logIn("alice")
            expectNoPacket(try system.exchange(.poll(token, wait: 1)))
            #expect(system.backend.received.count(where: \.isFetch) == 3)
            #expect(other.received.count(where: \.isFetch) == 3)
        }
    }

    @Test func `a fetch that failed is repeated`() throws {
        try PacketSystem.run(
            { $0.pool = ["fetch: { interval: 10ms }"] },
            script: { request, backend in
                guard request.isFetch else { return backend.admit(request) }
                switch backend.received.count(where: \.isFetch) {
                case 1: return .answer(404)
                case 2: return .answer(503)
                case 3: return .close
                case 4: return .raw("nonsense\r\n")
                default: return .pushed(hold: .seconds(20))
                }
            }
        ) { system in
            let token = try system.logIn("alice")
            system.backend.push("at last", to: "alice")
            #expect(try system.exchange(.poll(token)).text == "at last")
        }
    }

    @Test func `fetching goes on when a backend comes back`() throws {
        try PacketSystem.run({ $0.pool = ["fetch: { interval: 10ms }"] }) { system in
            let token = try system.logIn("alice")
            system.backend.stop()
            system.backend.push("I am back", to: "alice")
            try system.backend.start()
            #expect(try system.exchange(.poll(token)).text == "I am back")
        }
    }

    /// Holds every fetch until there is something.
    static let holding: TestBackend.Script = { request, backend in
        request.isFetch ? .pushed(hold: .seconds(60)) : backend.admit(request)
    }
}

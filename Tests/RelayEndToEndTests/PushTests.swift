import Testing

/// `POST /packets` (relay-protocol(7), PUSHING).
struct PushTests {
    private static let secret = "open-sesame"

    /// A system with a second listener, to which packets may be pushed.
    private static func run(
        _ configure: (inout RelayFile) -> Void = { _ in },
        _ body: (PacketSystem, _ push: (Request) throws -> Message) throws -> Void
    ) throws {
        var address: Address?
        try PacketSystem.run({ file in
            let host = file.listenerAddress
            address = Address(host: host.host, port: 8081)
            file.listeners = [
                "push:", "  bind: \"\(host.host):8081\"", "  pipeline:",
                "    - push: { realm: backend, secrets: [old-secret, \(Self.secret)] }",
            ]
            configure(&file)
        }) { system in
            let address = try #require(address)
            try body(system) { try TestClient.exchange($0, with: address) }
        }
    }

    private static func packet(_ text: String, to recipients: String) -> Request {
        Request(path: "/packets", body: Array(text.utf8))
            .with("Authorization", "Bearer \(Self.secret)").with("To", recipients)
    }

    @Test func `a packet goes to each client, waiting or not`() throws {
        try Self.run { system, push in
            let alice = try system.logIn("alice")
            let held = try system.client()
            // Its poll is held before the backend has its packet.
            try held.send(.packet(alice, "nobody").with("X-Silent", "1"))
            try system.backend.waitForPackets(1)
            let answer = try push(
                Self.packet("news", to: "alice, bob").with("X-Topic", "tea")
            )
            #expect(answer.status == 202)
            let numbers = try #require(answer.field("Packet-Id")).split(separator: ", ")
            #expect(numbers.count == 2)

            let received = try held.response()
            #expect(received.text == "news")
            #expect(received.field("Packet-Id") == numbers.first.map(String.init))
            #expect(received.extensionFields == ["x-topic: tea"])
            let bob = try system.logIn("bob")
            let later = try system.exchange(.poll(bob))
            #expect(later.text == "news")
            #expect(later.field("Packet-Id") == numbers.last.map(String.init))
            #expect(system.backend.packets.count == 1)
        }
    }

    @Test func `a repeat is harmless`() throws {
        try Self.run { system, push in
            let request = Self.packet("news", to: "alice").with("Packet-Id", "k-1")
            let first = try push(request)
            let second = try push(request)
            #expect(second.status == 202)
            #expect(first.field("Duplicate") == nil)
            #expect(second.field("Duplicate") == "true")
            #expect(second.field("Packet-Id") == first.field("Packet-Id"))
            let alice = try system.logIn("alice")
            #expect(try system.exchange(.poll(alice)).text == "news")
            expectNoPacket(try system.exchange(.poll(alice, wait: 0)))
        }
    }

    @Test func `errors are problems and store nothing`() throws {
        try Self.run { system, push in
            let alice = try system.logIn("alice")
            var wrong = Self.packet("news", to: "alice")
            wrong.fields[0].value = "Bearer open-sesamf"
            expectProblem(try push(wrong), 401)
            var withToken = Self.packet("news", to: "alice")
            withToken.fields[0].value = "Bearer \(alice)"
            expectProblem(try push(withToken), 401)
            expectProblem(try push(Self.packet("news", to: ", ,")), 400)
            expectProblem(try push(Self.packet("", to: "alice")), 400)
            expectProblem(try push(Self.packet("news", to: "alice").with("Packet-Id", "")), 400)
            let large = String(repeating: "x", count: (1 << 20) + 1)
            expectProblem(try push(Self.packet(large, to: "alice")), 413)
            var get = Self.packet("", to: "alice")
            get.method = "GET"
            expectProblem(try push(get), 405)
            expectProblem(try push(Request(path: "/")), 404)
            expectNoPacket(try system.exchange(.poll(alice, wait: 0)))
        }
    }

    @Test func `full outboxes are a 503 until there is room`() throws {
        try Self.run({ $0.buffer = "hold: 10s, outbox_packets: 1" }) { system, push in
            let client = try system.client()
            let alice = try system.logIn("alice")
            #expect(try push(Self.packet("one", to: "alice")).status == 202)
            let full = try push(Self.packet("two", to: "alice"))
            expectProblem(full, 503)
            #expect(full.field("Retry-After").flatMap(UInt.init) != nil)
            #expect(try client.exchange(.poll(alice)).text == "one")
            // A request on the same connection proves that the packet has arrived.
            expectNoPacket(try client.exchange(.poll(alice, wait: 0)))
            #expect(try push(Self.packet("two", to: "alice")).status == 202)
        }
    }

    @Test func `a reload replaces one secret while the other one goes on`() throws {
        try Self.run { system, push in
            let packet = Self.packet("news", to: "alice")
            var old = packet
            old.fields[0].value = "Bearer old-secret"
            #expect(try push(old).status == 202)
            try system.rewrite { file in
                file.listeners[3] =
                    "    - push: { realm: backend, secrets: [\(Self.secret), new-secret] }"
            }
            try system.reloadBySignal()
            expectProblem(try push(old), 401)
            #expect(try push(packet).status == 202)
        }
    }

    @Test func `secrets are in no log`() throws {
        try Self.run({ $0.log = "level: trace" }) { system, push in
            #expect(try push(Self.packet("news", to: "alice")).status == 202)
            var wrong = Self.packet("news", to: "alice")
            wrong.fields[0].value = "Bearer guessed-secret"
            expectProblem(try push(wrong), 401)
            system.relay.readLog()
            for secret in [Self.secret, "guessed-secret"] {
                #expect(!system.relay.log.contains(secret))
            }
        }
    }

    @Test func `what a stranger must not say is not carried`() throws {
        try Self.run { system, push in
            let alice = try system.logIn("alice")
            let request = Self.packet("news", to: "alice").with("From", "mallory")
                .with("Redelivered", "true").with("More", "7").with("Cookie", "forged")
                .with("X-Real-IP", "forged").with("X_Accel.Redirect", "forged")
            #expect(try push(request).status == 202)
            let received = try system.exchange(.poll(alice))
            #expect(received.text == "news")
            #expect(received.field("From") == nil)
            #expect(received.field("Redelivered") == nil)
            #expect(received.values(of: "More") == ["0"])
            #expect(received.extensionFields.isEmpty)
            #expect(!received.fields.contains { $0.value == "forged" })
        }
    }
}

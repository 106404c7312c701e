import Testing

/// What happens to a packet by the backend's answer (relay-protocol(7), Packets).
struct BackendFaultTests {
    @Test(arguments: [400, 405, 409, 410, 411, 413, 414, 415, 422, 431])
    func `a packet at fault is not sent again`(status: Int) throws {
        try PacketSystem.run(script: { request, backend in
            guard request.isPacket else { return backend.admit(request) }
            return request.message.text == "bad" ? .answer(status) : backend.echo(request)
        }) { system in
            let token = try system.logIn("alice")
            let client = try system.client()
            #expect(try client.exchange(.packet(token, "bad", wait: 0)).status == 200)
            #expect(try client.exchange(.packet(token, "good")).text == "good")
            #expect(system.backend.packets.map(\.message.text) == ["bad", "good"])
        }
    }

    @Test func `reject says which statuses those are`() throws {
        try PacketSystem.run(
            { $0.pool.append("reject: [ 500 ]") },
            script: { request, backend in
                guard request.isPacket else { return backend.admit(request) }
                switch request.message.text {
                case "bad": return .answer(500)
                case "late" where backend.packets.count < 3: return .answer(400)
                default: return backend.echo(request)
                }
            }
        ) { system in
            let token = try system.logIn("alice")
            let client = try system.client()
            #expect(try client.exchange(.packet(token, "bad", wait: 0)).status == 200)
            #expect(try client.exchange(.packet(token, "late")).text == "late")
            #expect(system.backend.packets.map(\.message.text) == ["bad", "late", "late"])
        }
    }

    /// Faults after which a packet is sent again.
    static let passingFaults: [(name: String, reply: TestBackend.Reply)] = [
        ("404", .answer(404)), ("408", .answer(408)), ("425", .answer(425)),
        ("429", .answer(429)), ("500", .answer(500)), ("503", .answer(503)),
        ("302", .answer(302, fields: [("Location", "/")])),
        ("closed connection", .close), ("reset connection", .reset),
        ("half an answer", .raw("HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTo: alice\r\n\r\nhal")),
        ("no HTTP", .raw("hello\r\n")), ("no answer in time", .hang),
    ]

    @Test func `a packet is sent again, the same, until the backend has it`() throws {
        try PacketSystem.run(
            { $0.pool.append("packet_timeout: 200ms") },
            script: { request, backend in
                guard request.isPacket else { return backend.admit(request) }
                let text = request.message.text
                let isFirst = backend.packets.count { $0.message.text == text } == 1
                let fault = Self.passingFaults.first { $0.name == text }?.reply
                return isFirst ? fault ?? .hang : backend.echo(request)
            }
        ) { system in
            let token = try system.logIn("alice")
            let client = try system.client()
            for (name, _) in Self.passingFaults {
                let packet = Request.packet(token, name).with("X-Name", name)
                #expect(try client.exchange(packet).text == name)
                let tries = system.backend.packets.filter { $0.message.text == name }
                #expect(tries.count == 2, "\(name)")
                #expect(tries.allSatisfy { $0.message.field("From") == "alice" }, "\(name)")
                #expect(
                    tries.allSatisfy { $0.message.extensionFields == ["x-name: \(name)"] },
                    "\(name)"
                )
            }
        }
    }

    @Test func `a failed packet goes to another target at once`() throws {
        try PacketSystem.run({ file in
            file.targets.append(Address(host: file.targets[0].host, port: 9002))
            file.retry = "attempts: unlimited, backoff: { initial: 1h, max: 1h }"
        }) { system in
            let other = try TestBackend(system.host.at(9002)) { request, backend in
                request.isPacket ? .answer(500) : backend.admit(request)
            }
            defer { other.stop() }
            let token = try system.logIn("alice")
            let client = try system.client()
            for number in 0..<4 {
                #expect(try client.exchange(.packet(token, "\(number)")).text == "\(number)")
            }
            #expect(!other.packets.isEmpty)
            #expect(system.backend.packets.map(\.message.text) == ["0", "1", "2", "3"])
        }
    }

    @Test func `packets wait for a backend that is away`() throws {
        try PacketSystem.run { system in
            let token = try system.logIn("alice")
            system.backend.stop()
            let client = try system.client()
            for text in ["one", "two"] {
                expectNoPacket(try client.exchange(.packet(token, text, wait: 0)))
            }
            try system.backend.start()
            #expect(try system.receive(2, token).map(\.text) == ["one", "two"])
            #expect(system.backend.packets.map(\.message.text) == ["one", "two"])
        }
    }

    @Test func `packets of other clients pass one that is not answered`() throws {
        try PacketSystem.run(script: { request, backend in
            guard request.isPacket else { return backend.admit(request) }
            return request.message.text == "stuck" ? .hang : backend.echo(request)
        }) { system in
            let alice = try system.logIn("alice")
            let bob = try system.logIn("bob")
            _ = try system.exchange(.packet(alice, "stuck", wait: 0))
            try system.backend.waitForPackets(1)
            _ = try system.exchange(.packet(alice, "behind it", wait: 0))
            #expect(try system.exchange(.packet(bob, "hello")).text == "hello")
            #expect(system.backend.packets.map(\.message.text) == ["stuck", "hello"])
        }
    }
}

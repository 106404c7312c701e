import Testing

/// `POST /`: packets to the backend and packets for the client.
struct SendAndPollTests {
    @Test func `a packet goes to the backend and its reply comes back`() throws {
        try PacketSystem.run { system in
            let token = try system.logIn("alice")
            let packet = Request.packet(token, "hello\u{0}world").with("X-Topic", "tea")
            let answer = try system.exchange(packet)
            #expect(answer.status == 200)
            #expect(answer.text == "hello\u{0}world")
            #expect(answer.field("More") == "0")
            #expect(answer.field("Content-Type") == "application/octet-stream")
            #expect(answer.field("Cache-Control") == "no-store")
            #expect(answer.field("Redelivered") == nil)
            #expect(answer.extensionFields == ["x-topic: tea"])

            let seen = try #require(system.backend.packets.first).message
            #expect(seen.startLine == "POST /endpoint HTTP/1.1")
            #expect(seen.values(of: "Type") == ["Packet"])
            #expect(seen.values(of: "From") == ["alice"])
            #expect(seen.extensionFields == ["x-topic: tea"])
            #expect(seen.text == "hello\u{0}world")
        }
    }

    @Test func `a request byte by byte, in chunks, and by HTTP 1.0 is the same packet`() throws {
        try PacketSystem.run { system in
            let token = try system.logIn("alice")
            let client = try system.client()
            try client.sendByteByByte(.packet(token, "slow"))
            #expect(try client.response().text == "slow")

            try client.send(
                text: """
                    POST / HTTP/1.1\r\nHost: x\r\nAuthorization: bearer \(token)\r
                    Transfer-Encoding: chunked\r\n\r\n3\r\nchu\r\n3;ext=1\r\nnks\r\n0\r\n\r\n
                    """
            )
            #expect(try client.response().text == "chunks")

            var old = Request.packet(token, "old")
            old.version = "HTTP/1.0"
            let oneShot = try system.client()
            #expect(try oneShot.exchange(old).text == "old")
            #expect(try oneShot.stream.hasEnded())
        }
    }

    @Test func `large packets travel whole`() throws {
        try PacketSystem.run { system in
            let token = try system.logIn("alice")
            let text = String(repeating: "0123456789abcdef", count: 65_536)
            let answer = try system.exchange(.packet(token, text))
            #expect(answer.text == text)
        }
    }

    @Test func `a poll for which there is nothing is answered empty`() throws {
        try PacketSystem.run({ $0.buffer = "hold: 50ms" }) { system in
            let token = try system.logIn("alice")
            let client = try system.client()
            for request in [Request.poll(token), .poll(token, wait: 0), .poll(token, wait: 60)] {
                let answer = try client.exchange(request)
                expectNoPacket(answer)
                #expect(answer.field("Content-Type") == "application/octet-stream")
                #expect(answer.field("Cache-Control") == "no-store")
            }
        }
    }

    @Test func `Prefer shortens the hold`() throws {
        try PacketSystem.run({ $0.buffer = "hold: 1h" }) { system in
            let token = try system.logIn("alice")
            let start = ContinuousClock.now
            expectNoPacket(try system.exchange(.poll(token, wait: 1)))
            #expect(ContinuousClock.now - start >= .seconds(1))
        }
    }

    @Test(arguments: ["wait", "wait=", "wait=-1", "wait=x", "wait=0.5", "wait=0x"])
    func `a malformed Prefer is ignored`(value: String) throws {
        try PacketSystem.run { system in
            let alice = try system.logIn("alice")
            let bob = try system.logIn("bob")
            let poll = try system.client()
            try poll.send(.poll(alice).with("Prefer", value))
            try system.send(["now"], to: "alice", by: bob)
            #expect(try poll.response().text == "now")
        }
    }

    @Test func `packets come in order, are counted and numbered`() throws {
        try PacketSystem.run { system in
            let alice = try system.logIn("alice")
            let bob = try system.logIn("bob")
            let texts = (0..<20).map { "packet \($0)" }
            try system.send(texts, to: "alice", by: bob)
            let packets = try system.receive(20, alice)
            #expect(packets.map(\.text) == texts)
            #expect(packets.map { $0.field("More") } == (0..<20).map { "\(19 - $0)" })
            let numbers = packets.compactMap { $0.field("Packet-Id").flatMap(UInt64.init) }
            #expect(numbers.count == 20)
            #expect(zip(numbers, numbers.dropFirst()).allSatisfy { $0 < $1 })
            #expect(numbers.allSatisfy { $0 < 1 << 53 })
        }
    }

    @Test func `packets of one client reach the backend in order`() throws {
        try PacketSystem.run { system in
            let token = try system.logIn("alice")
            let client = try system.client()
            let texts = (0..<50).map { "\($0)" }
            for text in texts {
                let packet = Request.packet(token, text, wait: 0).with("X-Silent", "1")
                #expect(try client.exchange(packet).status == 200)
            }
            #expect(try system.backend.waitForPackets(50).map(\.message.text) == texts)
        }
    }

    @Test func `a reply may go to somebody who is not there yet, and say who sent it`() throws {
        try PacketSystem.run(script: { request, backend in
            guard request.isPacket else { return backend.admit(request) }
            return .answer(
                201,
                fields: [("To", "bob"), ("From", "office"), ("X-Kind", "note")],
                body: "hello, bob"
            )
        }) { system in
            let alice = try system.logIn("alice")
            expectNoPacket(try system.exchange(.packet(alice, "for bob", wait: 0)))
            let bob = try system.logIn("bob")
            let answer = try system.exchange(.poll(bob))
            #expect(answer.text == "hello, bob")
            #expect(answer.field("From") == "office")
            #expect(answer.extensionFields == ["x-kind: note"])
        }
    }

    @Test func `a body without To and To without a body are no packets`() throws {
        try PacketSystem.run(script: { request, backend in
            guard request.isPacket else { return backend.admit(request) }
            switch request.message.text {
            case "body": return .answer(200, body: "for nobody")
            case "to": return .answer(200, fields: [("To", "alice")])
            default: return backend.echo(request)
            }
        }) { system in
            let token = try system.logIn("alice")
            let client = try system.client()
            expectNoPacket(try client.exchange(.packet(token, "body", wait: 0)))
            expectNoPacket(try client.exchange(.packet(token, "to", wait: 0)))
            #expect(try client.exchange(.packet(token, "end")).text == "end")
            #expect(system.backend.packets.map(\.message.text) == ["body", "to", "end"])
        }
    }

    @Test func `a reply above packet_size is lost and the packet is done`() throws {
        try PacketSystem.run(
            { $0.buffer = "hold: 10s, packet_size: 1KiB" },
            script: { request, backend in
                guard request.message.text == "big" else {
                    return request.isPacket ? backend.echo(request) : backend.admit(request)
                }
                let body = String(repeating: "b", count: 1025)
                return .answer(200, fields: [("To", "alice")], body: body)
            }
        ) { system in
            let token = try system.logIn("alice")
            let client = try system.client()
            expectNoPacket(try client.exchange(.packet(token, "big", wait: 0)))
            #expect(try client.exchange(.packet(token, "end")).text == "end")
            #expect(system.backend.packets.map(\.message.text) == ["big", "end"])
        }
    }
}

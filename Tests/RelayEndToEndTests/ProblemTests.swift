import Testing

/// What bad requests get: a problem document, and nothing is stored.
struct ProblemTests {
    @Test(arguments: [
        "POST / HTTP/1.1\r\nHost : x\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nX-A: a\u{0}b\r\n\r\n",
        "POST / HTTP/1.1\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +1\r\n\r\na",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, chunked\r\n\r\n",
        "POST / HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nX-A: a\r\n b\r\n\r\n",
        "POST / HTTP/1.1\nHost: x\n\n",
        "nonsense\r\n\r\n",
    ])
    func `a malformed request is a 400 and ends the connection`(text: String) throws {
        try PacketSystem.run { system in
            let client = try system.client()
            try client.send(text: text)
            expectProblem(try client.response(), 400)
            #expect(try client.stream.hasEnded())
        }
    }

    @Test(arguments: ["/%zz", "/%00", "/..", "/a\\b"])
    func `an impossible path is a 400`(path: String) throws {
        try PacketSystem.run { system in
            expectProblem(try system.exchange(Request(path: path)), 400)
        }
    }

    @Test(arguments: ["/nothing", "/auth/", "/authentication"])
    func `an unknown path is a 404`(path: String) throws {
        try PacketSystem.run { system in
            let token = try system.logIn("alice")
            var request = Request.packet(token, "hello")
            request.path = path
            expectProblem(try system.exchange(request), 404)
            #expect(system.backend.packets.isEmpty)
        }
    }

    @Test(arguments: [
        ("Ack", ""), ("Ack", "x"), ("Ack", "9007199254740991"), ("Packet-Id", ""),
        ("Packet-Id", "a b"),
    ])
    func `a malformed Ack or Packet-Id is a 400 and stores nothing`(
        name: String,
        value: String
    ) throws {
        try PacketSystem.run { system in
            let token = try system.logIn("alice")
            var request = Request.packet(token, "hello")
            request.fields.append((name, value))
            expectProblem(try system.exchange(request), 400)
            #expect(system.backend.packets.isEmpty)
        }
    }

    @Test(arguments: ["/", "/auth", "/register"])
    func `another method is a 405 that names the right one`(path: String) throws {
        try PacketSystem.run { system in
            let token = try system.logIn("alice")
            for method in ["GET", "PUT", "DELETE"] {
                let request = Request(method: method, path: path)
                    .with("Authorization", "Bearer \(token)")
                let answer = try system.exchange(request)
                expectProblem(answer, 405, "\(method)")
                #expect(answer.field("Allow") == "POST")
            }
        }
    }

    @Test func `a request that does not come in time is a 408`() throws {
        try PacketSystem.run({ $0.limits = "header_timeout: 100ms" }) { system in
            let client = try system.client()
            try client.send(text: "POST / HTTP/1.1\r\nHost:")
            expectProblem(try client.response(), 408)
            #expect(try client.stream.hasEnded())
            // One that never says anything is not answered.
            let silent = try system.client()
            #expect(try silent.stream.hasEnded())
        }
    }

    @Test func `a packet above packet_size is a 413 and goes nowhere`() throws {
        try PacketSystem.run({ $0.buffer = "hold: 10s, packet_size: 1KiB" }) { system in
            let token = try system.logIn("alice")
            let client = try system.client()
            let largest = String(repeating: "a", count: 1024)
            #expect(try client.exchange(.packet(token, largest)).text == largest)
            expectProblem(try client.exchange(.packet(token, largest + "a")), 413)
            // What was refused is read, so the connection goes on.
            #expect(try client.exchange(.packet(token, "next")).text == "next")

            try client.send(
                text: "POST / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(token)\r\n"
                    + "Transfer-Encoding: chunked\r\n\r\n400\r\n\(largest)\r\n1\r\na\r\n0\r\n\r\n"
            )
            expectProblem(try client.response(), 413)
            #expect(system.backend.packets.count == 2)
        }
    }

    @Test func `a login above body_size is a 413`() throws {
        try PacketSystem.run({ $0.limits = "body_size: 10" }) { system in
            #expect(try system.exchange(.login("0123456789")).status == 200)
            expectProblem(try system.exchange(.login("0123456789a")), 413)
            #expect(system.backend.received.count == 1)
        }
    }

    @Test func `a refused upload that goes on still gets its answer`() throws {
        try PacketSystem.run({ $0.buffer = "hold: 10s, packet_size: 1KiB" }) { system in
            let token = try system.logIn("alice")
            let client = try system.client()
            var request = Request.packet(token, "")
            request.body = Array(repeating: 0x61, count: 4 << 20)
            // relay may stop reading before the end; its answer is to be read all the same.
            try? client.send(request)
            let answer = try client.response()
            expectProblem(answer, 413)
            #expect(answer.field("Connection") == "close")
            #expect(try client.stream.hasEnded())
        }
    }

    @Test func `headers that are too many or too large are a 431`() throws {
        try PacketSystem.run({ $0.limits = "header_size: 1KiB, header_count: 10" }) { system in
            let token = try system.logIn("alice")
            let large = Request.packet(token, "a").with("X-A", String(repeating: "a", count: 1024))
            expectProblem(try system.exchange(large), 431)
            var many = Request.packet(token, "a")
            for number in 0..<11 { many = many.with("X-\(number)", "a") }
            expectProblem(try system.exchange(many), 431)
            #expect(system.backend.packets.isEmpty)
        }
    }

    @Test func `a full inbox is a 503 that says when to try again`() throws {
        try PacketSystem.run(
            { $0.buffer = "hold: 10s, inbox_packets: 2" },
            script: { request, backend in
                request.isPacket ? .hang : backend.admit(request)
            }
        ) { system in
            let token = try system.logIn("alice")
            let client = try system.client()
            for text in ["one", "two"] {
                expectNoPacket(try client.exchange(.packet(token, text, wait: 0)))
            }
            let answer = try client.exchange(.packet(token, "three", wait: 0))
            expectProblem(answer, 503)
            #expect(answer.field("Retry-After").flatMap(UInt.init) != nil)
            expectNoPacket(try client.exchange(.poll(token, wait: 0)))
        }
    }

    @Test func `a refused request leaves its connection usable`() throws {
        try PacketSystem.run { system in
            let token = try system.logIn("alice")
            let client = try system.client()
            let body = String(repeating: "a", count: 60_000)
            expectProblem(try client.exchange(.packet("wrong", body)), 401)
            expectProblem(try client.exchange(.packet(token, body, to: "bob")), 403)
            #expect(try client.exchange(.packet(token, "hello")).text == "hello")
            #expect(system.backend.packets.count == 1)
        }
    }
}

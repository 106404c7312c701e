import Testing

/// What is passed on by a pipeline without `buffer`, to a target that a test plays itself.
struct ProxyTests {
    @Test func `a request and its answer are passed on`() throws {
        try Self.run { client, targets in
            try client.send(
                text: "GET /a?b=c HTTP/1.1\r\nHost: example.com\r\nX-A: 1\r\nConnection: x-b\r\n"
                    + "X-B: 2\r\n\r\n"
            )
            let target = try targets.next()
            let request = try target.message()
            #expect(request.startLine == "GET /base/a?b=c HTTP/1.1")
            #expect(request.field("Host") == "example.com")
            #expect(request.field("X-A") == "1")
            #expect(request.field("X-B") == nil)
            #expect(request.field("X-Forwarded-For") == "127.0.0.1")
            #expect(request.field("X-Forwarded-Host") == "example.com")
            #expect(request.field("X-Request-Id") != nil)
            try target.write(
                "HTTP/1.1 418 Teapot\r\nX-C: 3\r\nContent-Length: 5\r\nKeep-Alive: timeout=9\r\n\r\nshort"
            )
            let answer = try client.stream.message()
            #expect(answer.status == 418)
            #expect(answer.text == "short")
            #expect(answer.field("X-C") == "3")
            #expect(answer.field("Keep-Alive") == nil)
            // The next request takes the same connection.
            try client.send(.get("/second"))
            #expect(try target.message().startLine == "GET /base/second HTTP/1.1")
            try target.write("HTTP/1.1 204 No Content\r\n\r\n")
            #expect(try client.stream.message().status == 204)
        }
    }

    @Test func `chunks are passed on while they come, both ways`() throws {
        try Self.run { client, targets in
            try client.send(
                text: "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n"
            )
            let target = try targets.next()
            try target.expectLines(through: "")
            try target.expectLines(through: "one")
            try target.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\neno\r\n")
            try client.stream.expectLines(through: "")
            try client.stream.expectLines(through: "eno")
            try client.send(text: "3\r\ntwo\r\n0\r\n\r\n")
            try target.expectLines(through: "two")
            try target.expectLines(through: "0")
            try target.write("3\r\nowt\r\n0\r\n\r\n")
            try client.stream.expectLines(through: "owt")
            try client.stream.expectLines(through: "0")
        }
    }

    @Test func `a target that breaks off leaves no answer that looks whole`() throws {
        for head in [
            "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
        ] {
            try Self.run { client, targets in
                try client.send(.get("/"))
                let target = try targets.next()
                _ = try target.message()
                try target.write(head)
                target.close()
                #expect(throws: StreamFailure.self) { try client.stream.message() }
            }
        }
    }

    @Test func `a client of HTTP/1.0 sees a broken answer as a reset`() throws {
        try Self.run { client, targets in
            try client.send(text: "GET / HTTP/1.0\r\nHost: x\r\n\r\n")
            let target = try targets.next()
            _ = try target.message()
            try target.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
            try client.stream.expectLines(through: "")
            target.reset()
            #expect(throws: StreamFailure.reset) { try client.stream.rest() }
        }
    }

    @Test func `a client that goes away ends the request to the target`() throws {
        try Self.run { client, targets in
            try client.send(.get("/"))
            let target = try targets.next()
            _ = try target.message()
            client.stream.close()
            #expect(try target.hasEnded())
        }
    }

    @Test func `HEAD and 304 tell lengths of bodies that do not come`() throws {
        try Self.run { client, targets in
            try client.send(text: "HEAD / HTTP/1.1\r\nHost: x\r\n\r\n")
            let target = try targets.next()
            #expect(try target.message().startLine == "HEAD /base/ HTTP/1.1")
            try target.write("HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n")
            let lines = try client.stream.expectLines(through: "")
            #expect(lines.contains("Content-Length: 12"))
            try client.send(.get("/"))
            _ = try target.message()
            try target.write("HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\n\r\n")
            let unmodified = try client.stream.expectLines(through: "")
            #expect(unmodified.contains("ETag: \"a\""))
            try client.send(.get("/"))
            _ = try target.message()
            try target.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            #expect(try client.stream.message().text == "ok")
        }
    }

    @Test func `a body that ends with the target's connection is whole`() throws {
        for (version, isChunked) in [("HTTP/1.0", false), ("HTTP/1.1", true)] {
            try Self.run { client, targets in
                try client.send(text: "GET / \(version)\r\nHost: x\r\n\r\n")
                let target = try targets.next()
                _ = try target.message()
                try target.write("HTTP/1.0 200 OK\r\n\r\nto the end")
                target.close()
                let answer = try client.stream.message()
                #expect(answer.text == "to the end")
                #expect((answer.field("Transfer-Encoding") == "chunked") == isChunked)
            }
        }
    }

    @Test func `a large body arrives whole both ways`() throws {
        let body = (0..<3 << 20).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        try Self.run { client, targets in
            let address = client.address
            let worker = Worker { try TestClient.exchange(Request(body: body), with: address) }
            let target = try targets.next()
            #expect(try target.message().body == body)
            try target.write("HTTP/1.1 200 OK\r\nContent-Length: \(body.count)\r\n\r\n")
            try target.write(body)
            #expect(try worker.result().body == body)
        }
    }

    @Test func `no target is a 503 at once, or after wait`() throws {
        for wait in ["0s", "100ms"] {
            try Self.run(pool: "wait: \(wait)", listening: false) { client, _ in
                expectProblem(try client.exchange(.get("/")), 503)
            }
        }
    }

    @Test func `a client that reads nothing is reset after stall_timeout`() throws {
        try Self.run(limits: "stall_timeout: 200ms") { client, targets in
            try client.send(.get("/"))
            let target = try targets.next()
            _ = try target.message()
            let size = 64 << 20
            try target.write("HTTP/1.1 200 OK\r\nContent-Length: \(size)\r\n\r\n")
            // More than all buffers on the way take: the end comes by relay.
            #expect(throws: StreamFailure.reset) {
                try target.write([UInt8](repeating: 0x61, count: size))
            }
            #expect(throws: StreamFailure.reset) { try client.stream.rest() }
        }
    }

    @Test func `bytes of another protocol go both ways behind a 101`() throws {
        try Self.run { client, targets in
            try client.send(
                text:
                    "GET /chat HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n"
            )
            let target = try targets.next()
            let request = try target.message()
            #expect(request.field("Upgrade") == "echo")
            #expect(request.field("Connection") == "Upgrade")
            try target.write(
                "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n"
            )
            try client.stream.expectLines(through: "")
            for number in 0..<100 {
                try client.send(text: "\(number)\r\n")
                try target.expectLines(through: "\(number)")
                try target.write("\(-number)\r\n")
                try client.stream.expectLines(through: "\(-number)")
            }
            client.stream.finish()
            #expect(try target.hasEnded())
            try target.write("bye\r\n")
            target.close()
            try client.stream.expectLines(through: "bye")
            #expect(try client.stream.hasEnded())
        }
    }

    @Test func `a client that has sent on and goes before the 101 is let go`() throws {
        try Self.run { client, targets in
            try client.send(
                text:
                    "GET /chat HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nearly"
            )
            let target = try targets.next()
            _ = try target.message()
            client.stream.finish()
            #expect(try target.hasEnded())
            _ = try client.stream.rest()
        }
    }

    @Test func `early hints come before the answer`() throws {
        try Self.run { client, targets in
            try client.send(.get("/"))
            let target = try targets.next()
            _ = try target.message()
            try target.write("HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n")
            let hints = try client.stream.expectLines(through: "")
            #expect(hints == ["HTTP/1.1 103 Early Hints", "Link: </a.css>", ""])
            try target.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            #expect(try client.stream.message().text == "ok")
        }
    }

    @Test func `a tunnel through relay itself is refused`() throws {
        try Self.run { client, _ in
            try client.send(
                text: "CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n"
            )
            #expect(try client.stream.message().status == 405)
        }
    }

    @Test(arguments: ["Host", "Content-Length", "authorization", "Cookie", "X-Forwarded-For"])
    func `a field that says who asks for what cannot be one of the connection`(name: String) throws
    {
        try Self.run { client, _ in
            try client.send(text: "GET / HTTP/1.1\r\nHost: x\r\nConnection: \(name)\r\n\r\n")
            #expect(try client.stream.message().status == 400)
        }
    }

    // MARK: The system

    /// Where the target of a test is asked.
    struct Targets {
        fileprivate let socket: ListeningSocket

        /// The next connection that relay makes.
        func next() throws -> SocketStream {
            guard let descriptor = self.socket.accept() else { throw Failure("no connection") }
            return SocketStream(descriptor)
        }
    }

    /// Runs `body` with a client of a listener whose pool, with further keys, has one target, at `/base`.
    private static func run(
        pool: String = "",
        limits: String = "body_size: 16MiB",
        listening: Bool = true,
        _ body: (TestClient, Targets) throws -> Void
    ) throws {
        var listener: Address?
        var target: Address?
        try PacketSystem.run({ file in
            let host = file.listenerAddress.host
            let web = Address(host: host, port: 8081)
            let played = Address(host: host, port: 9002)
            file.listeners = [
                "web:",
                "  bind: \"\(web)\"",
                "  limits: { \(limits) }",
                "  pipeline:",
                "    - route: web",
            ]
            file.pools = ["web:", "  targets: [{ url: \"http://\(played)/base\" }]"]
            if !pool.isEmpty { file.pools.append("  \(pool)") }
            listener = web
            target = played
        }) { _ in
            // At another port nobody listens for relay.
            let played = try #require(target)
            let socket = try ListeningSocket(
                listening ? played : Address(host: played.host, port: 9003)
            )
            defer {
                socket.shutDown()
                socket.close()
            }
            let client = try TestClient(try #require(listener), receiveBuffer: 64 << 10)
            try body(client, Targets(socket: socket))
        }
    }
}

extension SocketStream {
    /// Sends text.
    fileprivate func write(_ text: String) throws { try self.write(Array(text.utf8)) }

    /// Reads lines up to this one.
    @discardableResult
    fileprivate func expectLines(through last: String) throws -> [String] {
        var lines: [String] = []
        repeat { lines.append(try self.line(by: .usual)) } while lines.last != last
        return lines
    }
}

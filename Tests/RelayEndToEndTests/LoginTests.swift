import Testing

/// `POST /auth` and `POST /register` (relay-protocol(7), Logging in).
struct LoginTests {
    @Test(arguments: [("/auth", "Auth"), ("/register", "Register")])
    func `carries a login to the backend and its answer back`(path: String, type: String) throws {
        try PacketSystem.run(script: { _, _ in
            .answer(
                200,
                fields: [("Client-Id", "alice"), ("X-Greeting", "hi"), ("Server", "secret")],
                body: "token-1"
            )
        }) { system in
            let login = Request.login("name=alice", at: path, permissions: "A, b ,Accept-Debug")
                .with("X-Device", "phone").with("Cookie", "c=1").with("From", "mallory")
            let answer = try system.exchange(login)
            #expect(answer.status == 200)
            #expect(answer.text == "token-1")
            #expect(answer.extensionFields == ["x-greeting: hi"])
            #expect(answer.values(of: "Client-Id") == ["alice"])
            #expect(answer.field("Server") == nil)

            let seen = try #require(system.backend.received.first).message
            #expect(seen.startLine == "POST /endpoint HTTP/1.1")
            #expect(seen.values(of: "Type") == [type])
            #expect(seen.values(of: "Permissions") == ["A, b ,Accept-Debug"])
            #expect(seen.extensionFields == ["x-device: phone"])
            #expect(seen.text == "name=alice")
            #expect(seen.field("Cookie") == nil)
            #expect(seen.field("From") == nil)
        }
    }

    @Test func `a login without permissions asks for none`() throws {
        try PacketSystem.run { system in
            _ = try system.logIn("alice")
            #expect(system.backend.received.first?.message.field("Permissions") == nil)
        }
    }

    @Test(arguments: [401, 403])
    func `passes a refusal on as it is`(status: Int) throws {
        try PacketSystem.run(script: { _, _ in
            .answer(status, fields: [("X-Reason", "because")], body: "go away")
        }) { system in
            let answer = try system.exchange(.login("alice"))
            #expect(answer.status == status)
            #expect(answer.text == "go away")
            #expect(answer.extensionFields == ["x-reason: because"])
            #expect(answer.field("Content-Type") != "application/problem+json")
        }
    }

    /// Answers to logins that are none.
    static let improperAnswers: [(name: String, reply: TestBackend.Reply)] = [
        ("no id", .answer(200, body: "token")),
        ("two ids", .answer(200, fields: [("Client-Id", "a"), ("Client-Id", "b")], body: "token")),
        ("empty id", .answer(200, fields: [("Client-Id", "")], body: "token")),
        ("comma in the id", .answer(200, fields: [("Client-Id", "a,b")], body: "token")),
        ("blank in the id", .answer(200, fields: [("Client-Id", "a b")], body: "token")),
        (
            "long id",
            .answer(
                200,
                fields: [("Client-Id", String(repeating: "i", count: 256))],
                body: "token"
            )
        ),
        ("no token", .answer(200, fields: [("Client-Id", "a")])),
        ("blank token", .answer(200, fields: [("Client-Id", "a")], body: " \r\n")),
        (
            "long token",
            .answer(
                200,
                fields: [("Client-Id", "a")],
                body: String(repeating: "t", count: 4097)
            )
        ),
        ("control byte", .answer(200, fields: [("Client-Id", "a")], body: "tok\u{1}en")),
        ("another's token", .answer(200, fields: [("Client-Id", "a")], body: "token-of-bob")),
        ("204", .answer(204, fields: [("Client-Id", "a")])),
        ("302", .answer(302, fields: [("Location", "/")])),
        ("404", .answer(404)),
        ("500", .answer(500, body: "oops")),
        ("closed connection", .close),
        ("reset connection", .reset),
        ("half a head", .raw("HTTP/1.1 200 OK\r\nClient-")),
        ("half a body", .raw("HTTP/1.1 200 OK\r\nClient-Id: a\r\nContent-Length: 9\r\n\r\ntok")),
        ("no HTTP", .raw("SSH-2.0-OpenSSH_9.2\r\n")),
    ]

    @Test func `an improper answer of the backend is a 502 and is not asked for again`() throws {
        try PacketSystem.run(script: { request, _ in
            let name = request.message.text
            if name == "bob" {
                return .answer(200, fields: [("Client-Id", "bob")], body: "token-of-bob")
            }
            return Self.improperAnswers.first { $0.name == name }?.reply ?? .hang
        }) { system in
            let token = try system.logIn("bob")
            for (name, _) in Self.improperAnswers {
                let answer = try system.exchange(.login(name))
                expectProblem(answer, 502, "\(name)")
                #expect(!answer.text.contains("token"), "\(name)")
                let requests = system.backend.received.filter { $0.message.text == name }
                #expect(requests.count == 1, "\(name)")
            }
            expectNoPacket(try system.exchange(.poll(token, wait: 0)))
        }
    }

    @Test func `an unreachable backend is a 503 that says when to try again`() throws {
        try PacketSystem.run { system in
            system.backend.stop()
            let answer = try system.exchange(.login("alice"))
            expectProblem(answer, 503)
            #expect(answer.field("Retry-After").flatMap(UInt.init) != nil)
        }
    }

    @Test func `a target that answers 503 or is not there leaves the login to another`() throws {
        try PacketSystem.run({ file in
            // Port 9003 is nobody's.
            file.targets = [9003, 9001, 9002].map { Address(host: file.targets[0].host, port: $0) }
        }) { system in
            let other = try TestBackend(system.host.at(9002)) { _, _ in .answer(503) }
            defer { other.stop() }
            for number in 0..<6 {
                #expect(try system.exchange(.login("client-\(number)")).status == 200)
            }
            #expect(system.backend.received.count == 6)
            system.backend.setScript { _, _ in .answer(503) }
            let answer = try system.exchange(.login("alice"))
            expectProblem(answer, 503)
            #expect(answer.field("Retry-After") != nil)
        }
    }

    @Test func `a backend that does not answer in time is a 504`() throws {
        try PacketSystem.run(
            { $0.auth = "timeout: 100ms" },
            script: { _, _ in .hang }
        ) { system in
            expectProblem(try system.exchange(.login("alice")), 504)
            #expect(system.backend.received.count == 1)
        }
    }

    @Test func `blanks around a token do not count`() throws {
        try PacketSystem.run(script: { _, _ in
            .answer(200, fields: [("Client-Id", "alice")], body: " token \r\n")
        }) { system in
            #expect(try system.exchange(.login("alice")).text == " token \r\n")
            expectNoPacket(try system.exchange(.poll("token", wait: 0)))
        }
    }

    @Test func `a new login replaces the token and ends the polls of the old one`() throws {
        try PacketSystem.run({ $0.workers = 1 }) { system in
            let old = try system.logIn("alice")
            let poll = try system.client()
            try poll.send(.poll(old))
            let new = try system.logIn("alice")
            #expect(new != old)
            expectNoPacket(try poll.response())
            let refused = try poll.exchange(.poll(old, wait: 0))
            expectProblem(refused, 401)
            #expect(refused.field("WWW-Authenticate")?.hasPrefix("Bearer") == true)
            let answer = try system.exchange(.packet(new, "hello"))
            #expect(answer.text == "hello")
        }
    }

    @Test func `packets wait across logins`() throws {
        try PacketSystem.run { system in
            let bob = try system.logIn("bob")
            try system.send(["one", "two"], to: "alice", by: bob)
            _ = try system.logIn("alice")
            let token = try system.logIn("alice")
            #expect(try system.receive(2, token).map(\.text) == ["one", "two"])
        }
    }

    @Test func `a token of no session is a 401`() throws {
        try PacketSystem.run { system in
            for request in [
                Request(), .poll("unknown"), Request().with("Authorization", "Basic eA=="),
            ] {
                let answer = try system.exchange(request)
                expectProblem(answer, 401)
                #expect(answer.field("WWW-Authenticate")?.hasPrefix("Bearer") == true)
            }
            #expect(system.backend.received.isEmpty)
        }
    }
}

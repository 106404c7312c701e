import Testing

/// What stands in the log, and what never does (relay.yaml(5), log).
struct LogTests {
    /// Texts that no log may hold: logins, tokens, bodies.
    private static let secrets = ["password-of", "token-of", "body-of", "Bearer "]

    /// Logs in, sends, fails and is refused in all ways that are likely to be logged.
    private static func makeTraffic(_ system: PacketSystem) throws {
        let token = try system.exchange(.login("password-of-alice")).text
        #expect(try system.exchange(.packet(token, "body-of-packet")).text == "body-of-packet")
        _ = try system.exchange(.packet(token, "body-of-bad", wait: 0))
        _ = try system.exchange(.packet(token, "body-of-failing", wait: 0))
        _ = try system.exchange(.packet(token, "body-of-last"))
        _ = try system.exchange(.login("password-of-nobody"))
        _ = try system.exchange(.login("password-of-carol", permissions: "Accept-Debug"))
        _ = try system.exchange(.packet("token-of-nobody", "body-of-nobody"))
        _ = try system.exchange(.packet(token, "body-of-refused", to: "nobody"))
        let client = try system.client()
        try client.send(text: "POST / HTTP/1.1\r\nAuthorization : Bearer \(token)\r\n\r\n")
        _ = try client.response()
        #expect(try system.relay.reload().status == 200)
        try system.rewrite { $0.route = "token-less" }
        #expect(try system.relay.reload().status == 422)
        #expect(try system.relay.terminate() == .code(0))
        system.relay.readLog()
    }

    private static let script: TestBackend.Script = { request, backend in
        switch request.message.text {
        case "password-of-alice":
            return .answer(200, fields: [("Client-Id", "alice")], body: "token-of-alice")
        case "password-of-carol":
            return .answer(200, fields: [("Client-Id", "carol")], body: "token-of-carol")
        case "password-of-nobody": return .answer(200, body: "token-of-nobody")
        case "body-of-bad": return .answer(400, body: "body-of-answer")
        case "body-of-failing":
            let tries = backend.packets.count { $0.message.text == "body-of-failing" }
            return tries < 12 ? .answer(404, body: "body-of-answer") : .answer(200)
        default: return backend.echo(request)
        }
    }

    @Test(arguments: ["info", "trace"])
    func `JSON lines are JSON and hold no secret`(level: String) throws {
        try PacketSystem.run({ $0.log = "level: \(level), format: json" }, script: Self.script) {
            system in
            try Self.makeTraffic(system)
            #expect(!system.relay.lines.isEmpty)
            for line in system.relay.lines {
                guard case .object(let members)? = JSON(line) else {
                    Issue.record("not an object: \(line)")
                    continue
                }
                #expect(members["level"]?.text != nil, "\(line)")
                #expect(members["message"]?.text != nil, "\(line)")
            }
            for secret in Self.secrets { #expect(!system.relay.log.contains(secret), "\(secret)") }
        }
    }

    @Test(arguments: ["info", "trace"])
    func `text lines hold no secret`(level: String) throws {
        try PacketSystem.run({ $0.log = "level: \(level)" }, script: Self.script) { system in
            try Self.makeTraffic(system)
            #expect(!system.relay.lines.isEmpty)
            for secret in Self.secrets { #expect(!system.relay.log.contains(secret), "\(secret)") }
        }
    }

    @Test func `a packet that is always refused is logged with a hint to reject`() throws {
        try PacketSystem.run(script: Self.script) { system in
            let token = try system.exchange(.login("password-of-alice")).text
            _ = try system.exchange(.packet(token, "body-of-failing", wait: 0))
            let line = try system.relay.waitForLine(containing: "reject")
            #expect(line.contains("404"))
        }
    }
}

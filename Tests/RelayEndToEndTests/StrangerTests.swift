import Testing

/// Headers that relay writes itself, whatever a client, a backend or a filter says.
struct StrangerTests {
    /// A filter that lets pass all it can, both ways.
    private static let passAll =
        "- headers: { request: [ { pass: \"*\" } ], response: [ { pass: \"*\" } ] }"

    private static let control = [
        "Type", "From", "Permissions", "Client-Id", "Packet-Id", "Attempt", "More", "Lost",
        "Redelivered", "Duplicate", "Stored", "End-Session",
    ]

    private static let aliases = [
        "Client_Id", "Client.Id", "Packet_Id", "Packet.Id", "End_Session", "End.Session",
    ]

    @Test func `a client's control fields never reach the backend`() throws {
        try PacketSystem.run({ $0.stages = [Self.passAll] }) { system in
            var login = Request.login("alice")
            let names = Self.control + Self.aliases + ["To", "Debug", "Ack", "Cookie"]
            for name in names where name != "Permissions" { login = login.with(name, "forged") }
            let token = try system.exchange(login).text

            var packet = Request.packet(token, "hello").with("X-Mine", "kept")
                .with("Other", "kept, too").with("Cookie", "forged")
                .with("Connection", "keep-alive, X-Hop").with("X-Hop", "forged")
                .with("Keep-Alive", "forged")
            for name in Self.control + Self.aliases where name != "Packet-Id" {
                packet = packet.with(name, "forged")
            }
            #expect(try system.exchange(packet).text == "hello")

            for request in system.backend.received.map(\.message) {
                let forged = request.fields.filter { $0.value.contains("forged") }
                #expect(forged.isEmpty, "\(forged)")
                #expect(request.values(of: "Type").count == 1)
                #expect(request.field("Authorization") == nil)
                #expect(!request.fields.contains { $0.value.contains(token) })
            }
            let seen = try #require(system.backend.packets.first).message
            #expect(seen.values(of: "From") == ["alice"])
            #expect(seen.field("X-Mine") == "kept")
            #expect(seen.field("Other") == "kept, too")
        }
    }

    @Test func `a backend's control fields never reach the client`() throws {
        let own = ["X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Real-IP"]
        let names = ["X-Accel-Redirect", "X-Sendfile"] + own
        try PacketSystem.run(
            { _ in },
            script: { request, backend in
                guard request.isPacket else { return backend.admit(request) }
                var fields: [(name: String, value: String)] = [("To", "alice"), ("X-Mine", "kept")]
                for name in names + Self.aliases + [
                    "Type", "Client-Id", "More", "Attempt", "Set-Cookie",
                ] {
                    fields.append((name, "forged"))
                }
                return .answer(200, fields: fields, body: "hello")
            }
        ) { system in
            let token = try system.logIn("alice")
            let answer = try system.exchange(.packet(token, "hello"))
            #expect(answer.text == "hello")
            let forged = answer.fields.filter { $0.value.contains("forged") }
            #expect(forged.isEmpty, "\(forged)")
            #expect(answer.extensionFields == ["x-mine: kept"])
            #expect(answer.values(of: "More") == ["0"])
        }
    }

    @Test func `a filter may name what servers in between would obey`() throws {
        try PacketSystem.run(
            { $0.stages = ["- headers: { response: [ { pass: [ \"X-*\", X-Sendfile ] } ] }"] },
            script: { request, backend in
                guard request.isPacket else { return backend.admit(request) }
                return .answer(
                    200,
                    fields: [("To", "alice"), ("X-Sendfile", "/a"), ("X-Accel-Redirect", "/b")],
                    body: "hello"
                )
            }
        ) { system in
            let token = try system.logIn("alice")
            let answer = try system.exchange(.packet(token, "hello"))
            #expect(answer.extensionFields == ["x-sendfile: /a"])
        }
    }

    @Test(arguments: [false, true])
    func `the backend learns who connected`(isTrusted: Bool) throws {
        try PacketSystem.run({ file in
            if isTrusted { file.listenerKeys = ["trusted_proxies: [ 127.0.0.0/8 ]"] }
        }) { system in
            let forwarded = [("X-Forwarded-For", "192.0.2.1"), ("X-Real-IP", "192.0.2.2")]
            let login = forwarded.reduce(Request.login("alice")) { $0.with($1.0, $1.1) }
            let token = try system.exchange(login).text
            let packet = forwarded.reduce(Request.packet(token, "hello")) { $0.with($1.0, $1.1) }
            let answer = try system.exchange(packet)
            #expect(answer.text == "hello")
            #expect(answer.extensionFields.isEmpty)
            #expect(answer.field("X-Forwarded-For") == nil)
            #expect(system.backend.received.count == 2)
            for request in system.backend.received.map(\.message) {
                let expected = isTrusted ? "192.0.2.1, 127.0.0.1" : "127.0.0.1"
                #expect(request.values(of: "X-Forwarded-For") == [expected])
                #expect(request.values(of: "X-Forwarded-Proto") == ["http"])
                let isKept = request.values(of: "X-Real-IP").contains("192.0.2.2")
                #expect(isKept == isTrusted)
            }
        }
    }

    @Test func `filters run once towards the backend and once towards the client`() throws {
        let filter = """
            - headers: { request: [ { rename: { X-Old: X-New } }, { set: { X-Set: "1" } } ], \
            response: [ { remove: "X-Internal-*" }, { add: { X-Relay: "yes" } } ] }
            """
        try PacketSystem.run({ $0.stages = [filter] }) { system in
            let token = try system.logIn("alice")
            let packet = Request.packet(token, "hello").with("X-Old", "o").with(
                "X-Internal-Id",
                "7"
            )
            let answer = try system.exchange(packet)
            let seen = try #require(system.backend.packets.first).message
            #expect(seen.extensionFields == ["x-new: o", "x-set: 1", "x-internal-id: 7"])
            #expect(answer.extensionFields == ["x-new: o", "x-set: 1", "x-relay: yes"])
        }
    }
}

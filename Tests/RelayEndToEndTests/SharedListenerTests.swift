import Testing

/// Packets and web on one listener, each at its own paths.
struct SharedListenerTests {
    @Test func `packets and web share a listener, each at its own paths`() throws {
        let rules = """
            [ { match: { path_prefix: /files }, pool: web, rewrite: { strip_prefix: /files } }, \
            { match: { path: /, header: { X-Lane: side } }, pool: side }, { pool: backend } ]
            """
        var files: Address?
        try PacketSystem.run({ file in
            let address = Address(host: file.listenerAddress.host, port: 9002)
            files = address
            file.route = rules
            file.pools = [
                "web: { targets: [{ url: \"http://\(address)/www\" }] }",
                "side: { targets: [{ url: \"http://\(file.targets[0])/side\" }] }",
            ]
        }) { system in
            let web = try TestBackend(try #require(files)) { _, _ in .answer(200, body: "a file") }
            let token = try system.logIn("alice")
            let client = try system.client()
            #expect(try client.exchange(.get("/files/a")).text == "a file")
            #expect(try client.exchange(.packet(token, "hello")).text == "hello")
            // What is sent to another path is no packet, though it looks like one.
            let posted = try client.exchange(
                Request(path: "/files/b", body: Array("x".utf8)).with("X-A", "1")
            )
            #expect(posted.text == "a file")
            expectProblem(try client.exchange(.get("/else")), 404)
            #expect(
                web.received.map(\.message.startLine) == [
                    "GET /www/a HTTP/1.1", "POST /www/b HTTP/1.1",
                ]
            )
            // A rule with `match` decides where packets go, too.
            let side = try client.exchange(.packet(token, "aside").with("X-Lane", "side"))
            #expect(side.text == "aside")
            let paths = system.backend.packets.map(\.message.startLine)
            #expect(paths == ["POST /endpoint HTTP/1.1", "POST /side HTTP/1.1"])
        }
    }

    @Test func `a target may be a unix socket, here relay's own`() throws {
        var web: Address?
        try PacketSystem.run({ file in
            let address = Address(host: file.listenerAddress.host, port: 8081)
            web = address
            file.listeners = [
                "web: { bind: \"\(address)\", pipeline: [{ route: inner }] }",
                "inner:",
                "  bind: unix:inner.sock",
                "  pipeline:",
                "    - route:",
                "        - { match: { path: /base/x, host: localhost }, "
                    + "respond: { body: inside } }",
            ]
            file.pools = [
                "inner: { targets: [{ url: \"http://unix:inner.sock:/base\" }], host: target }"
            ]
        }) { _ in
            let client = try TestClient(try #require(web))
            #expect(try client.exchange(.get("/x")).text == "inside")
            #expect(try client.exchange(.get("/y")).status == 404)
        }
    }
}

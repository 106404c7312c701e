import Testing

/// Which of two pools a request reaches by the rules of a `route`, and with which path.
struct RoutingTests {
    @Test func `expressions, rewrites and shares lead requests to their pools`() throws {
        let rules = [
            "- { match: { path_regex: \"^/v[0-9]+/\" }, pool: first, "
                + "rewrite: { regex: \"^/v([0-9]+)/\", to: \"/version/$1/\", prefix: /api } }",
            "- { match: { path_prefix: /files/ }, pool: first, rewrite: { strip_prefix: /files } }",
            "- { match: { path_prefix: /split }, pools: { first: 1, second: 1 } }",
            "- { match: { host: \"*.example.com\" }, pool: second }",
            "- { match: { path_prefix: /packets }, respond: { status: 418 } }",
        ]
        var web: Address?
        try PacketSystem.run({ file in
            file.workers = 1
            let host = file.listenerAddress.host
            let address = Address(host: host, port: 8081)
            web = address
            file.listeners = ["web:", "  bind: \"\(address)\"", "  pipeline:", "    - route:"]
            file.listeners += rules.map { "        \($0)" }
            let target = file.targets[0]
            file.pools = [
                "first: { targets: [{ url: \"http://\(target)/first\" }] }",
                "second: { targets: [{ url: \"http://\(target)/second\" }] }",
            ]
        }) { system in
            system.backend.setScript { _, _ in .answer(200) }
            let client = try TestClient(try #require(web))
            let ask = { (path: String, host: String) -> Int in
                try client.exchange(.get(path).with("Host", host)).status
            }
            #expect(try ask("/v12/users?q=1", "a") == 200)
            #expect(try ask("/files/x", "a") == 200)
            #expect(try ask("/split/1", "a") == 200)
            #expect(try ask("/split/2", "a") == 200)
            #expect(try ask("/any", "www.Example.com:8081") == 200)
            #expect(try ask("/packets", "a") == 418)
            #expect(try ask("/v1", "a") == 404)
            #expect(
                system.backend.received.map(\.message.startLine) == [
                    "GET /first/api/version/12/users?q=1 HTTP/1.1", "GET /first/x HTTP/1.1",
                    "GET /first/split/1 HTTP/1.1", "GET /second/split/2 HTTP/1.1",
                    "GET /second/any HTTP/1.1",
                ]
            )
        }
    }
}

/// Which target of a pool a request reaches.
struct BalancingTests {
    /// Runs `body` with a client of a pool of two targets, `backend` and another, and further keys.
    private static func run(
        _ keys: [String],
        second script: @escaping TestBackend.Script = { _, _ in .answer(200) },
        _ body: (TestClient, [TestBackend]) throws -> Void
    ) throws {
        var web: Address?
        var second: Address?
        try PacketSystem.run({ file in
            let host = file.listenerAddress.host
            let address = Address(host: host, port: 8081)
            let other = Address(host: host, port: 9002)
            (web, second) = (address, other)
            file.listeners = ["web:", "  bind: \"\(address)\"", "  pipeline: [{ route: web }]"]
            file.pools = [
                "web:",
                "  targets: [{ url: \"http://\(file.targets[0])\" }, "
                    + "{ url: \"http://\(other)\" }]",
            ]
            file.pools += keys.map { "  \($0)" }
        }) { system in
            let other = try TestBackend(try #require(second), script: script)
            system.backend.setScript { _, _ in .answer(200) }
            try body(try TestClient(try #require(web)), [system.backend, other])
        }
    }

    @Test func `hash keeps the requests with a field's value together`() throws {
        try Self.run(["balance: { hash: { header: X-Key } }"]) { client, backends in
            for number in 0..<60 {
                let answer = try client.exchange(.get("/").with("X-Key", "key-\(number % 20)"))
                #expect(answer.status == 200)
            }
            let keys = backends.map { backend in
                Set(backend.received.compactMap { $0.message.field("X-Key") })
            }
            #expect(keys[0].isDisjoint(with: keys[1]))
            #expect(keys[0].count + keys[1].count == 20)
            #expect(keys[0].count > 1 && keys[1].count > 1)
        }
    }

    @Test func `a target that fails its checks gets nothing`() throws {
        let health =
            "health: { active: { path: /up, interval: 20ms, fall: 1, rise: 1, status: 204 } }"
        let isWell: TestBackend.Script = { request, _ in
            .answer(request.message.startLine.hasPrefix("GET /up ") ? 204 : 200)
        }
        try Self.run([health], second: isWell) { client, backends in
            // Who is asked a second time was heard the first time.
            for backend in backends { try backend.waitForRequests { $0.count >= 2 } }
            for _ in 0..<4 { #expect(try client.exchange(.get("/x")).status == 200) }
            let asked = backends[0].received.filter { $0.message.startLine == "GET /x HTTP/1.1" }
            #expect(asked.isEmpty)
        }
    }
}

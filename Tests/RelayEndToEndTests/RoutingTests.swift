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

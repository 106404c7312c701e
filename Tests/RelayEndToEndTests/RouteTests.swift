import Testing

/// What shares a listener with packets.
struct RouteTests {
    @Test func `rules answer beside the packets`() throws {
        let rules = """
            [ { match: { path: /ping }, respond: { status: 201, body: "pong\\n" } }, \
            { match: { path_prefix: /old }, redirect: { to: /new, status: 301 } }, \
            { pool: backend } ]
            """
        try PacketSystem.run({ $0.route = rules }) { system in
            let client = try system.client()
            let pong = try client.exchange(.get("/ping"))
            #expect(pong.status == 201)
            #expect(pong.text == "pong\n")
            let redirect = try client.exchange(.get("/old/page"))
            #expect(redirect.status == 301)
            #expect(redirect.field("Location") == "/new")
            #expect(try client.exchange(.get("/p%69ng")).status == 201)
            #expect(try client.exchange(.get("//ping")).status == 201)
            expectProblem(try client.exchange(.get("/else")), 404)
            let token = try system.logIn("alice")
            #expect(try client.exchange(.packet(token, "hello")).text == "hello")
        }
    }

    @Test func `when says for which requests a stage exists`() throws {
        try PacketSystem.run({ file in
            file.stages = [
                "- headers: { request: [ { set: { X-Filtered: \"yes\" } } ] }",
                "  when: { header: { X-Version: \"2*\" } }",
            ]
        }) { system in
            let token = try system.logIn("alice")
            let client = try system.client()
            for version in ["1", "2.1"] {
                _ = try client.exchange(.packet(token, version).with("X-Version", version))
            }
            let seen = system.backend.packets.map { $0.message.field("X-Filtered") }
            #expect(seen == [nil, "yes"])
        }
    }
}

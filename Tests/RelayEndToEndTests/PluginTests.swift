import Glibc
import Testing

/// What plugins do with requests and responses (relay-plugin(3)).
struct PluginTests {
    @Test func `fields of request and response are read and changed`() throws {
        try PluginSystem.run(config: "request: headers") { system in
            let socket = try ListeningSocket(system.target)
            defer { socket.close() }
            let client = try TestClient(system.address)
            try client.send(
                Request.get("/x").with("X-In", "in").with("X-Gone", "a").with("X-Gone", "b")
            )
            let target = SocketStream(try #require(socket.accept()))
            let request = try target.message()
            #expect(request.field("X-Copy") == "in")
            #expect(request.values(of: "X-More") == ["1", "2"])
            #expect(request.values(of: "X-In") == ["changed"])
            #expect(request.field("X-Gone") == nil)
            try target.write(Array("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".utf8))
            let answer = try client.response()
            #expect(answer.text == "ok")
            #expect(answer.field("X-Is-Own") == "no")
            try system.relay.waitForLine(containing: "ended")
        }
    }

    @Test func `what belongs to relay is refused, and so is what is malformed`() throws {
        for place in ["request", "response"] {
            try PluginSystem.run(config: "\(place): refused") { system in
                try system.expect("pong", at: "/ping")
            }
        }
    }

    @Test func `a plugin answers, in the place of a request or of a response`() throws {
        for place in ["request", "response"] {
            try PluginSystem.run(config: "\(place): respond") { system in
                let client = try TestClient(system.address)
                for _ in 0..<2 {
                    let answer = try client.exchange(.get("/ping"))
                    #expect(answer.status == 202)
                    #expect(answer.field("X-Answer") == "plugin")
                    #expect(answer.text == "by the plugin")
                }
            }
        }
    }

    @Test func `an answer takes the place of one that a target is still sending`() throws {
        try PluginSystem.run(config: "response: respond") { system in
            let socket = try ListeningSocket(system.target)
            defer { socket.close() }
            let client = try TestClient(system.address)
            try client.send(.get("/x"))
            let target = SocketStream(try #require(socket.accept()))
            _ = try target.message()
            try target.write(Array("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nbegun".utf8))
            #expect(try client.response().text == "by the plugin")
            #expect(try target.hasEnded())
            #expect(try client.exchange(.get("/ping")).status == 202)
        }
    }

    @Test(arguments: ["pause-thread", "pause-at-once"])
    func `an exchange waits until it is resumed`(word: String) throws {
        try PluginSystem.run(config: "request: \(word)") { system in
            try system.expect("pong", at: "/ping")
        }
        try PluginSystem.run(config: "response: \(word)") { system in
            let answer = try system.exchange(.get("/ping"))
            #expect(answer.text == "pong")
            #expect(answer.field("X-Resumed") == "yes")
        }
        try PluginSystem.run(config: "request: \(word), resumed: respond") { system in
            try system.expect("by the plugin", at: "/ping")
        }
        try PluginSystem.run(config: "response: \(word), resumed: respond") { system in
            try system.expect("by the plugin", at: "/ping")
        }
    }

    @Test func `the bodies of an exchange that has waited are whole`() throws {
        let config = "request: pause-thread, response: pause-thread"
        try PluginSystem.run(config: config) { system in
            let socket = try ListeningSocket(system.target)
            defer { socket.close() }
            let client = try TestClient(system.address)
            let body = [UInt8](repeating: 0x61, count: 300_000)
            var connection: SocketStream?
            for _ in 0..<2 {
                try client.send(Request(path: "/x", body: body))
                let target = try connection ?? SocketStream(#require(socket.accept()))
                connection = target
                let request = try target.message()
                #expect(request.text.utf8.count == body.count)
                #expect(request.field("X-Resumed") == "yes")
                try target.write(
                    Array("HTTP/1.1 200 OK\r\nContent-Length: \(body.count)\r\n\r\n".utf8) + body
                )
                let answer = try client.response()
                #expect(answer.text.utf8.count == body.count)
                #expect(answer.field("X-Resumed") == "yes")
            }
        }
    }

    @Test func `a wait ends at its deadline, by on_error`() throws {
        for place in ["request", "response"] {
            let config = "\(place): pause-forever"
            try PluginSystem.run(config: config, keys: "timeout: 50ms,") { system in
                let answer = try system.exchange(.get("/ping"))
                #expect(answer.status == 500)
                #expect(answer.field("Content-Type") == "application/problem+json")
            }
            try PluginSystem.run(config: config, keys: "timeout: 50ms,", stage: "on_error: skip") {
                try $0.expect("pong", at: "/ping")
            }
        }
    }

    @Test func `a request that waits is refused if its body is too large`() throws {
        try PluginSystem.run(config: "request: pause-forever") { system in
            let client = try TestClient(system.address)
            try client.send(text: "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 2000000\r\n\r\n")
            #expect(try client.response().status == 413)
        }
    }

    @Test func `a client that goes while its request waits ends the exchange`() throws {
        try PluginSystem.run(config: "request: pause-forever") { system in
            let client = try TestClient(system.address)
            try client.send(.get("/ping"))
            client.stream.close()
            try system.relay.waitForLine(containing: "ended unanswered")
        }
    }

    @Test(arguments: ["fail", "unknown", "unannounced"])
    func `a plugin that fails ends the exchange, or is skipped`(word: String) throws {
        for place in ["request", "response"] {
            try PluginSystem.run(config: "\(place): \(word)") { system in
                #expect(try system.exchange(.get("/ping")).status == 500)
                try system.relay.waitForLine(containing: "plugin failed")
            }
            try PluginSystem.run(config: "\(place): \(word)", stage: "on_error: skip") { system in
                try system.expect("pong", at: "/ping")
            }
        }
    }

    @Test func `a hook that blocks its event loop is logged`() throws {
        try PluginSystem.run(config: "request: slow") { system in
            try system.expect("pong", at: "/ping")
            try system.relay.waitForLine(containing: "plugin blocks an event loop")
        }
    }

    @Test func `a stage with when is there for some requests only`() throws {
        let when = "when: { path: /other }"
        try PluginSystem.run(config: "request: respond", stage: when) { system in
            try system.expect("pong", at: "/ping")
            try system.expect("by the plugin", at: "/other")
        }
    }

    @Test func `RequestTag marks requests and responses`() throws {
        let config =
            "id: X-Trace, tags: { X-Region: north }, response_tags: { X-By: relay }, "
            + "canary: { field: X-Canary, percent: 100, value: new }"
        try PluginSystem.run("relay_requesttag", config: config) { system in
            let socket = try ListeningSocket(system.target)
            defer { socket.close() }
            let client = try TestClient(system.address)
            try client.send(Request.get("/x").with("X-Canary", "mine").with("X-Region", "mine"))
            let target = SocketStream(try #require(socket.accept()))
            let request = try target.message()
            #expect(request.values(of: "X-Region") == ["north"])
            #expect(request.values(of: "X-Canary") == ["new"])
            #expect(request.field("X-Trace") == request.field("X-Request-Id"))
            try target.write(Array("HTTP/1.1 204 No Content\r\n\r\n".utf8))
            let answer = try client.response()
            #expect(answer.field("X-By") == "relay")
            #expect(answer.field("X-Trace") == request.field("X-Trace"))
        }
    }
}

import Glibc
import Testing

/// The plugin RateLimit, which is written in Swift (relay.yaml(5), plugins).
struct RateLimitTests {
    @Test func `a client that asks too often is told when to come back`() throws {
        try PluginSystem.run("relay_ratelimit", config: "rules: [ { rate: 3/h } ]") { system in
            let client = try TestClient(system.address)
            for _ in 0..<3 { #expect(try client.exchange(.get("/ping")).text == "pong") }
            let answer = try client.exchange(.get("/ping"))
            #expect(answer.status == 429)
            let seconds = try #require(answer.field("Retry-After").flatMap { Int($0) })
            #expect((1...1200).contains(seconds))
            #expect(answer.field("Content-Type") == "application/problem+json")
        }
    }

    @Test func `clients are told apart by a field, and need a token of every rule`() throws {
        let config = "rules: [ { rate: 2/h, header: X-Key }, { rate: 9/h, burst: 3 } ]"
        try PluginSystem.run("relay_ratelimit", config: config) { system in
            let client = try TestClient(system.address)
            func status(_ key: String) throws -> Int {
                try client.exchange(Request.get("/ping").with("X-Key", key)).status
            }
            #expect(try status("a") == 200)
            #expect(try status("a") == 200)
            #expect(try status("a") == 429)
            #expect(try status("b") == 200)
            // The rule for all of an address.
            #expect(try status("c") == 429)
        }
    }

    @Test func `every mistake in its rules has its place`() throws {
        let host = try LoopbackHost.unique()
        let folder = try TemporaryFolder()
        let library = "\(folder.path)/plugin.so"
        try PluginSystem.copy(PluginSystem.library("relay_ratelimit"), to: library)
        let text = PluginSystem.text(
            host,
            library: library,
            config: "rules: [ { rate: fast }, { burst: 0 } ], rate: 1/s"
        )
        let path = try folder.write(text, to: "relay.yaml")
        let check = try RelayProgram.run(["check", "-c", path])
        #expect(check.exit == .code(78))
        for message in [
            "'rate' is a number of requests in a time", "needs a 'rate'",
            "'burst' is a whole number from 1 to 1000000", "unknown key",
        ] {
            #expect(check.errorText.contains("plugin 'one': "))
            #expect(check.errorText.contains(message), "\(check.errorText)")
        }
    }
}

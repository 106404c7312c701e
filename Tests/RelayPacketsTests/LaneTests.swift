import RelayConfig
import RelayEngine
import RelayStore
import RelayUpstream
import Testing

@testable import RelayPackets

struct LaneTests {
    private static let atOnce = ["Prefer: wait=0"]

    @Test func `a packet goes to the backend with who sent it, its number and its fields`() throws {
        let harness = try PacketHarness()
        try harness.logIn("anna")
        _ = try harness.post(
            "anna",
            "hello",
            Self.atOnce + ["X-Topic: tea", "Cookie: c", "X_Topic: alias", "From: mallory"]
        )
        let sent = try #require(harness.backend.sent.first)
        #expect(sent.hasPrefix("Type: Packet\r\nFrom: anna\r\nPacket-Id: "))
        #expect(sent.contains("\r\nX-Topic: tea\r\n"))
        #expect(sent.hasSuffix("\r\n\r\nhello"))
        #expect(!sent.contains("Cookie"))
        #expect(!sent.contains("mallory"))
        #expect(!sent.contains("token of anna"))
    }

    @Test func `a packet is stored before the hold, and its client may hang up`() throws {
        let harness = try PacketHarness()
        try harness.logIn("anna")
        let client = try harness.post("anna", "hello")
        #expect(client.status == nil)
        harness.hangUp(client)
        #expect(harness.backend.packets == ["hello"])
        #expect(harness.store.backlog(of: harness.pool).packets == 1)
        harness.backend.answer(200)
        #expect(harness.store.backlog(of: harness.pool).packets == 0)
    }

    @Test func `the reply to a packet answers the request that brought it`() throws {
        let harness = try PacketHarness()
        try harness.logIn("anna")
        let client = try harness.post("anna", "hello")
        harness.backend.answer(
            200,
            ["To: anna", "From: server", "X-Topic: tea", "X-Forwarded-For: 1", "Date: x"],
            "there"
        )
        #expect(client.answer == "200, More: 0, From: server, X-Topic: tea, 'there'")
    }

    @Test func `one packet of a client is under way at a time, in order`() throws {
        let harness = try PacketHarness()
        try harness.logIn("anna")
        try harness.logIn("bob")
        for text in ["a1", "a2", "a3"] { _ = try harness.post("anna", text, Self.atOnce) }
        _ = try harness.post("bob", "b1", Self.atOnce)
        #expect(harness.backend.packets == ["a1", "b1"])
        harness.backend.answer(204)
        #expect(harness.backend.packets == ["b1", "a2"])
        harness.backend.answer(204, index: 1)
        #expect(harness.backend.packets == ["b1", "a3"])
        harness.backend.answer(204)
        harness.backend.answer(204)
        #expect(harness.part.lanes.isEmpty)
        #expect(harness.part.requestsUnderWay == 0)
    }

    @Test func `the loop that has a lane sends its packets, whichever loop they came to`() throws {
        let harness = try PacketHarness(loops: 2)
        try harness.logIn("anna")
        _ = try harness.post("anna", "one", Self.atOnce, loop: 1)
        _ = try harness.post("anna", "two", Self.atOnce, loop: 0)
        #expect(harness.targets[0].packets == [])
        #expect(harness.targets[1].packets == ["one"])
        harness.targets[1].answer(204)
        #expect(harness.targets[1].packets == ["two"])
    }

    @Test func `a packet that failed is tried elsewhere at once, then after a backoff`() throws {
        let harness = try PacketHarness(targets: 2)
        try harness.logIn("anna")
        _ = try harness.post("anna", "hello", Self.atOnce)
        harness.backend.fail(.reset, .ambiguous)
        #expect(harness.backend.requests.map(\.target) == [1])
        harness.backend.answer(500)
        #expect(harness.backend.requests.isEmpty)
        harness.advance(.milliseconds(102))
        #expect(harness.backend.requests.map(\.target) == [0])
        harness.backend.answer(200)
        #expect(harness.part.lanes.isEmpty)
    }

    @Test func `every attempt says the same but for its count, of those that a backend may know`()
        throws
    {
        let harness = try PacketHarness()
        try harness.logIn("anna")
        _ = try harness.post("anna", "hello", Self.atOnce + ["X-Topic: tea"])
        let first = try #require(harness.backend.sent.first)
        let id = "\r\nX-Request-Id: "
        #expect(first.contains("\r\nAttempt: 1\r\n") && first.contains(id))
        harness.backend.fail(.unreachable, .notSent)
        harness.advance(.seconds(1))
        #expect(harness.backend.sent == [first])
        for attempt in 2...11 {
            if attempt == 2 {
                harness.backend.fail(.timedOut, .ambiguous)
            } else {
                harness.backend.answer(503)
            }
            harness.advance(.seconds(20))
            let sent = try #require(harness.backend.sent.first)
            #expect(
                sent == first.replacing("\r\nAttempt: 1\r\n", with: "\r\nAttempt: \(attempt)\r\n")
            )
        }
    }

    @Test func `a longer Retry-After is respected`() throws {
        let harness = try PacketHarness()
        try harness.logIn("anna")
        _ = try harness.post("anna", "hello", Self.atOnce)
        harness.backend.answer(429, ["Retry-After: 7"])
        harness.advance(.milliseconds(6_999))
        #expect(harness.backend.requests.isEmpty)
        harness.advance(.milliseconds(3))
        #expect(harness.backend.packets == ["hello"])
    }

    @Test func `Retry-After may be a date, and nothing waits for longer than an hour`() throws {
        for (value, seconds) in [
            ("Tue, 14 Nov 2023 22:13:28 GMT", 7), ("Fri, 31 Dec 9999 23:59:59 GMT", 3600),
            ("99999999999", 3600),
        ] {
            let harness = try PacketHarness()
            #expect(harness.part.now.unixMicroseconds / 1_000_000 == 1_700_000_001)
            try harness.logIn("anna")
            _ = try harness.post("anna", "hello", Self.atOnce)
            harness.backend.answer(503, ["Retry-After: \(value)"])
            harness.advance(.seconds(seconds) - .milliseconds(1))
            #expect(harness.backend.requests.isEmpty, "\(value)")
            harness.advance(.milliseconds(3))
            #expect(harness.backend.packets == ["hello"], "\(value)")
        }
    }

    @Test func `a packet at fault is a dead letter, and the next one goes`() throws {
        let harness = try PacketHarness()
        try harness.logIn("anna")
        for text in ["bad", "good"] { _ = try harness.post("anna", text, Self.atOnce) }
        harness.backend.answer(422)
        #expect(harness.backend.packets == ["good"])
        let letters = harness.store.keptDeadLetters()
        #expect(letters.map(\.reason) == [.rejected(status: 422)])
    }

    @Test func `a packet that was tried as often as allowed is a dead letter`() throws {
        let harness = try PacketHarness(pool: {
            var policy = RetryPolicyConfiguration(name: "three")
            policy.attemptsMax = 3
            $0.retry = policy
        })
        try harness.logIn("anna")
        _ = try harness.post("anna", "hello", Self.atOnce)
        for attempt in 1...3 {
            // A connection that could not be made is no attempt.
            harness.backend.fail(.unreachable, .notSent)
            harness.advance(.seconds(10))
            #expect(harness.store.keptDeadLetters().isEmpty, "attempt \(attempt)")
            harness.backend.fail(.timedOut, .ambiguous)
            harness.advance(.seconds(10))
        }
        #expect(harness.store.keptDeadLetters().map(\.reason) == [.attemptsExhausted])
        #expect(harness.backend.requests.isEmpty)
        #expect(harness.part.lanes.isEmpty)
    }

    @Test func `a packet that is too old is a dead letter, and is not sent again`() throws {
        let harness = try PacketHarness(buffer: { $0.packetTTL = .seconds(60) })
        try harness.logIn("anna")
        _ = try harness.post("anna", "old", Self.atOnce)
        harness.backend.answer(503, ["Retry-After: 100"])
        harness.advance(.seconds(59))
        _ = try harness.post("anna", "new", Self.atOnce)
        harness.advance(.seconds(42))
        #expect(harness.backend.packets == ["new"])
        #expect(harness.store.keptDeadLetters().map(\.reason) == [.expired])
    }

    @Test func `the time for an answer is the pool's or the policy's, whichever is shorter`() throws
    {
        for (perTry, expected) in [(nil, 120), (5, 5), (500, 120)] as [(Int64?, Int64)] {
            let harness = try PacketHarness(pool: {
                var policy = RetryPolicyConfiguration(name: "timed")
                policy.perTryTimeout = perTry.map { .seconds($0) }
                $0.retry = policy
            })
            try harness.logIn("anna")
            _ = try harness.post("anna", "hello", Self.atOnce)
            #expect(harness.backend.requests.first?.timeout == .seconds(expected))
        }
    }

    @Test func `packets wait while the pool is down, and go when it may be up`() throws {
        let harness = try PacketHarness()
        harness.backend.usable = []
        try harness.logIn("anna")
        try harness.logIn("bob")
        for name in ["anna", "bob"] { _ = try harness.post(name, "from \(name)", Self.atOnce) }
        #expect(harness.backend.waiters.count == 2)
        harness.backend.mayBeUsable()
        #expect(harness.backend.waiters.count == 2)
        harness.backend.usable = [0]
        harness.backend.mayBeUsable()
        #expect(harness.backend.packets.sorted() == ["from anna", "from bob"])
    }

    @Test func `a packet that expires while the pool is down leaves no waiter behind`() throws {
        let harness = try PacketHarness(buffer: { $0.packetTTL = .seconds(60) })
        harness.backend.usable = []
        try harness.logIn("anna")
        _ = try harness.post("anna", "hello", Self.atOnce)
        harness.system.advance(.seconds(61))
        harness.settle()
        harness.backend.mayBeUsable()
        #expect(harness.backend.waiters.isEmpty)
        #expect(harness.part.lanes.isEmpty)
        #expect(harness.store.keptDeadLetters().map(\.reason) == [.expired])
    }

    @Test func `while outboxes are full nothing is sent, and it goes on when there is room`() throws
    {
        var limits = StoreLimits()
        limits.outboxPacketsMax = 1
        let harness = try PacketHarness(loops: 2, limits: limits)
        try harness.logIn("anna")
        try harness.logIn("bob")
        try harness.push("full", to: "anna")
        _ = try harness.post("bob", "hello", Self.atOnce, loop: 1)
        #expect(harness.targets[1].requests.isEmpty)
        let poll = try harness.post("anna")
        harness.prove(poll)
        #expect(harness.targets[1].packets == ["hello"])
    }

    @Test func `a body for nobody is a dead letter, To without a body is no packet`() throws {
        let harness = try PacketHarness()
        try harness.logIn("anna")
        for answer in [[], ["To: a b"], ["To: "], ["To: ,"], ["To: a", "To: b c"]] {
            _ = try harness.post("anna", "hello", Self.atOnce)
            harness.backend.answer(200, answer, "lost")
        }
        #expect(
            harness.store.keptDeadLetters().map(\.reason)
                == Array(repeating: .noRecipient, count: 5)
        )
        _ = try harness.post("anna", "hello", Self.atOnce)
        harness.backend.answer(200, ["To: anna"])
        #expect(harness.store.keptDeadLetters().count == 5)
        #expect(harness.store.statistics().waitingForClients.packets == 0)
        #expect(harness.part.lanes.isEmpty)
    }

    @Test func `a reply above packet_size is lost, and the packet consumed`() throws {
        let harness = try PacketHarness(buffer: { $0.packetBytesMax = 5 })
        try harness.logIn("anna")
        _ = try harness.post("anna", "hello", Self.atOnce)
        harness.backend.answer(200, ["To: anna"], "123456")
        #expect(harness.store.statistics().waitingForClients.packets == 0)
        #expect(harness.store.backlog(of: harness.pool).packets == 0)
        let letters = harness.store.keptDeadLetters()
        #expect(letters.map(\.reason) == [.tooLarge])
        #expect(letters.map(\.contents) == [.empty])
    }
}

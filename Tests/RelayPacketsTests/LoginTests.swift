import RelayConfig
import RelayEngine
import RelayHTTP
import RelayPipeline
import RelayStore
import RelayUpstream
import Testing

@testable import RelayPackets

struct LoginAttemptsTests {
    @Test func `another target is tried only where none can have acted`() {
        let attempts = LoginAttempts()
        #expect(attempts.failed(.init(.unreachable, .notSent, reason: "")) == .tryAnother)
        #expect(attempts.failed(.init(.noCapacity, .notSent, reason: "")) == .tryAnother)
        #expect(attempts.failed(.init(.reset, .ambiguous, reason: "")) == .refuse(.backendFailed))
        #expect(attempts.failed(.init(.reset, .answered, reason: "")) == .refuse(.backendFailed))
        #expect(
            attempts.failed(.init(.malformed, .answered, reason: "")) == .refuse(.backendFailed)
        )
    }

    @Test(arguments: [.notSent, .ambiguous, .answered] as [UpstreamFailure.Outcome])
    func `no answer in time is a 504`(outcome: UpstreamFailure.Outcome) {
        let attempts = LoginAttempts()
        #expect(attempts.failed(.init(.timedOut, outcome, reason: "")) == .refuse(.backendTooSlow))
    }

    @Test func `a 503 has another target tried, and none left is a 503`() {
        var attempts = LoginAttempts()
        #expect(attempts.targetPicked(0, mayWait: true) == .send(target: 0))
        #expect(attempts.answered(.unavailable, retryAfterSeconds: 9) == .tryAnother)
        #expect(
            attempts.targetPicked(nil, mayWait: true)
                == .refuse(.backendUnreachable(retryAfterSeconds: 9))
        )
    }

    @Test func `a pool that cannot be reached is waited for, if there is time`() {
        var attempts = LoginAttempts()
        #expect(attempts.targetPicked(nil, mayWait: true) == .waitForPool)
        #expect(
            attempts.targetPicked(nil, mayWait: false)
                == .refuse(.backendUnreachable(retryAfterSeconds: 1))
        )
    }
}

struct LoginAnswerTests {
    private func verdict(_ status: Int, _ fields: [String], _ body: String) -> LoginAnswer.Verdict {
        self.verdict(status, fields, bytes: Array(body.utf8))
    }

    private func verdict(
        _ status: Int,
        _ fields: [String],
        bytes content: [UInt8]
    ) -> LoginAnswer.Verdict {
        let text = "HTTP/1.1 \(status) X\r\n" + fields.map { $0 + "\r\n" }.joined() + "\r\n"
        let bytes = Array(text.utf8)
        var head = ResponseHead()
        var parser = ResponseParser()
        #expect(parser.parse(bytes.span, answering: .post, into: &head) == .head)
        var answer = LoginAnswer()
        answer.begin(
            head,
            bytes.span,
            kept: KeptNames([]),
            at: StoreInstant(nanoseconds: 1, unixMicroseconds: 1)
        )
        answer.append(content.span)
        return answer.verdict
    }

    @Test func `blanks and line ends around a token do not count`() throws {
        let anna = try PacketHarness.name("anna")
        #expect(self.verdict(200, ["Client-Id: anna"], "abc") == .granted(anna, token: 0..<3))
        #expect(
            self.verdict(200, ["Client-Id: anna"], " \r\na c \n") == .granted(anna, token: 3..<6)
        )
    }

    @Test(
        arguments: [[0xFF, 0xFE], [0x61, 0xC3], [0xC0, 0x80], [0xED, 0xA0, 0x80]] as [[UInt8]]
    )
    func `a token is UTF-8`(bytes: [UInt8]) {
        let verdict = self.verdict(200, ["Client-Id: anna"], bytes: bytes)
        #expect(verdict == .unusable("token is not UTF-8"))
    }

    @Test func `a token has a size, and no control bytes`() throws {
        let anna = try PacketHarness.name("anna")
        let longest = String(repeating: "t", count: 4096)
        #expect(self.verdict(200, ["Client-Id: anna"], longest) == .granted(anna, token: 0..<4096))
        for token in ["", " \r\n ", longest + "t", "a\tb", "a\u{7F}", "a\r\nb", "a\u{85}"] {
            guard case .unusable = self.verdict(200, ["Client-Id: anna"], token) else {
                Issue.record("token '\(token.debugDescription)' was accepted")
                continue
            }
        }
    }

    @Test(arguments: [
        [], ["Client-Id: "], ["Client-Id: a b"], ["Client-Id: a,b"],
        ["Client-Id: a", "Client-Id: a"], ["Client-Id: \(String(repeating: "x", count: 256))"],
    ])
    func `a success needs one valid id`(fields: [String]) {
        #expect(self.verdict(200, fields, "abc") == .unusable("no single valid Client-Id"))
    }

    @Test(arguments: [201, 204, 302, 400, 404, 500, 502])
    func `any other status is unusable`(status: Int) {
        #expect(self.verdict(status, ["Client-Id: a"], "abc") == .unusable("status \(status)"))
    }

    @Test func `401 and 403 are passed on, 503 is not`() {
        #expect(self.verdict(401, [], "no") == .denied)
        #expect(self.verdict(403, [], "no") == .denied)
        #expect(self.verdict(503, [], "no") == .unavailable)
    }
}

struct LoginTests {
    private func login(
        _ harness: PacketHarness,
        _ path: String = "/auth",
        _ fields: [String] = [],
        _ body: String = "anna"
    ) throws -> FakeClient {
        try harness.request("POST \(path) HTTP/1.1", fields, body)
    }

    @Test func `a login is asked for, stored, and answered as the backend said`() throws {
        let harness = try PacketHarness()
        let client = try self.login(
            harness,
            "/auth",
            ["Permissions: a,b , c", "X-Device: 7", "Client-Id: mallory", "Type: Packet"]
        )
        let sent = try #require(harness.backend.sent.first)
        #expect(sent.hasPrefix("Type: Auth\r\nPermissions: a,b , c\r\nX-Device: 7\r\n"))
        #expect(sent.hasSuffix("\r\n\r\nanna"))
        #expect(!sent.contains("mallory"))
        #expect(harness.backend.requests.first?.freshness == .recent)
        harness.backend.answer(200, ["Client-Id: anna", "X-Greeting: hi"], " secret\n")
        #expect(client.answer == "200, Client-Id: anna, X-Greeting: hi, ' secret\n'")
        #expect(client.value("Cache-Control") == "no-store")
        let token = Array("secret".utf8)
        let session = harness.store.session(
            forToken: token.span,
            in: harness.realm,
            at: harness.part.now
        )
        #expect(try session?.name == PacketHarness.name("anna"))
        #expect(session?.isDebugServer == false)
    }

    @Test func `a registration says so`() throws {
        let harness = try PacketHarness()
        _ = try self.login(harness, "/register")
        #expect(harness.backend.sent.first?.hasPrefix("Type: Register\r\n") == true)
    }

    @Test func `401 and 403 come through, and log nobody in`() throws {
        let harness = try PacketHarness()
        for status in [401, 403] {
            let client = try self.login(harness)
            harness.backend.answer(status, ["X-Why: no", "Client-Id: anna"], "go away")
            #expect(client.answer == "\(status), X-Why: no, 'go away'")
        }
        #expect(harness.store.statistics().sessions == 0)
    }

    @Test func `an unusable answer is a 502 and is not tried again`() throws {
        let harness = try PacketHarness(targets: 2)
        for answer in 0..<3 {
            let client = try self.login(harness)
            switch answer {
            case 0: harness.backend.answer(200, [], "secret")
            case 1: harness.backend.answer(500)
            default: harness.backend.fail(.reset, .ambiguous)
            }
            #expect(client.status == 502)
            #expect(harness.backend.requests.isEmpty)
        }
        #expect(harness.store.statistics().sessions == 0)
    }

    @Test func `another target is tried, and when none is left it is a 503`() throws {
        let harness = try PacketHarness(targets: 2)
        let client = try self.login(harness)
        harness.backend.fail(.unreachable, .notSent)
        #expect(harness.backend.requests.map(\.target) == [1])
        harness.backend.answer(503, ["Retry-After: 17"])
        #expect(client.status == 503)
        #expect(client.value("Retry-After") == "17")
    }

    @Test func `all tries together have one deadline, then it is a 504`() throws {
        let harness = try PacketHarness(targets: 2)
        let client = try self.login(harness)
        let deadline = harness.loops[0].now + .seconds(10)
        #expect(harness.backend.requests.first?.deadline == deadline)
        harness.advance(.seconds(3))
        harness.backend.fail(.unreachable, .notSent)
        #expect(harness.backend.requests.first?.deadline == deadline)
        harness.backend.fail(.timedOut, .ambiguous)
        #expect(client.status == 504)
    }

    @Test func `the token of another client is a 502, one's own is not`() throws {
        let harness = try PacketHarness()
        try harness.logIn("bob", token: "secret")
        let client = try self.login(harness)
        harness.backend.answer(200, ["Client-Id: anna"], "secret")
        #expect(client.status == 502)
        let again = try self.login(harness)
        harness.backend.answer(200, ["Client-Id: bob"], "secret")
        #expect(again.status == 200)
    }

    @Test(
        arguments: [
            ("Accept-Debug", nil, true), ("read, Accept-Debug", nil, true), ("read", nil, false),
            ("accept-debug", nil, false), ("Accept-Debug", "read", false),
            ("read", "Accept-Debug", true),
        ] as [(String, String?, Bool)]
    )
    func `a debug server is who was granted it`(asked: String, granted: String?, isOne: Bool) throws
    {
        let harness = try PacketHarness()
        _ = try self.login(harness, "/auth", ["Permissions: \(asked)"])
        harness.backend.answer(
            200,
            ["Client-Id: anna"] + (granted.map { ["Permissions: \($0)"] } ?? []),
            "secret"
        )
        let token = Array("secret".utf8)
        let session = harness.store.session(
            forToken: token.span,
            in: harness.realm,
            at: harness.part.now
        )
        #expect(session?.isDebugServer == isOne)
    }

    @Test func `a client that hangs up takes its login back`() throws {
        let harness = try PacketHarness()
        let client = try self.login(harness)
        harness.hangUp(client)
        #expect(harness.backend.cancelled == 1)
        #expect(client.status == nil)
    }

    @Test func `a login waits for the pool as long as the pool's wait says`() throws {
        let harness = try PacketHarness(pool: { $0.wait = .seconds(2) })
        harness.backend.usable = []
        let late = try self.login(harness)
        #expect(late.status == nil)
        harness.advance(.milliseconds(2002))
        #expect(late.status == 503)
        #expect(harness.backend.waiters.isEmpty)

        let lucky = try self.login(harness)
        harness.backend.usable = [0]
        harness.backend.mayBeUsable()
        harness.backend.answer(200, ["Client-Id: anna"], "secret")
        #expect(lucky.status == 200)
    }

    @Test func `what the head tells is refused on the head`() throws {
        let harness = try PacketHarness(
            listenerLimits: {
                var limits = LimitsConfiguration()
                limits.bodyBytesMax = 10
                limits.bufferedBytesMax = 15
                return limits
            }()
        )
        #expect(try harness.head("GET /auth HTTP/1.1").value("Allow") == "POST")
        #expect(try harness.head("POST /auth HTTP/1.1", ["Content-Length: 11"]).status == 413)
        let first = try harness.head("POST /auth HTTP/1.1", ["Content-Length: 10"])
        harness.send("123456789", on: first)
        #expect(first.status == nil)
        #expect(try harness.head("POST /auth HTTP/1.1", ["Content-Length: 10"]).status == 503)
        harness.hangUp(first)
        #expect(try harness.head("POST /auth HTTP/1.1", ["Content-Length: 10"]).status == nil)
    }
}

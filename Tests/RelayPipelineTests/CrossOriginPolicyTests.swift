import RelayConfig
import RelayHTTP
import RelayPipeline
import Testing

/// What a listener with `cors` tells browsers.
struct CrossOriginPolicyTests {
    private let app = CrossOriginConfiguration(origins: [
        "https://app.example.com", "http://b:3000",
    ])

    /// A listener with the packet protocol at its usual paths.
    private func listener(_ crossOrigin: CrossOriginConfiguration?) -> ListenerConfiguration {
        var listener = ListenerConfiguration(
            name: "packets",
            bind: .unix(path: "/tmp/x"),
            pipeline: [
                StageConfiguration(.auth(AuthConfiguration(pool: "app"))),
                StageConfiguration(.buffer(BufferConfiguration(realm: "app"))),
            ]
        )
        listener.crossOrigin = crossOrigin
        return listener
    }

    /// The lines of the answer to a request at `path`, which stages answer with 200 and `fields`.
    private func answer(
        _ crossOrigin: CrossOriginConfiguration?,
        _ method: String,
        _ path: String = "/",
        request: [String] = [],
        fields: [String] = []
    ) throws -> [String] {
        let head = ["\(method) \(path) HTTP/1.1", "Host: a"] + request + ["", ""]
        let stage = AnsweringStage(fields)
        let bed = try PipelineBed(
            head.joined(separator: "\n"),
            configuration: self.listener(crossOrigin),
            stages: [stage]
        )
        bed.run()
        return [bed.carrier.calls.joined(separator: ", ")] + lines(bed.carrier.fields)
    }

    @Test func `answers a preflight with what is allowed of what was asked for`() throws {
        let answer = try self.answer(
            self.app,
            "OPTIONS",
            request: [
                "Origin: https://app.example.com",
                "Access-Control-Request-Method: POST",
                "access-control-request-headers: ack,authorization, cookie ,content-type,from,,packet-id",
                "Access-Control-Request-Headers: permissions,prefer,to,debug,x-mood,x",
            ]
        )
        #expect(
            answer == [
                "respond 204",
                "Access-Control-Allow-Origin: https://app.example.com",
                "Vary: Origin",
                "Access-Control-Allow-Methods: POST",
                "Access-Control-Allow-Headers: ack, authorization, content-type, packet-id, permissions, "
                    + "prefer, to, debug, x-mood",
                "Access-Control-Max-Age: 600",
            ]
        )
    }

    @Test(arguments: ["/", "/auth", "/register", "/logout"])
    func `answers preflights at each path of the protocol`(path: String) throws {
        let answer = try self.answer(
            self.app,
            "OPTIONS",
            path,
            request: ["Origin: http://b:3000", "Access-Control-Request-Method: POST"]
        )
        #expect(
            answer == [
                "respond 204", "Access-Control-Allow-Origin: http://b:3000", "Vary: Origin",
                "Access-Control-Allow-Methods: POST", "Access-Control-Max-Age: 600",
            ]
        )
    }

    @Test(arguments: [
        "https://app.example.com:443", "http://app.example.com", "https://App.example.com",
        "https://app.example.com.evil.example", "https://app.example.co", "null", "",
    ])
    func `refuses the preflight of an origin that is not listed`(origin: String) throws {
        let answer = try self.answer(
            self.app,
            "OPTIONS",
            request: ["Origin: \(origin)", "Access-Control-Request-Method: POST"]
        )
        #expect(
            answer == ["respond 403", "Content-Type: application/problem+json", "Vary: Origin"]
        )
    }

    @Test func `takes two origins for none that is listed`() throws {
        let answer = try self.answer(
            self.app,
            "POST",
            request: ["Origin: https://app.example.com", "Origin: https://app.example.com"]
        )
        #expect(answer == ["respond 200", "Vary: Origin"])
    }

    @Test func `answers OPTIONS that is no preflight with the methods`() throws {
        let answer = try self.answer(
            self.app,
            "OPTIONS",
            request: ["Origin: https://app.example.com"]
        )
        #expect(
            answer == [
                "respond 204", "Access-Control-Allow-Origin: https://app.example.com",
                "Vary: Origin",
                "Allow: POST, OPTIONS",
            ]
        )
    }

    @Test func `lets a listed page read every field of an answer`() throws {
        let fields = [
            "Content-Type: application/octet-stream", "Cache-Control: no-store", "More: 0",
            "Packet-Id: 7", "X-Mood: good",
        ]
        let answer = try self.answer(
            self.app,
            "POST",
            request: ["Origin: http://b:3000"],
            fields: fields
        )
        #expect(
            answer == ["respond 200"] + fields + [
                "Access-Control-Allow-Origin: http://b:3000", "Vary: Origin",
                "Access-Control-Expose-Headers: More, Packet-Id, X-Mood",
            ]
        )
    }

    @Test(arguments: [[], ["Origin: https://else.example"]])
    func `serves whoever is not listed, and tells caches that it matters`(
        origin: [String]
    ) throws {
        let answer = try self.answer(self.app, "POST", request: origin, fields: ["More: 0"])
        #expect(answer == ["respond 200", "More: 0", "Vary: Origin"])
    }

    @Test func `answers alike for every origin if all are allowed`() throws {
        let any = CrossOriginConfiguration(origins: ["*"])
        for request in [["Origin: null"], ["Origin: https://else.example"], []] {
            let answer = try self.answer(any, "POST", request: request, fields: ["More: 0"])
            #expect(
                answer == [
                    "respond 200", "More: 0", "Access-Control-Allow-Origin: *",
                    "Access-Control-Expose-Headers: More",
                ]
            )
        }
    }

    @Test(arguments: ["OPTIONS", "POST"])
    func `leaves other paths to what is there`(method: String) throws {
        let answer = try self.answer(
            self.app,
            method,
            "/page",
            request: ["Origin: http://b:3000", "Access-Control-Request-Method: POST"],
            fields: ["X-A: 1"]
        )
        #expect(answer == ["respond 200", "X-A: 1"])
    }

    @Test func `leaves an answer alone that speaks for itself`() throws {
        let fields = ["X-A: 1", "access-control-allow-origin: https://filter.example"]
        let answer = try self.answer(
            self.app,
            "POST",
            request: ["Origin: http://b:3000"],
            fields: fields
        )
        #expect(answer == ["respond 200"] + fields)
    }

    @Test func `says nothing without cors`() throws {
        let answer = try self.answer(
            nil,
            "OPTIONS",
            request: ["Origin: http://b:3000", "Access-Control-Request-Method: POST"]
        )
        #expect(answer == ["respond 200"])
    }
}

/// Answers everything with 200 and the same fields.
private final class AnsweringStage: Stage {
    private let fields: [UInt8]

    init(_ lines: [String]) {
        self.fields = Array(lines.map { "\($0)\r\n" }.joined().utf8)
    }

    func requestReceived(
        _ exchange: Exchange,
        _ request: Request,
        _ bytes: Span<UInt8>
    ) -> Verdict {
        let fields = self.fields
        exchange.respond(status: 200, fields: fields.span, body: Span())
        return .responded
    }
}

import SimulatedSystem
import Testing

/// What filters write of a request, on the simulated system.
struct HeaderValueTests {
    /// What the target is sent, and the client is answered, where a rule has these filters.
    private static func exchange(
        _ request: String,
        to target: [String] = [],
        back client: [String] = [],
        answer: String = "HTTP/1.1 200 OK\r\nX-Kept: k\r\nContent-Length: 0\r\n\r\n"
    ) throws -> (request: String, answer: String) {
        let lists =
            "request: [\(target.joined(separator: ", "))], response: [\(client.joined(separator: ", "))]"
        let bed = try StreamingBed(route: "[{ pool: app, headers: { \(lists) } }]")
        let peer = try bed.client(request)
        let sent = try bed.target().text()
        try bed.target().send(answer)
        try bed.settle()
        return (sent, peer.text())
    }

    private static let get =
        "GET /a/../b?c=d HTTP/1.1\r\nHost: example.com:81\r\nX-A: one\r\nX-Request-Id: 7\r\n\r\n"

    @Test(
        arguments: [
            ("{scheme}", "http"), ("{host}", "example.com"), ("{path}", "/b"), ("{query}", "c=d"),
            ("{method}", "GET"), ("{client_ip}", "127.0.0.1"), ("{request_id}", "7"),
            ("{listener}", "web"), ("{header.x-a}", "one"), ("{header.X-A}", "one"),
            ("{scheme}://{host}{path}?{query}", "http://example.com/b?c=d"),
            ("{{{method}}}", "{GET}"), ("a {{b}}", "a {b}"),
        ]
    )
    func `a value is what the request says, both ways`(text: String, value: String) throws {
        let rule = "{ set: { X-Value: \"\(text)\" } }"
        let (request, answer) = try Self.exchange(Self.get, to: [rule], back: [rule])
        #expect(request.contains("\r\nX-Value: \(value)\r\n"), "\(request)")
        #expect(answer.contains("\r\nX-Value: \(value)\r\n"), "\(answer)")
    }

    @Test(arguments: ["{header.x-none}", "{client_id}"])
    func `a field of which nothing is left is not written, and one that is there goes`(
        text: String
    ) throws {
        let set = "{ set: { X-A: \"\(text)\" } }"
        let add = "{ add: { X-B: \"\(text)\" } }"
        let (request, _) = try Self.exchange(Self.get, to: [set, add])
        #expect(!request.contains("X-A") && !request.contains("X-B"))
    }

    @Test func `an empty text that is written so is an empty field`() throws {
        let (request, _) = try Self.exchange(Self.get, to: ["{ set: { X-A: \"\" } }"])
        #expect(request.contains("\r\nX-A: \r\n"))
    }

    @Test func `a rule's filter changes what is passed on, both ways`() throws {
        let (request, answer) = try Self.exchange(
            Self.get,
            to: ["{ remove: X-A }", "{ rename: { Host2: X } }", "{ add: { Via: \"1.1 relay\" } }"],
            back: ["{ rename: { X-Kept: X-Was } }", "{ remove: Server }"],
            answer: "HTTP/1.1 200 OK\r\nServer: x\r\nX-Kept: k\r\nContent-Length: 0\r\n\r\n"
        )
        #expect(!request.contains("X-A"))
        #expect(request.contains("\r\nVia: 1.1 relay\r\n"))
        #expect(answer.contains("\r\nX-Was: k\r\n") && !answer.contains("Server"))
    }

    @Test func `a filter's word about the connection stands`() throws {
        let (request, _) = try Self.exchange(
            Self.get,
            to: ["{ set: { X-Forwarded-Proto: \"{scheme}s\" } }"]
        )
        #expect(request.contains("\r\nX-Forwarded-Proto: https\r\n"))
        #expect(!request.contains("\r\nX-Forwarded-Proto: http\r\n"))
    }
}

import Testing

/// What browsers are told about pages of other origins, on a listener with `cors`.
struct CrossOriginTests {
    private let origin = "https://app.example.com"

    private func allow(_ file: inout RelayFile) {
        file.listenerKeys = ["cors: { origins: [\"\(self.origin)\"], max_age: 1m }"]
    }

    private func preflight(_ path: String, from origin: String) -> Request {
        Request(method: "OPTIONS", path: path)
            .with("Origin", origin)
            .with("Access-Control-Request-Method", "POST")
            .with("Access-Control-Request-Headers", "authorization,x-mood")
    }

    @Test(arguments: ["/", "/auth", "/register", "/logout"])
    func `a preflight is answered without a token`(path: String) throws {
        try PacketSystem.run(self.allow) { system in
            let client = try system.client()
            let answer = try client.exchange(self.preflight(path, from: self.origin))
            #expect(answer.status == 204)
            #expect(answer.field("Access-Control-Allow-Origin") == self.origin)
            #expect(answer.field("Access-Control-Allow-Methods") == "POST")
            #expect(answer.field("Access-Control-Allow-Headers") == "authorization, x-mood")
            #expect(answer.field("Access-Control-Max-Age") == "60")
            #expect(answer.field("Vary") == "Origin")
            #expect(answer.field("Content-Length") == nil)
            let refused = try client.exchange(self.preflight(path, from: "https://else.example"))
            expectProblem(refused, 403)
            #expect(refused.field("Access-Control-Allow-Origin") == nil)
            #expect(system.backend.received.isEmpty)
        }
    }

    @Test func `a page of a listed origin logs in, sends, and reads all fields`() throws {
        try PacketSystem.run(self.allow) { system in
            let login = try system.exchange(.login("alice").with("Origin", self.origin))
            #expect(login.status == 200)
            #expect(login.field("Access-Control-Allow-Origin") == self.origin)
            let packet = Request.packet(login.text, "hello").with("X-Mood", "good")
            let answer = try system.exchange(packet.with("Origin", self.origin))
            #expect(answer.text == "hello")
            #expect(answer.field("Access-Control-Allow-Origin") == self.origin)
            let exposed = answer.field("Access-Control-Expose-Headers") ?? ""
            #expect(exposed.contains("More"))
            #expect(exposed.contains("Packet-Id"))
            // Who names no origin, or another one, is served as ever.
            let other = try system.exchange(packet.with("Origin", "https://else.example"))
            #expect(other.text == "hello")
            #expect(other.field("Access-Control-Allow-Origin") == nil)
            #expect(other.field("Vary") == "Origin")
        }
    }

    @Test func `a page of a listed origin reads errors, too`() throws {
        try PacketSystem.run({
            self.allow(&$0)
            $0.limits = "header_count: 10, body_size: 10"
            $0.buffer = "packet_size: 10"
        }) { system in
            let token = try system.logIn("alice")
            let small = Request.packet(token, "a")
            var many = small
            for number in 0..<11 { many = many.with("X-\(number)", "a") }
            many.fields.insert(("Origin", self.origin), at: 0)
            var chunked = Request(body: Array("b\r\n0123456789a\r\n0\r\n\r\n".utf8))
                .with("Authorization", "Bearer \(token)")
            chunked = chunked.with("Transfer-Encoding", "chunked")
            var wrong = small
            wrong.method = "PUT"
            let cases: [(Request, Int)] = [
                (.packet("wrong", "a"), 401),
                (.packet(token, "a", to: "bob"), 403),
                (wrong, 405),
                (.packet(token, "0123456789a"), 413),
                (chunked, 413),
                (.login("0123456789a"), 413),
                (many, 431),
            ]
            for (request, status) in cases {
                let isComplete = request.fields.contains { $0.name == "Origin" }
                let answer = try system.exchange(
                    isComplete ? request : request.with("Origin", self.origin)
                )
                expectProblem(answer, status)
                #expect(answer.field("Access-Control-Allow-Origin") == self.origin, "\(status)")
                if status == 405 { #expect(answer.field("Allow") == "POST, OPTIONS") }
                if status == 401 {
                    let exposed = answer.field("Access-Control-Expose-Headers")
                    #expect(exposed == "WWW-Authenticate")
                }
            }
            #expect(system.backend.packets.isEmpty)
        }
    }

    @Test func `a reload allows another origin on the connections that are open`() throws {
        try PacketSystem.run { system in
            let client = try system.client()
            let question = self.preflight("/", from: self.origin)
            let before = try client.exchange(question)
            expectProblem(before, 405)
            #expect(before.field("Allow") == "POST")
            #expect(before.field("Vary") == nil)
            try system.rewrite { $0.listenerKeys = ["cors: { origins: [\"*\"] }"] }
            try system.reloadBySignal()
            let after = try client.exchange(question)
            #expect(after.status == 204)
            #expect(after.field("Access-Control-Allow-Origin") == "*")
            #expect(after.field("Vary") == nil)
        }
    }
}

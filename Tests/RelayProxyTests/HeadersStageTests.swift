import RelayHTTP
import RelayPipeline
import Testing

struct HeadersStageTests {
    /// Answers with what the filters of the exchange let through of the request in its body, and of a
    /// stored answer in its fields.
    private final class Mirror: Stage {
        private let stored = Array("X-One: 1\r\nX-Two: 2\r\nOther: 3\r\n".utf8)

        func requestReceived(
            _ exchange: Exchange,
            _ request: Request,
            _ bytes: Span<UInt8>
        ) -> Verdict {
            var body: [UInt8] = []
            CarriedFields.appendRequest(
                exchange.requestFilters,
                of: exchange,
                request,
                bytes,
                to: &body
            )
            let stored = self.stored
            var fields: [UInt8] = []
            CarriedFields.appendDelivered(
                exchange.responseFilters,
                stored: stored.span,
                to: &fields
            )
            exchange.respond(status: 200, fields: fields.span, body: body.span)
            return .responded
        }
    }

    /// What becomes of a request's fields and of an answer's `X-One`, `X-Two` and `Other`.
    private func mirror(
        _ pipeline: String,
        _ fields: [String],
        takesPackets: Bool = true
    ) throws -> (request: [String], response: Answer) {
        let route = "\n- route: [{ match: { path: /never }, pool: app }]"
        let bed = try ProxyBed(pipeline + route, takesPackets: takesPackets) { [Mirror()] }
        let answer = try bed.get("/", fields)
        let lines = answer.body.split(separator: "\r\n").map(String.init)
        let own = ["X-Request-Id:", "X-Forwarded-", "X-Real-Ip:", "X-Real-IP:"]
        return (lines.filter { line in !own.contains { line.hasPrefix($0) } }, answer)
    }

    @Test func `has its filter count for the request and for the answer`() throws {
        let (request, response) = try self.mirror(
            """
            - headers:
                request: [{ set: { X-Set: relay } }, { remove: X-Secret }]
                response: [{ rename: { X-One: X-Uno } }, { remove: X-Two }]
            """,
            ["X-Secret: s", "X-Set: client", "X-Kept: k"]
        )
        #expect(Set(request) == ["X-Set: relay", "X-Kept: k"])
        #expect(response["x-uno"] == "1")
        #expect(response["x-one"] == nil)
        #expect(response["x-two"] == nil)
    }

    @Test func `adds to the filters before it, for answers in reverse`() throws {
        let (request, response) = try self.mirror(
            """
            - headers: { request: [{ set: { X-Last: first } }], response: [{ set: { X-Last: first } }] }
            - headers: { request: [{ set: { X-Last: second } }], response: [{ set: { X-Last: second } }] }
            """,
            []
        )
        #expect(request == ["X-Last: second"])
        #expect(response["x-last"] == "first")
    }

    @Test func `does not exist for requests that its when excludes`() throws {
        let pipeline = """
            - headers: { request: [{ set: { X-Set: relay } }], response: [{ remove: X-One }] }
              when: { header: { X-Mode: filtered } }
            """
        let with = try self.mirror(pipeline, ["X-Mode: filtered"])
        #expect(Set(with.request) == ["X-Mode: filtered", "X-Set: relay"])
        #expect(with.response["x-one"] == nil)
        let without = try self.mirror(pipeline, ["X-Mode: plain"])
        #expect(without.request == ["X-Mode: plain"])
        #expect(without.response["x-one"] == "1")
    }

    @Test func `carries what is named with pass, else all, or of packets X`()
        throws
    {
        let plain = "- headers: { request: [{ set: { X-Set: relay } }] }"
        let fields = ["Accept: text/plain", "X-Kept: k"]
        let proxied = try self.mirror(plain, fields, takesPackets: false)
        #expect(proxied.request.contains("Accept: text/plain"))
        let packet = try self.mirror(plain, fields, takesPackets: true)
        #expect(Set(packet.request) == ["X-Kept: k", "X-Set: relay"])
        let passing = "- headers: { request: [{ pass: Accept }], response: [{ pass: Other }] }"
        let passed = try self.mirror(passing, fields)
        #expect(passed.request == ["Accept: text/plain"])
        #expect(passed.response["other"] == "3")
        #expect(passed.response["x-one"] == nil)
    }

    @Test func `lets the next stage be asked, and answers nothing itself`() throws {
        let bed = try ProxyBed(
            """
            - headers: { request: [{ set: { X-Set: relay } }] }
            - route: [{ match: { path: /a }, respond: { body: a } }]
            """
        )
        #expect(try bed.get("/a").body == "a")
        #expect(try bed.get("/b").status == 404)
    }
}

import RelayHTTP
import Testing

struct RequestParserTests {
    private func read(_ message: String, limits: HeadLimits = HeadLimits()) throws -> RequestText {
        let transcript = Transcript.read([bytes(message)], limits: limits)
        #expect(transcript.fault == nil)
        return try #require(transcript.requests.first)
    }

    @Test func `describes every part of a request`() throws {
        let message =
            "POST /a/b?c=d?e HTTP/1.1\r\nHost: example.com:8080\r\nX-One:  1 \t\r\nx-two:\r\n"
            + "Content-Length: 3\r\nExpect: 100-Continue\r\n\r\nxyz"
        let request = try self.read(message)
        #expect(request.method == "POST")
        #expect(request.target == "/a/b?c=d?e")
        #expect(request.path == "/a/b")
        #expect(request.query == "c=d?e")
        #expect(request.authority == "example.com:8080")
        #expect(request.fields.map(\.value) == ["example.com:8080", "1", "", "3", "100-Continue"])
        #expect(request.framing == .length(3))
        #expect(request.isKeepAlive)
        #expect(request.expectsContinue)
        #expect(request.body == bytes("xyz"))
        #expect(request.isComplete)
    }

    @Test(arguments: [
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.0\r\n\r\nGET /b HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n"
            + "3;a=b;c=\"d\\\"\"\r\nabc\r\n0010\r\n0123456789abcdef\r\n0\r\nX: y\r\n\r\n"
            + "GET http://h:1/p?q HTTP/1.1\r\nHost: a\r\n\r\n",
        "PUT /x HTTP/1.1\r\nHost: [::1]:80\r\nContent-Length: 005\r\n\r\nhello"
            + "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
        "CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n",
        "BREW /\u{7C}[]{} HTTP/1.1\r\nHost: a\r\nX: caf\u{E9}\r\nConnection: X, close\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
    ])
    func `reads a message alike however it is cut`(message: String) {
        let all = bytes(message)
        let whole = Transcript.read([all])
        #expect(whole.fault == nil)
        #expect(whole.requests.last?.isComplete == true)
        for cuts in cuts(of: all.count) {
            var cut = Transcript.read(pieces(all, cuts: cuts))
            // Where a head begins depends on what was read before it, never on the cut.
            #expect(cut.requests.count == whole.requests.count)
            cut.fault = whole.fault
            #expect(cut == whole, "cut at \(cuts)")
        }
    }

    @Test func `marks hop by hop fields and those that Connection names`() throws {
        let request = try self.read(
            "GET / HTTP/1.1\r\nHost: a\r\nX-Hop: 1\r\nConnection: x-hop, TE\r\nTE: trailers\r\n"
                + "Keep-Alive: 5\r\nX-Stay: 1\r\nx-HOP: 2\r\n\r\n"
        )
        #expect(
            request.fields.map(\.isHopByHop) == [false, true, true, true, true, false, true]
        )
    }

    @Test(arguments: [
        ("HTTP/1.1", "", true), ("HTTP/1.1", "Connection: close\r\n", false),
        ("HTTP/1.1", "Connection: x, Close\r\n", false), ("HTTP/1.0", "", false),
        ("HTTP/1.0", "Connection: Keep-Alive\r\n", true),
        ("HTTP/1.0", "Connection: keep-alive\r\nConnection: close\r\n", false),
    ])
    func `keeps the connection as version and Connection say`(
        version: String,
        field: String,
        isKept: Bool
    ) throws {
        let request = try self.read("GET / \(version)\r\nHost: a\r\n\(field)\r\n")
        #expect(request.isKeepAlive == isKept)
    }

    @Test func `expects 100 Continue only with a body and never on HTTP 1 0`() throws {
        let field = "Host: a\r\nExpect: 100-continue\r\n"
        #expect(try !self.read("POST / HTTP/1.1\r\n\(field)\r\n").expectsContinue)
        #expect(
            try !self.read("POST / HTTP/1.0\r\n\(field)Content-Length: 1\r\n\r\nx").expectsContinue
        )
        #expect(
            try self.read("POST / HTTP/1.1\r\n\(field)Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
                .expectsContinue
        )
    }

    @Test func `an upgrade needs to be named by Connection on HTTP 1 1`() throws {
        let fields = "Host: a\r\nUpgrade: websocket\r\n"
        let named = fields + "Connection: Upgrade\r\n"
        #expect(try self.read("GET / HTTP/1.1\r\n\(named)\r\n").upgrade == "websocket")
        #expect(try self.read("GET / HTTP/1.1\r\n\(fields)\r\n").upgrade == nil)
        #expect(try self.read("GET / HTTP/1.0\r\n\(named)\r\n").upgrade == nil)
    }

    @Test func `the authority of an absolute target replaces Host`() throws {
        let request = try self.read("GET HTTP://real:81?q HTTP/1.1\r\nHost: other\r\n\r\n")
        #expect(request.authority == "real:81")
        #expect(request.path == "")
        #expect(request.query == "q")
    }

    @Test func `finds known fields in constant time and others by name`() throws {
        let message = bytes(
            "GET / HTTP/1.1\r\nHost: a\r\nPACKET-ID: 7\r\nX-A: 1\r\nx-a: 2\r\npacket-id: 8\r\n\r\n"
        )
        var parser = RequestParser()
        var head = RequestHead()
        #expect(parser.parse(message.span, into: &head) == .head)
        let fields = head.fields
        #expect(fields.firstIndex(of: .packetID) == 1)
        #expect(fields.isRepeated(.packetID))
        #expect(fields.nextIndex(of: .packetID, after: 1) == 4)
        #expect(fields.nextIndex(of: .packetID, after: 4) == nil)
        #expect(!fields.contains(.ack))
        #expect(fields.value(of: .ack) == nil)
        #expect(fields.firstIndex(named: bytes("X-a").span, in: message.span) == 2)
        #expect(fields.firstIndex(named: bytes("X-a").span, in: message.span, from: 3) == 3)
        #expect(fields[2].isXField && !fields[1].isXField)
    }

    @Test func `knows every known field by name in any case and no other`() {
        for field in KnownField.allCases where field != .other {
            let name = field.name.description
            #expect(KnownField(name: bytes(name).span) == field)
            #expect(KnownField(name: bytes(name.uppercased()).span) == field)
            #expect(KnownField(name: bytes(name.lowercased()).span) == field)
            #expect(KnownField(name: bytes(name + "x").span) == .other)
            #expect(KnownField(name: bytes(String(name.dropLast()) + "_").span) == .other)
        }
        #expect(KnownField.allCases.count <= 64)
    }

    @Test func `knows every method and is strict about its case`() {
        for method in Method.allCases where method != .other {
            #expect(Method(name: bytes(method.name.description).span) == method)
            #expect(Method(name: bytes(method.name.description.lowercased()).span) == .other)
        }
        #expect(Method(name: bytes("GETS").span) == .other)
        #expect(Method(name: bytes("PROPFINDALL").span) == .other)
    }

    @Test func `a head may be exactly as large as its limit`() {
        let message = "GET / HTTP/1.1\r\nHost: a\r\nX: 123456789\r\n\r\n"
        let count = message.utf8.count
        for cuts in cuts(of: count) {
            let pieces = pieces(bytes(message), cuts: cuts)
            let exact = Transcript.read(pieces, limits: HeadLimits(bytesMax: count))
            #expect(exact.fault == nil && exact.requests.count == 1)
            let short = Transcript.read(pieces, limits: HeadLimits(bytesMax: count - 1))
            #expect(short.fault == .headTooLarge)
            let tiny = Transcript.read(pieces, limits: HeadLimits(bytesMax: 12))
            #expect(tiny.fault == .targetTooLong)
        }
    }

    @Test func `the number of fields is limited`() {
        let message = bytes("GET / HTTP/1.1\r\nHost: a\r\nA: b\r\nC: d\r\n\r\n")
        for cuts in cuts(of: message.count) {
            let pieces = pieces(message, cuts: cuts)
            #expect(Transcript.read(pieces, limits: HeadLimits(fieldsMax: 3)).fault == nil)
            #expect(
                Transcript.read(pieces, limits: HeadLimits(fieldsMax: 2)).fault == .tooManyFields
            )
        }
    }

    @Test func `a head has begun with its first byte behind an empty line`() {
        var parser = RequestParser()
        var head = RequestHead()
        #expect(parser.parse(bytes("\r\n").span, into: &head) == .incomplete)
        #expect(!parser.hasBegun)
        #expect(parser.parse(bytes("\r\nG").span, into: &head) == .incomplete)
        #expect(parser.hasBegun)
        parser.reset()
        #expect(!parser.hasBegun)
        #expect(
            parser.parse(bytes("GET / HTTP/1.0\r\n\r\n").span, into: &head) == .head
        )
        #expect(!parser.hasBegun)
    }
}

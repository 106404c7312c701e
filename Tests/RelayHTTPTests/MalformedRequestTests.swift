import RelayHTTP
import Testing

/// A connection's bytes and the status that they must end in.
struct MalformedRequest: CustomTestStringConvertible {
    var status: UInt16
    var message: String

    init(_ status: UInt16, _ message: String) {
        self.status = status
        self.message = message
    }

    /// A request for `/` with more field lines and a body.
    static func fields(_ status: UInt16, _ lines: String, body: String = "") -> MalformedRequest {
        MalformedRequest(status, "POST / HTTP/1.1\r\nHost: a\r\n\(lines)\r\n\r\n\(body)")
    }

    /// A chunked body.
    static func chunks(_ body: String) -> MalformedRequest {
        .fields(400, "Transfer-Encoding: chunked", body: body)
    }

    var testDescription: String { "\(self.status) \(self.message.debugDescription.prefix(120))" }
}

struct MalformedRequestTests {
    static let requestLines: [MalformedRequest] = [
        (400, "GET /"), (400, "GET / "), (400, "GET  / HTTP/1.1"), (400, "GET /  HTTP/1.1"),
        (400, "GET / HTTP/1.1 "), (400, " GET / HTTP/1.1"), (400, "GET\t/ HTTP/1.1"),
        (400, "GET /\tHTTP/1.1"), (400, "GET / HTTP/1.1\t"), (400, "GET / a HTTP/1.1"),
        (400, "GET HTTP/1.1"), (400, "/ HTTP/1.1"), (400, "GET/ HTTP/1.1"), (400, "HTTP/1.1"),
        (400, "GET / http/1.1"), (400, "GET / HTTP/1,1"), (400, "GET / HTTP/11"),
        (400, "GET / HTTP/1.1.1"), (400, "GET / HTTP/01.1"), (400, "GET / HTTP/1.01"),
        (400, "GET / HTTP/1."), (400, "GET / HTTP/.1"), (400, "GET / HTTP 1.1"),
        (400, "GET / HTPP/1.1"), (400, "GET / HTTPS/1.1"), (400, "GET / HTTP/a.1"),
        (400, "GET / HTTP/1.a"), (400, "GET / HTTP/+1.1"), (400, "GET / ICE/1.0"),
        (505, "GET / HTTP/0.9"), (505, "GET / HTTP/1.2"), (505, "GET / HTTP/1.9"),
        (505, "GET / HTTP/2.0"), (505, "PRI * HTTP/2.0"), (505, "GET / HTTP/3.0"),
        (505, "GET / HTTP/0.0"), (505, "GET / HTTP/9.9"),
        (400, "GET a HTTP/1.1"), (400, "GET a/b HTTP/1.1"), (400, "GET ?q HTTP/1.1"),
        (400, "GET * HTTP/1.1"), (400, "OPTIONS ** HTTP/1.1"), (400, "POST * HTTP/1.1"),
        (400, "GET example.com HTTP/1.1"), (400, "GET example.com:80 HTTP/1.1"),
        (400, "GET //#f HTTP/1.1"), (400, "GET /#f HTTP/1.1"), (400, "GET /a?b#c HTTP/1.1"),
        (400, "GET /\u{80} HTTP/1.1"), (400, "GET /\u{FF} HTTP/1.1"),
        (400, "GET /?\u{E4} HTTP/1.1"), (400, "GET ftp://a/ HTTP/1.1"),
        (400, "GET http:/a/ HTTP/1.1"), (400, "GET http:a HTTP/1.1"),
        (400, "GET http:// HTTP/1.1"), (400, "GET http:/// HTTP/1.1"),
        (400, "GET http://?q HTTP/1.1"), (400, "GET http://u@a/ HTTP/1.1"),
        (400, "GET http://u:p@a/ HTTP/1.1"), (400, "GET http://a:/ HTTP/1.1"),
        (400, "GET http://a:65536/ HTTP/1.1"), (400, "GET http://a:b/ HTTP/1.1"),
        (400, "GET http://[::1/ HTTP/1.1"), (400, "GET http://[::1]a/ HTTP/1.1"),
        (400, "GET http://a#f HTTP/1.1"), (400, "GET http://a\\b/ HTTP/1.1"),
        (400, "CONNECT / HTTP/1.1"), (400, "CONNECT a HTTP/1.1"), (400, "CONNECT a: HTTP/1.1"),
        (400, "CONNECT a:99999 HTTP/1.1"), (400, "CONNECT http://a:1/ HTTP/1.1"),
        (400, "CONNECT * HTTP/1.1"), (400, "CONNECT a:80/x HTTP/1.1"),
        (400, "CONNECT u@a:80 HTTP/1.1"), (400, "CONNECT :80 HTTP/1.1"),
        (400, "G\u{80}T / HTTP/1.1"), (400, "GET,POST / HTTP/1.1"), (400, "GET: / HTTP/1.1"),
        (400, "\"GET\" / HTTP/1.1"), (400, "G(T / HTTP/1.1"), (400, "G/T / HTTP/1.1"),
        (400, "{} / HTTP/1.1"), (400, "G@T / HTTP/1.1"), (400, "[G] / HTTP/1.1"),
        (400, "\u{16}\u{3}\u{1}\u{2}\u{0} / HTTP/1.1"),
    ].map { MalformedRequest($0.0, "\($0.1)\r\nHost: a\r\n\r\n") }

    static let lineEnds: [MalformedRequest] = [
        "GET / HTTP/1.1\nHost: a\n\n", "GET / HTTP/1.1\r\nHost: a\n\r\n",
        "GET / HTTP/1.1\nHost: a\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\n\n",
        "GET / HTTP/1.1\r\nHost: a\r\rX: b\r\n\r\n", "GET / HTTP/1.1\rHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\r\nHost: a\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\n\r\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX: a\nb: c\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX\r: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n\rX: a\r\n\r\n",
        "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "\rGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "\r\n\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        " \r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "\u{0}\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\n\nHost: a\r\n\r\n", "GET /\r HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /\n HTTP/1.1\r\nHost: a\r\n\r\n", "GET / HTTP/1.1\u{85}\r\nHost: a\r\n\r\n",
        "\u{EF}\u{BB}\u{BF}GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    ].map { MalformedRequest(400, $0) }

    /// Every control byte at every kind of place.
    static let controlBytes: [MalformedRequest] = (Array(0...31) + [127]).filter {
        ![9, 10, 13].contains($0)
    }.flatMap { (byte: UInt8) -> [MalformedRequest] in
        let mark = text([byte])
        return [
            "G\(mark)T / HTTP/1.1\r\nHost: a\r\n\r\n", "GET /\(mark) HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET / HTTP/1.1\(mark)\r\nHost: a\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nX\(mark)Y: b\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nX: 0123456789\(mark)\r\n\r\n",
        ].map { MalformedRequest(400, $0) }
    }

    /// Every visible byte that is not part of a token, within, before and behind a name.
    static let fieldNames: [MalformedRequest] =
        bytes("\"(),/;<=>?@[\\]{} \t\u{80}\u{E9}\u{FF}").flatMap {
            (byte: UInt8) -> [MalformedRequest] in
            let mark = text([byte])
            return ["X\(mark)Y: b", "Xy\(mark): b", "\(mark)Xy: b"].map {
                MalformedRequest.fields(400, $0)
            }
        }
        + [
            .fields(400, ": b"), .fields(400, " : b"), .fields(400, "X"), .fields(400, "X b"),
            .fields(400, "X: a\r\n b"), .fields(400, "X: a\r\n\tb"),
            .fields(400, "X: a\r\n \r\nY: c"),
            .fields(400, " X: a"), .fields(400, "Content-Length : 0"),
            .fields(400, "Content-Length\t: 0"), .fields(400, "Transfer-Encoding : chunked"),
            .fields(400, "Transfer-Encoding\t:chunked"), .fields(400, "Host : b"),
            MalformedRequest(400, "GET / HTTP/1.1\r\n Host: a\r\nHost: a\r\n\r\n"),
            MalformedRequest(400, "GET / HTTP/1.1\r\nHost : a\r\n\r\n"),
        ]

    static let lengths: [MalformedRequest] =
        [
            "", " ", "+1", "-1", "1 1", "1,1", "1, 1", "0x1", "1.0", "1e1", "a", "1a", "\u{B2}",
            "1;", "\"1\"", "9223372036854775808", "18446744073709551615", "18446744073709551616",
            "99999999999999999999999999", "-0", "1_0", "1\t1", "0,", ",0", "NaN",
        ].map { MalformedRequest.fields(400, "Content-Length: \($0)", body: "x") }
        + [
            .fields(400, "Content-Length: 1\t", body: "x"),
            .fields(400, "Content-Length:\t1", body: "x"),
            .fields(400, "Content-Length: 1 \t ", body: "x"),
            .fields(400, "Content-Length: 1\r\nContent-Length: 1", body: "x"),
            .fields(400, "Content-Length: 1\r\nContent-Length: 2", body: "xy"),
            .fields(400, "Content-Length: 1\r\ncontent-length: 1", body: "x"),
            .fields(400, "Content-Length: 0\r\nX: y\r\nContent-Length:"),
            .fields(400, "Content-Length: 5\r\nTransfer-Encoding: chunked", body: "0\r\n\r\n"),
            .fields(400, "Transfer-Encoding: chunked\r\nContent-Length: 5", body: "0\r\n\r\n"),
            .fields(400, "Content-Length: x\r\nTransfer-Encoding: chunked", body: "0\r\n\r\n"),
            .fields(400, "Transfer-Encoding:\r\nContent-Length: 5", body: "hello"),
            .fields(400, "Transfer-Encoding: identity\r\nContent-Length: 5", body: "hello"),
        ]

    static let codings: [MalformedRequest] =
        [
            "", "identity", "gzip", "chunked, chunked", "chunked, gzip", "chunked,gzip, chunked",
            "xchunked", "chunkedx", "chunked;q=1", "\"chunked\"", "'chunked'", "chunked, identity",
            "chunk", "chunked chunked", "x, y", "\u{FF}chunked", "chunked\u{A0}", "cow",
            "gzip;a, chunked",
            "chunked,", ", chunked", ", chunked,, chunked", "chunke\u{212A}",
        ].map { MalformedRequest.fields(400, "Transfer-Encoding: \($0)", body: "0\r\n\r\n") }
        + [
            "gzip, chunked", "x, y, chunked", "identity, chunked", "deflate,chunked",
            "gzip,, chunked",
        ]
        .map {
            MalformedRequest.fields(501, "Transfer-Encoding: \($0)", body: "0\r\n\r\n")
        }
        + [
            .fields(400, "Transfer-Encoding: chunked\t", body: "0\r\n\r\n"),
            .fields(400, "Transfer-Encoding:\tchunked", body: "0\r\n\r\n"),
            .fields(400, "Transfer-Encoding: gzip, chunked\t", body: "0\r\n\r\n"),
            .fields(400, "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"),
            .fields(400, "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked"),
            .fields(400, "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity"),
            MalformedRequest(
                400,
                "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
            ),
            MalformedRequest(
                400,
                "POST / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n"
                    + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
            ),
            MalformedRequest(
                400,
                "POST / HTTP/1.0\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\nx"
            ),
        ]

    static let hosts: [MalformedRequest] =
        [
            "", " ", "a b", "a\tb", "a/b", "a?b", "a#b", "u@a", "u:p@a", "http://a", "a:",
            "a:x", "a:-1", "a:+1", "a:65536", "a:99999999999999999999", "a:80:80", "a: 80", ":80",
            ":", "[", "]", "[]", "[::1", "::1", "[::1]x", "[::1]:", "[:::1]", "[1::2::3]",
            "[12345::]", "[g::]", "[1:2:3:4:5:6:7]", "[1:2:3:4:5:6:7:8:9]", "[::1%25eth0]",
            "[::1%eth0]", "[v1.a]", "[1:2:3:4:5:6:7:1.2.3.4]", "[::1.2.3]", "[::1.2.3.256]",
            "[::01.2.3.4]", "[1:]", "[:1]", "[1.2.3.4]", "a%", "a%2", "a%zz", "a\\b", "a\"b", "<a>",
            "a^b", "a`b", "{a}", "a|b", "caf\u{E9}", "\u{80}", "[::1]]", "[[::1]]",
        ].map {
            MalformedRequest(400, "GET / HTTP/1.1\r\nHost: \($0)\r\n\r\n")
        }
        + [
            MalformedRequest(400, "GET / HTTP/1.1\r\n\r\n"),
            MalformedRequest(400, "GET / HTTP/1.1\r\nX: a\r\n\r\n"),
            MalformedRequest(400, "GET http://a/ HTTP/1.1\r\n\r\n"),
            MalformedRequest(400, "GET http://a/ HTTP/1.1\r\nHost: @\r\n\r\n"),
            MalformedRequest(400, "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"),
            MalformedRequest(400, "GET / HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n"),
            MalformedRequest(400, "GET / HTTP/1.0\r\nHost: a\r\nHOST: a\r\n\r\n"),
            MalformedRequest(400, "GET / HTTP/1.0\r\nHost: a b\r\n\r\n"),
            MalformedRequest(400, "GET / HTTP/1.0\r\nHost:\r\n\r\n"),
        ]

    static let connections: [MalformedRequest] =
        [
            "Host", "host", "Content-Length", "content-length", "Authorization", "Cookie", "COOKIE",
            "X-Forwarded-For", "x-forwarded-proto", "X-Forwarded-Host", "X-Forwarded-Anything",
            "close, Host", "keep-alive, Cookie", "a b", "a;b", "\"a\"", "close\u{FF}", "a=b",
            "close, a/b", "(x)", String(repeating: "a,", count: 33),
        ].map { MalformedRequest.fields(400, "Connection: \($0)") }
        + [.fields(400, "Connection: close\r\nConnection: authorization")]

    static let chunked: [MalformedRequest] = [
        "\r\n", "g\r\n", "-1\r\n", "+1\r\nx\r\n0\r\n\r\n", " 1\r\nx\r\n0\r\n\r\n",
        "1 \r\nx\r\n0\r\n\r\n", "\t1\r\nx\r\n", "1\t\r\nx\r\n", "0x1\r\nx\r\n", "1\nx\r\n0\r\n\r\n",
        "1\r\nx\n0\r\n\r\n", "1\r\nx0\r\n\r\n", "1\r\nxy\r\n0\r\n\r\n", "2\r\nx\r\n0\r\n\r\n",
        "1\rx\r\n", "1\r\nx\r0\r\n", "1\r\r\nx\r\n", "00000000000000001\r\nx\r\n",
        "FFFFFFFFFFFFFFFF\r\n", "8000000000000000\r\n", "10000000000000000\r\n",
        "fffffffffffffffff\r\n", "1_0\r\n", "1.\r\nx\r\n", "1,\r\nx\r\n", "1=\r\nx\r\n",
        ";\r\nx\r\n",
        ";a\r\n", "1;\r\nx\r\n", "1;;a\r\nx\r\n", "1; a\r\nx\r\n", "1 ;a\r\nx\r\n", "1;a \r\nx\r\n",
        "1;a =b\r\nx\r\n", "1;a= b\r\nx\r\n", "1;a=\r\nx\r\n", "1;=b\r\nx\r\n", "1;a=\"\r\nx\r\n",
        "1;a=\"b\r\nx\r\n", "1;a=\"b\"c\r\nx\r\n", "1;a=\"\\\r\n\"\r\nx\r\n", "1;a\nx\r\n",
        "1;a\rx\r\n", "1;a\u{0}\r\nx\r\n", "1;a=b\u{7F}\r\nx\r\n", "1;a\u{FF}\r\nx\r\n",
        "1;a=\"\u{1}\"\r\nx\r\n", "1;a=b=c\r\nx\r\n", "1;a=b\nGET /admin HTTP/1.1\r\n\r\n",
        "1\r\nx\r\n\r\n", "1\r\nx\r\n0\r\nX\r\n\r\n", "0\r\n: y\r\n\r\n", "0\r\nX : y\r\n\r\n",
        "0\r\n X: y\r\n\r\n", "0\r\nX: y\r\n z\r\n\r\n", "0\r\nX: y\n\r\n", "0\r\nX: \u{0}\r\n\r\n",
        "0\r\n\n", "0\r\n\r\r\n", "0\n\r\n", "0\r\nX: a\rb\r\n\r\n", "0\r\nX y: z\r\n\r\n",
        "0\r\n\u{80}: z\r\n\r\n", "0\rX", "0;\r\n\r\n", "1\u{0}\r\nx\r\n", "\u{FF}\r\n",
    ].map { MalformedRequest.chunks($0) }

    static let all =
        Self.requestLines + Self.lineEnds + Self.controlBytes + Self.fieldNames + Self.lengths
        + Self.codings + Self.hosts + Self.connections + Self.chunked

    @Test(arguments: Self.all)
    func `refuses what RFC 9112 does not allow`(request: MalformedRequest) {
        let all = bytes(request.message)
        let whole = Transcript.read([all])
        #expect(whole.fault?.status == request.status)
        #expect(whole.fault?.closesConnection == true)
        for cuts in cuts(of: all.count) {
            let cut = Transcript.read(pieces(all, cuts: cuts))
            #expect(cut == whole, "cut at \(cuts)")
        }
    }

    @Test func `the table is large and has no case twice`() {
        #expect(Self.all.count >= 300)
        #expect(Set(Self.all.map(\.message)).count == Self.all.count)
    }

    @Test func `refuses what is too large`() {
        let long = String(repeating: "a", count: 40_000)
        let cases: [(UInt16, String)] = [
            (414, "GET /\(long) HTTP/1.1\r\nHost: a\r\n\r\n"), (414, "\(long) / HTTP/1.1\r\n\r\n"),
            (431, "GET / HTTP/1.1\r\nHost: a\r\nX: \(long)\r\n\r\n"),
            (431, "GET / HTTP/1.1\r\nHost: a\r\n\(long): b\r\n\r\n"),
            (
                431,
                "GET / HTTP/1.1\r\nHost: a\r\n" + String(repeating: "A: b\r\n", count: 100)
                    + "\r\n"
            ),
            (414, String(repeating: "a", count: 40_000)),
            (
                400,
                "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;\(long)\r\nx\r\n"
            ),
            (
                431,
                "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: \(long)"
            ),
        ]
        for (status, message) in cases {
            let all = bytes(message)
            let whole = Transcript.read([all])
            #expect(whole.fault?.status == status)
            for size in [1000, 4096, 32_768] {
                let cuts = Array(stride(from: size, to: all.count, by: size))
                #expect(Transcript.read(pieces(all, cuts: cuts)).fault == whole.fault)
            }
        }
    }

    @Test func `every fault has a status and a sentence`() {
        for fault in RequestFault.allCases {
            #expect([400, 408, 413, 414, 429, 431, 501, 505].contains(fault.status))
            #expect(fault.detail.description.hasSuffix("."))
        }
        #expect(RequestFault.timeout.status == 408)
        #expect(RequestFault.bodyTooLarge.status == 413)
    }
}

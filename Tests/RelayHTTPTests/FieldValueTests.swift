import RelayHTTP
import Testing

struct FieldValueTests {
    private func members(_ value: String, quoted: Bool = false) -> [String] {
        let value = bytes(value)
        var members = ListMembers(ByteRange(0..<value.count), quoted: quoted)
        var found: [String] = []
        while let member = members.next(in: value.span) { found.append(text(member, in: value)) }
        return found
    }

    @Test func `lists skip empty members and white space`() {
        #expect(self.members("") == [])
        #expect(self.members(" , ,\t,") == [])
        #expect(self.members("a") == ["a"])
        #expect(self.members(" a ,b,, c d\t") == ["a", "b", "c d"])
    }

    @Test func `a comma in quotes separates only where quotes do not count`() {
        #expect(self.members(#"a="b,c", d"#) == [#"a="b"#, #"c""#, "d"])
        #expect(self.members(#"a="b,c", d"#, quoted: true) == [#"a="b,c""#, "d"])
        #expect(self.members(#"a="b\",c", d"#, quoted: true) == [#"a="b\",c""#, "d"])
        #expect(self.members(#"a="b\"#, quoted: true) == [#"a="b\"#])
    }

    @Test(arguments: [
        ("Bearer abc", "abc"), ("bearer  a.b-c=", "a.b-c="), ("BEARER caf\u{E9} x", "caf\u{E9} x"),
        ("Bearer", nil), ("Bearer ", nil), ("Basic abc", nil), ("Bearerabc", nil), ("", nil),
    ])
    func `finds the bearer token`(value: String, token: String?) {
        let value = bytes(value)
        let range = FieldValue.bearerToken(value.span)
        #expect(range.map { text($0, in: value) } == token)
    }

    @Test(arguments: [
        ("0", 0), ("120", 120), ("99999999999999999999999", UInt32.max), ("", nil), ("-1", nil),
        ("1.5", nil),
        ("Fri, 31 Dec 1999 23:59:59 GMT", 0), ("Sun, 06 Nov 2033 08:49:37 GMT", 37),
        ("Sunday, 06-Nov-33 08:49:37 GMT", 37), ("Sun Nov  6 08:50:00 2033", 60),
        ("Thu, 29 Feb 2040 00:00:00 GMT", 199_206_660), ("Fri, 31 Dec 9999 23:59:59 GMT", .max),
        (" 1", nil), ("Sun, 06 Nov", nil), ("Sun, 06 Foo 2033 08:49:37 GMT", nil),
        ("Sun, 32 Nov 2033 08:49:37 GMT", nil), ("Sun, 06 Nov 99999 08:49:37 GMT", nil),
        ("Sun, 06 Nov 2033 24:49:37 GMT", nil), ("soon", nil),
    ])
    func `reads the seconds of Retry After`(value: String, seconds: UInt32?) {
        #expect(FieldValue.retryAfterSeconds(bytes(value).span, at: 2_014_879_740) == seconds)
    }

    @Test(arguments: [
        ("timeout=5", 5), ("max=100, Timeout = 7", 7), ("max=100", nil), ("timeout=x", nil),
        ("timeout", nil),
    ])
    func `reads the timeout of Keep Alive`(value: String, seconds: UInt32?) {
        #expect(FieldValue.keepAliveTimeoutSeconds(bytes(value).span) == seconds)
    }

    @Test(arguments: [
        ("Prefer: wait=10", 10), ("Prefer: WAIT = 0", 0), ("Prefer: respond-async, wait=3", 3),
        ("Prefer: a=\"x, wait=9\", wait=3;p=q", 3), ("Prefer: x\r\nPrefer: wait=4, wait=5", 4),
        ("Prefer: wait=", nil), ("Prefer: wait", nil), ("Prefer: wait=-1", nil),
        ("Prefer: wait=1s", nil),
        ("Prefer: waiting=1", nil), ("Prefer: wait=99999999999", UInt32.max), ("X: wait=1", nil),
    ])
    func `reads how long a client would wait`(field: String, seconds: UInt32?) {
        let message = bytes("GET / HTTP/1.0\r\n\(field)\r\n\r\n")
        var parser = RequestParser()
        var head = RequestHead()
        #expect(parser.parse(message.span, into: &head) == .head)
        #expect(head.fields.preferredWaitSeconds(in: message.span) == seconds)
    }

    @Test func `finds a token in a list in any case`() {
        let isListed = { FieldValue.list(bytes($0).span, contains: "accept-debug") }
        #expect(isListed("a, Accept-Debug"))
        #expect(!isListed("a, Accept-Debugger"))
    }

    @Test(arguments: [
        ("0", 0), ("007", 7), ("18446744073709551615", UInt64.max), ("18446744073709551616", nil),
        ("", nil), ("+1", nil), ("1 ", nil), ("99999999999999999999", nil),
    ])
    func `reads decimal numbers that fit`(value: String, number: UInt64?) {
        #expect(UInt64(decimal: bytes(value).span) == number)
    }

    @Test func `tells tokens and field values`() {
        let isToken = { bytes($0).span.isToken }
        #expect(isToken("a!#$%&'*+-.^_`|~Z9"))
        #expect(!isToken("a b") && !isToken(""))
        let isFieldValue = { bytes($0).span.isFieldValue }
        #expect(isFieldValue("a \t\u{FF}b") && isFieldValue(""))
        for value in [" a", "a\t", "a\r", "a\nb", "\u{0}", "aaaaaaaaaaaa\u{7F}a"] {
            #expect(!isFieldValue(value))
        }
    }

    @Test(arguments: [
        ("example.com", "example.com", nil, Authority.Kind.name), ("a:80", "a", 80, .name),
        ("127.0.0.1:65535", "127.0.0.1", 65535, .ipv4), ("1.2.3", "1.2.3", nil, .name),
        ("256.1.1.1", "256.1.1.1", nil, .name), ("01.2.3.4", "01.2.3.4", nil, .name),
        ("[::]", "::", nil, .ipv6), ("[2001:db8::1]:8080", "2001:db8::1", 8080, .ipv6),
        ("[1:2:3:4:5:6:7:8]", "1:2:3:4:5:6:7:8", nil, .ipv6), ("[1::8]", "1::8", nil, .ipv6),
        ("[::ffff:1.2.3.4]", "::ffff:1.2.3.4", nil, .ipv6), ("[1::]", "1::", nil, .ipv6),
        ("[1:2:3:4:5:6:1.2.3.4]", "1:2:3:4:5:6:1.2.3.4", nil, .ipv6),
        ("a%20b", "a%20b", nil, .name),
    ])
    func `splits host and port`(
        value: String,
        host: String,
        port: UInt16?,
        kind: Authority.Kind
    ) throws {
        let value = bytes("x" + value + "y")
        let range = ByteRange(1..<(value.count - 1))
        let found = Authority(range, in: value.span)
        let authority = try #require(found)
        #expect(text(authority.host, in: value) == host)
        #expect(authority.port == port)
        #expect(authority.kind == kind)
        #expect(authority.whole == range)
    }
}

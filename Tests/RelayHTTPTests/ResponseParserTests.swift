import RelayHTTP
import Testing

struct ResponseParserTests {
    private func parse(
        _ message: String,
        to method: Method = .get,
        cuts: [Int] = []
    ) -> (ResponseParser.Outcome, ResponseHead) {
        var parser = ResponseParser()
        var head = ResponseHead()
        var outcome = ResponseParser.Outcome.incomplete
        let all = bytes(message)
        for count in cuts + [all.count] where outcome == .incomplete {
            var other = ResponseParser()
            _ = other.parse(
                bytes("HTTP/1.0 404 x\r\nA: b\r\n\r\n").span,
                answering: .get,
                into: &head
            )
            outcome = parser.parse(
                all.span.extracting(0..<count),
                answering: method,
                into: &head
            )
        }
        return (outcome, head)
    }

    @Test func `describes every part of a response`() {
        let message = "HTTP/1.1 200 Very OK\r\nServer: x\r\nContent-Length: 5\r\n\r\nhello"
        for cuts in cuts(of: message.utf8.count) {
            let (outcome, head) = self.parse(message, cuts: cuts)
            #expect(outcome == .head)
            #expect(head.status == 200)
            #expect(text(head.reason, in: bytes(message)) == "Very OK")
            #expect(head.framing == .length(5))
            #expect(head.fields.count == 2)
            #expect(head.isKeepAlive && !head.isInterim)
            #expect(head.byteCount == message.utf8.count - 5)
        }
    }

    @Test(arguments: [
        ("HTTP/1.1 200", "", Method.get, BodyFraming.untilClose, false),
        ("HTTP/1.1 200 ", "Content-Length: 0\r\n", .get, .length(0), true),
        ("HTTP/1.1 200 OK", "Transfer-Encoding: chunked\r\n", .get, .chunked, true),
        ("HTTP/1.1 200 OK", "Content-Length: 9\r\n", .head, .none, true),
        ("HTTP/1.1 200 OK", "Transfer-Encoding: chunked\r\n", .head, .none, true),
        ("HTTP/1.1 304 x", "Content-Length: 9\r\n", .get, .none, true),
        ("HTTP/1.1 204 x", "", .get, .none, true),
        ("HTTP/1.1 204 x", "Content-Length: 0\r\n", .get, .none, true),
        ("HTTP/1.1 204 x", "Content-Length: 9\r\n", .get, .none, false),
        ("HTTP/1.1 204 x", "Transfer-Encoding: chunked\r\n", .get, .none, false),
        ("HTTP/1.1 100 x", "", .get, .none, true), ("HTTP/1.1 101 x", "", .get, .none, true),
        ("HTTP/1.1 200 x", "", .connect, .none, true),
        ("HTTP/1.1 403 x", "Content-Length: 2\r\n", .connect, .length(2), true),
        ("HTTP/1.0 200 OK", "Content-Length: 2\r\n", .get, .length(2), false),
        (
            "HTTP/1.0 200 OK", "Content-Length: 2\r\nConnection: keep-alive\r\n", .get, .length(2),
            true
        ),
        ("HTTP/1.1 200 OK", "Content-Length: 2\r\nConnection: close\r\n", .get, .length(2), false),
        ("HTTP/1.1 999 caf\u{E9}\tx", "Content-Length: 2\r\n", .get, .length(2), true),
    ])
    func `frames the body as status method and fields say`(
        line: String,
        fields: String,
        method: Method,
        framing: BodyFraming,
        isKept: Bool
    ) {
        let (outcome, head) = self.parse("\(line)\r\n\(fields)\r\n", to: method)
        #expect(outcome == .head)
        #expect(head.framing == framing)
        #expect(head.isKeepAlive == isKept)
    }

    @Test func `tells the length that HEAD and 304 announce`() {
        let (_, head) = self.parse("HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n", to: .head)
        #expect(head.announcedLength == 7)
    }

    @Test(arguments: [
        ("HTTP/1.1 200 OK\nX: y\n\n", ResponseFault.controlByte),
        ("HTTP/1.1 200 O\u{0}K\r\n\r\n", .controlByte),
        ("HTTP/1.1 200 OK\r\nX: a\rb\r\n\r\n", .controlByte),
        ("\r\nHTTP/1.1 200 OK\r\n\r\n", .malformedStatusLine),
        ("HTTP/1.1  200 OK\r\n\r\n", .malformedStatusLine),
        ("HTTP/1.1 20 OK\r\n\r\n", .malformedStatusLine),
        ("HTTP/1.1 2000 OK\r\n\r\n", .malformedStatusLine),
        ("HTTP/1.1 099 OK\r\n\r\n", .malformedStatusLine),
        ("HTTP/1.1 +20 OK\r\n\r\n", .malformedStatusLine),
        ("HTTP/1.1 200\tOK\r\n\r\n", .malformedStatusLine),
        ("ICY 200 OK\r\n\r\n", .malformedStatusLine),
        ("http/1.1 200 OK\r\n\r\n", .malformedStatusLine),
        ("HTTP/1.2 200 OK\r\n\r\n", .unsupportedVersion),
        ("HTTP/2.0 200 OK\r\n\r\n", .unsupportedVersion),
        ("HTTP/1.1 200 OK\r\nX : y\r\n\r\n", .malformedFieldName),
        ("HTTP/1.1 200 OK\r\n: y\r\n\r\n", .malformedFieldName),
        ("HTTP/1.1 200 OK\r\nX: y\r\n z\r\n\r\n", .foldedField),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
            .repeatedContentLength
        ),
        ("HTTP/1.1 200 OK\r\nContent-Length: 1,1\r\n\r\n", .malformedContentLength),
        ("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", .malformedContentLength),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            .conflictingFraming
        ),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", .malformedTransferEncoding),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\n", .malformedTransferEncoding),
        ("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", .malformedTransferEncoding),
        ("HTTP/1.1 100 C\r\nTransfer-Encoding: chunked\r\n\r\n", .malformedTransferEncoding),
        ("HTTP/1.1 103 E\r\nContent-Length: 1\r\n\r\n", .bodyOnInterim),
        ("HTTP/1.1 200 OK\r\nConnection: a b\r\n\r\n", .malformedConnection),
    ])
    func `refuses malformed responses however they are cut`(message: String, fault: ResponseFault) {
        for cuts in cuts(of: message.unicodeScalars.count) {
            #expect(self.parse(message, cuts: cuts).0 == .failed(fault), "cut at \(cuts)")
        }
        #expect(!fault.detail.description.isEmpty)
    }

    @Test func `limits the head`() {
        let message = "HTTP/1.1 200 OK\r\nA: b\r\nC: d\r\n\r\n"
        var head = ResponseHead()
        var small = ResponseParser(limits: HeadLimits(bytesMax: 20))
        #expect(
            small.parse(bytes(message).span, answering: .get, into: &head) == .failed(.headTooLarge)
        )
        var few = ResponseParser(limits: HeadLimits(fieldsMax: 1))
        #expect(
            few.parse(bytes(message).span, answering: .get, into: &head) == .failed(.tooManyFields)
        )
    }
}

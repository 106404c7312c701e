import RelayHTTP
import Testing

struct EncodingTests {
    private func encode(_ body: (inout [UInt8]) -> Void) -> String {
        var output: [UInt8] = []
        body(&output)
        return text(output)
    }

    @Test func `encodes a response head`() {
        let date = HTTPDate(unixSeconds: 784_111_777)
        let head = self.encode {
            $0.appendStatusLine(200)
            $0.appendDate(date)
            $0.appendField(.more, 3)
            $0.appendField(.contentType, "text/plain")
            $0.appendField(bytes("X-A").span, bytes("b").span)
            $0.appendFraming(.length(0))
            $0.appendEndOfHead()
        }
        #expect(
            head == "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nMore: 3\r\n"
                + "Content-Type: text/plain\r\nX-A: b\r\nContent-Length: 0\r\n\r\n"
        )
    }

    @Test func `encodes request lines with prefix and query`() {
        let line = { (prefix: String, path: String, query: String?) in
            self.encode {
                let queryBytes = query.map(bytes)
                $0.appendRequestLine(
                    methodName: bytes("GET").span,
                    prefix: bytes(prefix).span,
                    path: bytes(path).span,
                    query: queryBytes?.span
                )
            }
        }
        #expect(line("", "/a", nil) == "GET /a HTTP/1.1\r\n")
        #expect(line("/p", "/a", "") == "GET /p/a? HTTP/1.1\r\n")
        #expect(line("/p/", "/a", "x=y") == "GET /p/a?x=y HTTP/1.1\r\n")
        let own = self.encode { $0.appendRequestLine(.post, target: bytes("/e").span) }
        #expect(own == "POST /e HTTP/1.1\r\n")
    }

    @Test func `encodes status lines with phrases of their own and of their class`() {
        #expect(self.encode { $0.appendStatusLine(503) } == "HTTP/1.1 503 Service Unavailable\r\n")
        #expect(self.encode { $0.appendStatusLine(599) } == "HTTP/1.1 599 Server Error\r\n")
        #expect(self.encode { $0.appendStatusLine(499) } == "HTTP/1.1 499 Client Error\r\n")
        #expect(
            self.encode { $0.appendStatusLine(200, reason: Span()) } == "HTTP/1.1 200 \r\n"
        )
        for status in UInt16(100)..<600 {
            #expect(!StatusPhrase.of(status).description.isEmpty)
        }
    }

    @Test func `encodes chunks and never an empty one`() {
        let chunks = self.encode {
            $0.appendChunk(bytes("0123456789abcdefg").span)
            $0.appendChunk([UInt8]().span)
            $0.appendLastChunk()
        }
        #expect(chunks == "11\r\n0123456789abcdefg\r\n0\r\n\r\n")
    }

    @Test(arguments: [0, 9, 10, 255, 256, UInt64.max])
    func `writes numbers`(number: UInt64) {
        #expect(self.encode { $0.append(decimal: number) } == String(number))
        #expect(self.encode { $0.append(hexadecimal: number) } == String(number, radix: 16))
    }

    @Test(arguments: [
        (Int64(0), "Thu, 01 Jan 1970 00:00:00 GMT"), (-5, "Thu, 01 Jan 1970 00:00:00 GMT"),
        (951_782_399, "Mon, 28 Feb 2000 23:59:59 GMT"),
        (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
        (951_868_800, "Wed, 01 Mar 2000 00:00:00 GMT"),
        (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"),
        (4_107_542_399, "Sun, 28 Feb 2100 23:59:59 GMT"),
        (1_735_689_599, "Tue, 31 Dec 2024 23:59:59 GMT"),
        (Int64.max, "Fri, 31 Dec 9999 23:59:59 GMT"),
    ])
    func `writes dates`(seconds: Int64, expected: String) {
        var date = HTTPDate(unixSeconds: 1)
        date.update(unixSeconds: seconds)
        #expect(self.encode { $0.append(date.bytes) } == expected)
    }

    @Test func `writes problem documents with the detail escaped`() {
        let document = self.encode {
            $0.appendProblemDocument(.storeFailed, detail: "a \"b\" \\ \n\u{1F}")
        }
        #expect(
            document == #"{"type":"urn:relay:problem:store-failed","title":"Store Failed","#
                + #""status":503,"detail":"a \"b\" \\ \u000a\u001f"}"#
        )
    }

    @Test func `a problem response announces exactly its document`() throws {
        let date = HTTPDate(unixSeconds: 0)
        for problem in [Problem(status: 404), .storeFailed, Problem(.headTooLarge)] {
            let response = self.encode {
                $0.appendProblemResponse(
                    problem,
                    detail: "it's \u{1} \"é\"",
                    date: date,
                    isKeepAlive: false,
                    extraFields: bytes("Retry-After: 1\r\n").span
                )
            }
            var parser = ResponseParser()
            var head = ResponseHead()
            let all = bytes(response)
            #expect(parser.parse(all.span, answering: .get, into: &head) == .head)
            #expect(head.status == problem.status)
            #expect(head.framing == .length(UInt64(all.count - head.byteCount)))
            #expect(!head.isKeepAlive)
            #expect(head.fields.contains(.retryAfter))
        }
    }

    @Test func `the answer to a framing fault closes whatever is wished`() {
        let date = HTTPDate(unixSeconds: 0)
        let framing = self.encode {
            $0.appendResponse(to: .conflictingFraming, date: date, isKeepAlive: true)
        }
        #expect(framing.contains("Connection: close\r\n"))
        #expect(framing.contains(#""type":"about:blank","title":"Bad Request","status":400"#))
        let path = self.encode {
            $0.appendResponse(to: .malformedPath, date: date, isKeepAlive: true)
        }
        #expect(!path.contains("Connection"))
        let head = self.encode {
            $0.appendProblemResponse(
                Problem(status: 404),
                detail: "",
                date: date,
                isKeepAlive: true,
                omitsBody: true
            )
        }
        #expect(head.hasSuffix("\r\n\r\n"))
    }
}

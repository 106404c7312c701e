import RelayHTTP
import Testing

@testable import RelayUpstream

/// What came of a response, however it was cut.
private struct Reading: Equatable {
    var status: UInt16 = 0
    var body = ""
    var isComplete = false
    var failure: String?
    var isKeepAlive = false
    /// Bytes behind the response.
    var rest = 0
}

struct ResponseReaderTests {
    /// Gives the pieces to a reader as a connection does.
    private func read(
        _ pieces: [[UInt8]],
        method: Method = .post,
        bytesMax: UInt64 = .max
    ) -> Reading {
        var reader = ResponseReader()
        var head = ResponseHead()
        var reading = Reading()
        var held: [UInt8] = []
        reader.begin(method, bytesMax: bytesMax)
        for piece in pieces {
            held += piece
            var offset = 0
            while !reading.isComplete, reading.failure == nil {
                let rest = Array(held[offset...])
                let step = reader.next(rest.span, into: &head)
                offset += step.consumed
                if step.event == .needsInput { break }
                switch step.event {
                case .head: reading.status = head.status
                case .payload(let range):
                    reading.body += String(decoding: rest[range], as: UTF8.self)
                case .end: reading.isComplete = true
                case .failed(let reason): reading.failure = reason.description
                case .interim, .needsInput: break
                }
            }
            held.removeFirst(offset)
        }
        reading.isKeepAlive = reader.isKeepAlive
        reading.rest = held.count
        if reading.failure == nil, !reading.isComplete { reading.isComplete = reader.inputEnded() }
        return reading
    }

    /// All at once, byte by byte, and at every split in two, with the same result.
    private func readEveryWay(
        _ text: String,
        method: Method = .post,
        bytesMax: UInt64 = .max,
        sourceLocation: Testing.SourceLocation = #_sourceLocation
    ) -> Reading {
        let bytes = Array(text.utf8)
        let whole = self.read([bytes], method: method, bytesMax: bytesMax)
        let single = self.read(bytes.map { [$0] }, method: method, bytesMax: bytesMax)
        #expect(single == whole, sourceLocation: sourceLocation)
        for split in bytes.indices {
            let pieces = [Array(bytes[..<split]), Array(bytes[split...])]
            let reading = self.read(pieces, method: method, bytesMax: bytesMax)
            #expect(reading == whole, "split at \(split)", sourceLocation: sourceLocation)
        }
        return whole
    }

    @Test func `reads a counted body`() {
        let reading = self.readEveryWay("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
        #expect(reading == Reading(status: 200, body: "hello", isComplete: true, isKeepAlive: true))
    }

    @Test func `reads a chunked body and drops trailers`() {
        let reading = self.readEveryWay(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                + "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nT: 1\r\n\r\n"
        )
        #expect(reading == Reading(status: 200, body: "abcde", isComplete: true, isKeepAlive: true))
    }

    @Test func `reads to the end of the connection without framing`() {
        let reading = self.readEveryWay("HTTP/1.1 200 OK\r\n\r\nall of it")
        #expect(reading == Reading(status: 200, body: "all of it", isComplete: true))
    }

    @Test func `drops interim responses`() {
        let reading = self.readEveryWay(
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
                + "HTTP/1.1 204 No Content\r\n\r\n"
        )
        #expect(reading == Reading(status: 204, isComplete: true, isKeepAlive: true))
    }

    @Test func `an endless run of interim responses is refused`() {
        let interim = String(repeating: "HTTP/1.1 100 Continue\r\n\r\n", count: 33)
        let reading = self.read([Array(interim.utf8)])
        #expect(reading.failure == "too many interim responses")
    }

    @Test(arguments: [204, 304]) func `a status without body has none`(status: Int) {
        let reading = self.readEveryWay("HTTP/1.1 \(status) X\r\n\r\n")
        #expect(reading.status == UInt16(status))
        #expect(reading.isComplete)
        #expect(reading.isKeepAlive)
    }

    @Test func `the response to HEAD has no body`() {
        let reading = self.readEveryWay(
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
            method: .head
        )
        #expect(reading == Reading(status: 200, isComplete: true, isKeepAlive: true))
    }

    @Test(
        arguments: [
            "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
            "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
        ]
    )
    func `does not keep alive what its target ends`(text: String) {
        let reading = self.readEveryWay(text)
        #expect(reading.isComplete)
        #expect(!reading.isKeepAlive)
    }

    @Test(
        arguments: [
            ("HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n", ResponseFault.controlByte),
            ("HTTP/2.0 200 OK\r\n\r\n", .unsupportedVersion),
            ("nonsense at all\r\n\r\n", .malformedStatusLine),
            ("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", .malformedContentLength),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", .malformedChunk),
            ("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n123456789", .bodyTooLarge),
        ]
    )
    func `refuses what is not HTTP or too much`(text: String, fault: ResponseFault) {
        let reading = self.readEveryWay(text, bytesMax: 8)
        #expect(reading.failure == fault.detail.description)
        #expect(!reading.isKeepAlive)
    }

    @Test func `refuses an upgrade that nobody asked for`() {
        let reading = self.readEveryWay("HTTP/1.1 101 Switching Protocols\r\n\r\n")
        #expect(reading.failure == "101 although no upgrade was asked for")
    }

    @Test func `limits the head in bytes and fields`() {
        let long = "HTTP/1.1 200 OK\r\nX: \(String(repeating: "a", count: 65_536))\r\n\r\n"
        #expect(
            self.read([Array(long.utf8)]).failure == ResponseFault.headTooLarge.detail.description
        )
        let many = "HTTP/1.1 200 OK\r\n\(String(repeating: "X: a\r\n", count: 101))\r\n"
        #expect(
            self.read([Array(many.utf8)]).failure == ResponseFault.tooManyFields.detail.description
        )
    }

    @Test func `leaves what follows the response`() {
        let bytes = Array("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nabc".utf8)
        let reading = self.read([bytes])
        #expect(reading.body == "a")
        #expect(reading.rest == 2)
    }

    @Test func `a truncated response is not complete`() {
        for text in ["", "HTTP/1.1 200", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell"] {
            #expect(!self.read([Array(text.utf8)]).isComplete)
        }
    }
}

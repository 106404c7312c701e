import RelayConfig
import RelayEngine
import RelayPipeline
import RelayServer
import SimulatedSystem
import Testing

/// Requests and answers on one connection.
struct RequestTests {
    private let get = "GET /now HTTP/1.1\r\nHost: a\r\n\r\n"

    private func ok(_ body: String) -> String {
        "HTTP/1.1 200 OK|Content-Length: \(body.utf8.count)||\(body)"
    }

    @Test func `answers one request after another on a connection`() throws {
        let bed = try ServerBed()
        let peer = try bed.connect()
        for _ in 0..<3 {
            #expect(try bed.exchange(peer, self.get) == self.ok("/now"))
        }
        #expect(bed.server.connections == 1)
        #expect(bed.server.exchanges == 0)
    }

    @Test func `reads a request that comes byte by byte`() throws {
        let bed = try ServerBed()
        let peer = try bed.connect()
        let request = "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello" + self.get
        for byte in request.utf8 {
            peer.send([byte])
            try bed.simulation.runUntilQuiet()
        }
        #expect(try bed.received(peer) == self.ok("hello") + self.ok("/now"))
    }

    @Test func `answers alike wherever the input is cut in two`() throws {
        let bed = try ServerBed()
        let input = Array(
            ("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi\r\n"
                + "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                + "2;x=y\r\nho\r\n0\r\nA: b\r\n\r\n" + self.get).utf8
        )
        for split in 0...input.count {
            let peer = try bed.connect()
            peer.send(Array(input[..<split]))
            try bed.simulation.runUntilQuiet()
            peer.send(Array(input[split...]))
            let answers = try bed.received(peer)
            #expect(answers == self.ok("hi") + self.ok("ho") + self.ok("/now"), "at \(split)")
            peer.close()
        }
    }

    @Test func `every answer has its date`() throws {
        let bed = try ServerBed()
        let peer = try bed.connect()
        peer.send(self.get)
        try bed.simulation.runUntilQuiet()
        let answer = String(decoding: peer.takeReceived(), as: UTF8.self)
        let date = answer.split(separator: "\r\n").first { $0.hasPrefix("Date: ") }
        #expect(date?.hasSuffix(" GMT") == true)
    }

    @Test func `answers pipelined requests in their order`() throws {
        let bed = try ServerBed()
        let peer = try bed.connect()
        let held = "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n"
        #expect(try bed.exchange(peer, held + held + self.get) == "")
        bed.stage.answer(1, "second")
        #expect(try bed.received(peer) == "")
        bed.stage.answer(0, "first")
        #expect(try bed.received(peer) == self.ok("first") + self.ok("second") + self.ok("/now"))
        #expect(bed.server.exchanges == 0)
    }

    @Test func `reads no more than 16 requests ahead`() throws {
        let bed = try ServerBed()
        let peer = try bed.connect()
        let held = "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n"
        peer.send(String(repeating: held, count: 20))
        try bed.simulation.runUntilQuiet()
        #expect(bed.stage.exchanges.count == 16)
        for index in 0..<16 { bed.stage.answer(index, "x") }
        try bed.simulation.runUntilQuiet()
        #expect(bed.stage.exchanges.count == 20)
        for index in 16..<20 { bed.stage.answer(index, "x") }
        #expect(try bed.received(peer) == String(repeating: self.ok("x"), count: 20))
    }

    @Test func `hands on a chunked body as it comes`() throws {
        let bed = try ServerBed()
        let peer = try bed.connect()
        let head = "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        #expect(try bed.exchange(peer, head + "3\r\nabc\r\n") == "")
        #expect(bed.stage.bodies[0] == Array("abc".utf8))
        #expect(try bed.exchange(peer, "2\r\nde\r\n0\r\n\r\n") == self.ok("abcde"))
    }

    @Test func `answers HEAD with the length and without the body`() throws {
        let bed = try ServerBed()
        let peer = try bed.connect()
        let answer = try bed.exchange(peer, "HEAD /now HTTP/1.1\r\nHost: a\r\n\r\n" + self.get)
        #expect(answer == "HTTP/1.1 200 OK|Content-Length: 4||" + self.ok("/now"))
    }

    @Test(arguments: [UInt16(204), 304]) func `gives no body and no length`(status: UInt16) throws {
        let bed = try ServerBed()
        let peer = try bed.connect()
        _ = try bed.exchange(peer, "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n")
        let body: [UInt8] = [1, 2, 3]
        bed.stage.exchanges[0].respond(status: status, fields: Span(), body: body.span)
        let answer = try bed.received(peer)
        #expect(answer.hasPrefix("HTTP/1.1 \(status) "))
        #expect(answer.hasSuffix("||") && !answer.contains("Content-Length"))
        #expect(try bed.exchange(peer, self.get) == self.ok("/now"))
    }

    @Test func `closes behind an answer to HTTP 1.0`() throws {
        let bed = try ServerBed()
        let peer = try bed.connect()
        let answer = try bed.exchange(peer, "GET /now HTTP/1.0\r\n\r\n")
        #expect(answer == "HTTP/1.1 200 OK|Content-Length: 4|Connection: close||/now")
        #expect(peer.hasInputEnded)
        #expect(bed.server.connections == 0)
    }

    @Test func `keeps a connection of HTTP 1.0 that asks for it`() throws {
        let bed = try ServerBed()
        let peer = try bed.connect()
        for _ in 0..<2 {
            let answer = try bed.exchange(
                peer,
                "GET /now HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
            )
            #expect(answer == "HTTP/1.1 200 OK|Content-Length: 4|Connection: keep-alive||/now")
        }
    }

    @Test func `closes where the request says so, whatever follows`() throws {
        let bed = try ServerBed()
        let peer = try bed.connect()
        let answer = try bed.exchange(
            peer,
            "GET /now HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" + self.get
        )
        #expect(answer == "HTTP/1.1 200 OK|Content-Length: 4|Connection: close||/now")
        #expect(peer.hasInputEnded && peer.failure == nil)
        #expect(bed.stage.exchanges.count == 1)
    }

    @Test func `streams a response in chunks`() throws {
        let bed = try ServerBed()
        let peer = try bed.connect()
        _ = try bed.exchange(peer, "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n")
        let exchange = bed.stage.exchanges[0]
        let pieces = ["abc", "0123456789abcdef"]
        exchange.beginResponse(status: 200, fields: Span(), length: nil)
        for piece in pieces { #expect(bed.stage.write(0, piece)) }
        #expect(
            try bed.received(peer)
                == "HTTP/1.1 200 OK|Transfer-Encoding: chunked||3|abc|10|0123456789abcdef|"
        )
        exchange.endBody()
        #expect(try bed.received(peer) == "0||")
        #expect(bed.stage.events.last == "0 over")
        #expect(try bed.exchange(peer, self.get) == self.ok("/now"))
    }

    @Test func `streams a response of unknown length to HTTP 1.0 until it closes`() throws {
        let bed = try ServerBed()
        let peer = try bed.connect()
        _ = try bed.exchange(peer, "GET /hold HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        let exchange = bed.stage.exchanges[0]
        exchange.beginResponse(status: 200, fields: Span(), length: nil)
        #expect(bed.stage.write(0, "abc"))
        exchange.endBody()
        #expect(try bed.received(peer) == "HTTP/1.1 200 OK|Connection: close||abc")
        #expect(peer.hasInputEnded)
    }

    @Test func `tells the writer of a body to wait for a client that does not read`() throws {
        let bed = try ServerBed()
        let peer = try bed.connect()
        _ = try bed.exchange(peer, "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n")
        peer.stopReading()
        let exchange = bed.stage.exchanges[0]
        let piece = [UInt8](repeating: 7, count: 16 << 10)
        exchange.beginResponse(status: 200, fields: Span(), length: 4 << 20)
        var written = 0
        while written < 4 << 20, exchange.writeBody(piece.span) {
            written += piece.count
            try bed.simulation.runUntilQuiet()
        }
        #expect(written < 4 << 20)
        #expect(!bed.stage.events.contains("0 writable"))
        peer.startReading()
        try bed.simulation.runUntilQuiet()
        #expect(bed.stage.events.contains("0 writable"))
    }

    @Test func `shows that an answer broke off`() throws {
        let bed = try ServerBed()
        let peer = try bed.connect()
        _ = try bed.exchange(peer, "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n")
        let exchange = bed.stage.exchanges[0]
        exchange.beginResponse(status: 200, fields: Span(), length: 10)
        #expect(bed.stage.write(0, "abc"))
        exchange.abort()
        #expect(try bed.received(peer) == "HTTP/1.1 200 OK|Content-Length: 10||abc")
        #expect(peer.hasInputEnded)
        #expect(bed.stage.events.last == "0 over")
    }

    @Test(arguments: [false, true])
    func `a body that ends before its length breaks off`(isWatched: Bool) throws {
        let bed = try ServerBed()
        let peer = try bed.connect()
        _ = try bed.exchange(peer, "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n")
        try bed.perform { stage in
            stage.exchanges[0].watchesDelivery = isWatched
            stage.exchanges[0].beginResponse(status: 200, fields: Span(), length: 10)
            #expect(stage.write(0, "abc"))
            stage.exchanges[0].endBody()
        }
        #expect(try bed.received(peer) == "HTTP/1.1 200 OK|Content-Length: 10||abc")
        #expect(peer.hasInputEnded)
        #expect(bed.stage.events == ["0 ended"] + (isWatched ? ["0 failed"] : []) + ["0 over"])
        #expect(bed.server.exchanges == 0)
    }

    @Test func `never writes more of a body than was announced`() throws {
        let bed = try ServerBed()
        let peer = try bed.connect()
        _ = try bed.exchange(peer, "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n")
        try bed.perform { stage in
            stage.exchanges[0].beginResponse(status: 200, fields: Span(), length: 2)
            #expect(stage.write(0, "abc"))
            stage.exchanges[0].endBody()
        }
        #expect(try bed.received(peer) == self.ok("ab"))
        #expect(try bed.exchange(peer, self.get) == self.ok("/now"))
    }

    // MARK: Bodies that nobody waits for

    @Test func `says 100 Continue once the head was accepted`() throws {
        let bed = try ServerBed()
        let peer = try bed.connect()
        let head =
            "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
        #expect(try bed.exchange(peer, head) == "HTTP/1.1 100 Continue||")
        #expect(try bed.exchange(peer, "hi") == self.ok("hi"))
    }

    @Test func `says 100 Continue behind the answers before it`() throws {
        let bed = try ServerBed()
        let peer = try bed.connect()
        let held = "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n"
        let head =
            "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
        #expect(try bed.exchange(peer, held + head) == "")
        try bed.perform { $0.answer(0, "first") }
        #expect(try bed.received(peer) == self.ok("first") + "HTTP/1.1 100 Continue||")
        #expect(try bed.exchange(peer, "hi") == self.ok("hi"))
    }

    @Test func `says nothing to a client that does not wait for 100 Continue`() throws {
        let bed = try ServerBed()
        let peer = try bed.connect()
        let answer = try bed.exchange(
            peer,
            "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\nhi"
        )
        #expect(answer == self.ok("hi"))
    }

    @Test func `refuses on the head instead of saying 100 Continue`() throws {
        let bed = try ServerBed()
        let peer = try bed.connect()
        let answer = try bed.exchange(
            peer,
            "POST /refuse HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
        )
        #expect(answer.hasPrefix("HTTP/1.1 401 Unauthorized|"))
        #expect(answer.contains("|Connection: close|"))
        #expect(peer.hasInputEnded)
    }

    @Test func `reads what is left of a small body and goes on`() throws {
        let bed = try ServerBed()
        let peer = try bed.connect()
        let body = String(repeating: "x", count: 64 << 10)
        let answer = try bed.exchange(
            peer,
            "POST /refuse HTTP/1.1\r\nHost: a\r\nContent-Length: \(64 << 10)\r\n\r\n\(body)\(self.get)"
        )
        #expect(answer.hasPrefix("HTTP/1.1 401 Unauthorized|"))
        #expect(answer.hasSuffix(self.ok("/now")))
    }

    @Test(arguments: ["Content-Length: 300000", "Transfer-Encoding: chunked"])
    func `ends the connection behind a large body, so that the answer arrives`(
        framing: String
    ) throws {
        let bed = try ServerBed()
        let peer = try bed.connect()
        peer.send("POST /refuse HTTP/1.1\r\nHost: a\r\n\(framing)\r\n\r\n")
        if framing.hasPrefix("T") { peer.send("493e0\r\n") }
        peer.send([UInt8](repeating: 0x78, count: 300_000))
        let answer = try bed.received(peer)
        #expect(answer.hasPrefix("HTTP/1.1 401 Unauthorized|"))
        #expect(peer.hasInputEnded && peer.failure == nil)
    }

    @Test func `refuses a body above the limit on the head`() throws {
        let bed = try ServerBed()
        let peer = try bed.connect()
        let answer = try bed.exchange(
            peer,
            "POST /small HTTP/1.1\r\nHost: a\r\nContent-Length: 101\r\nExpect: 100-continue\r\n\r\n"
        )
        #expect(answer.hasPrefix("HTTP/1.1 413 Content Too Large|"))
        #expect(bed.stage.events == ["0 over"])
    }

    @Test func `refuses a chunked body as soon as it is above the limit`() throws {
        let bed = try ServerBed()
        let peer = try bed.connect()
        let head = "POST /small HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        let answer = try bed.exchange(
            peer,
            head + "40\r\n" + String(repeating: "x", count: 64) + "\r\n40\r\n"
        )
        #expect(answer.hasPrefix("HTTP/1.1 413 Content Too Large|"))
        #expect(peer.hasInputEnded && peer.failure == nil)
        #expect(bed.stage.events == ["0 over"])
    }

    @Test func `reads nothing of a body while its handler has paused it`() throws {
        let bed = try ServerBed()
        let peer = try bed.connect()
        _ = try bed.exchange(peer, "POST /hold HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc")
        bed.stage.exchanges[0].pauseBody()
        _ = try bed.exchange(peer, "def")
        #expect(bed.stage.bodies[0] == Array("abc".utf8))
        bed.stage.exchanges[0].resumeBody()
        try bed.simulation.runUntilQuiet()
        #expect(bed.stage.bodies[0] == Array("abcdef".utf8))
        #expect(bed.stage.events == ["0 ended"])
    }

    // MARK: What is refused

    @Test(arguments: [
        ("GET / HTTP/1.1\r\n\r\n", 400), ("GET /\u{0} HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            400
        ),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: \(String(repeating: "x", count: 33_000))\r\n\r\n", 431),
        ("GET / HTTP/1.1\r\nHost: a\r\n\(String(repeating: "X: y\r\n", count: 101))\r\n", 431),
    ]) func `answers what is no request and closes`(request: String, status: Int) throws {
        let bed = try ServerBed()
        let peer = try bed.connect()
        let answer = try bed.exchange(peer, request + self.get)
        #expect(answer.hasPrefix("HTTP/1.1 \(status) "))
        #expect(answer.contains("|Connection: close|"))
        #expect(answer.contains("|Content-Type: application/problem+json|"))
        #expect(peer.hasInputEnded && peer.failure == nil)
        #expect(bed.stage.exchanges.isEmpty)
    }

    @Test func `answers a malformed request behind those before it`() throws {
        let bed = try ServerBed()
        let peer = try bed.connect()
        #expect(
            try bed.exchange(peer, "GET /hold HTTP/1.1\r\nHost: a\r\n\r\nnonsense\r\n\r\n") == ""
        )
        bed.stage.answer(0, "first")
        #expect(try bed.received(peer).hasPrefix(self.ok("first") + "HTTP/1.1 400 Bad Request|"))
    }

    @Test(arguments: ["/../x", "/%00", "/%zz", "/a\\b"])
    func `refuses such a path and goes on`(path: String) throws {
        let bed = try ServerBed()
        let peer = try bed.connect()
        let answer = try bed.exchange(peer, "GET \(path) HTTP/1.1\r\nHost: a\r\n\r\n" + self.get)
        #expect(answer.hasPrefix("HTTP/1.1 400 Bad Request|"))
        #expect(answer.hasSuffix(self.ok("/now")))
    }

    @Test func `matches the normal form of a path`() throws {
        let bed = try ServerBed()
        let peer = try bed.connect()
        let answer = try bed.exchange(peer, "GET //x/../n%6fw HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(answer == self.ok("/now"))
    }

    @Test func `makes no tunnels`() throws {
        let bed = try ServerBed()
        let peer = try bed.connect()
        let answer = try bed.exchange(peer, "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n")
        #expect(answer.hasPrefix("HTTP/1.1 405 Method Not Allowed|"))
    }
}

import RelayConfig
import RelayEngine
import RelayHTTP
import Testing

@testable import RelayUpstream

struct ExchangeTests {
    @Test func `sends the request as HTTP wants it`() throws {
        let bed = try PoolBed()
        let address = bed.origin.address
        let handler = bed.start(body: "payload") {
            $0.fields = Array("Type: Packet\r\nX-A: b\r\n".utf8)
        }
        try bed.run { bed.origin.hasRequest }
        let request = bed.origin.answer(
            "HTTP/1.1 200 OK\r\nX-Name: v\r\nContent-Length: 3\r\n\r\nabc"
        )
        #expect(
            request == "POST / HTTP/1.1\r\nHost: \(address)\r\nType: Packet\r\nX-A: b\r\n"
                + "Content-Length: 7\r\n\r\npayload"
        )
        try bed.run { handler.isOver }
        #expect(handler.status == 200)
        #expect(handler.name == "v")
        #expect(handler.text == "abc")
        #expect(handler.isEnded)
    }

    @Test func `an empty POST says so and a GET says nothing`() throws {
        let bed = try PoolBed { $0.host = .literal("app.example") }
        bed.start(.post)
        try bed.run { bed.origin.hasRequest }
        #expect(
            bed.origin.answer()
                == "POST / HTTP/1.1\r\nHost: app.example\r\nContent-Length: 0\r\n\r\n"
        )
        bed.settle()
        bed.start(.get) { $0.path = Array("/x?y".utf8) }
        try bed.run { bed.origin.hasRequest }
        #expect(bed.origin.answer() == "GET /x?y HTTP/1.1\r\nHost: app.example\r\n\r\n")
    }

    @Test func `a large body arrives whole`() throws {
        let bed = try PoolBed()
        let body = String(repeating: "0123456789", count: 200_000)
        let handler = bed.start(body: body)
        try bed.run { bed.origin.hasRequest }
        let request = bed.origin.answer()
        #expect(request?.hasSuffix(body) == true)
        try bed.run { handler.isOver }
        #expect(handler.isEnded)
    }

    @Test func `reads a response that comes byte by byte`() throws {
        let bed = try PoolBed()
        let handler = bed.start()
        try bed.run { bed.origin.hasRequest }
        let connection = try #require(bed.origin.connections.first)
        let response =
            "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            + "3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n"
        for character in response {
            connection.send(String(character))
            bed.turnOrigins()
            bed.turn()
        }
        try bed.run { handler.isOver }
        #expect(handler.text == "abcd")
        #expect(handler.endings == 1)
    }

    @Test func `a response that ends with the connection is complete by that`() throws {
        let bed = try PoolBed()
        let handler = bed.start()
        try bed.run { bed.origin.hasRequest }
        bed.origin.answer("HTTP/1.1 200 OK\r\n\r\nall of it")
        bed.origin.connections[0].close()
        try bed.run { handler.isOver }
        #expect(handler.isEnded)
        #expect(handler.text == "all of it")
        bed.settle()
        #expect(bed.shared.status(of: 0).connectionsOpen == 0)
    }

    @Test func `an early response is taken and its connection is not used again`() throws {
        let bed = try PoolBed()
        let handler = bed.start(body: String(repeating: "x", count: 20_000_000))
        try bed.run { bed.origin.connections.count == 1 }
        bed.origin.connections[0].pauseReading()
        bed.origin.connections[0].send("HTTP/1.1 413 No\r\nContent-Length: 2\r\n\r\nno")
        try bed.run { handler.isOver }
        #expect(handler.status == 413)
        #expect(handler.text == "no")
        #expect(handler.isEnded)
        bed.settle()
        #expect(bed.shared.status(of: 0).connectionsOpen == 0)
    }

    @Test func `the handler may send the next request from inside the last event`() throws {
        let bed = try PoolBed()
        let first = bed.start()
        var second: RecordingHandler?
        first.onEnd = { second = bed.start() }
        try bed.run { bed.origin.hasRequest }
        bed.origin.answer()
        try bed.run { bed.origin.hasRequest }
        bed.origin.answer()
        try bed.run { second?.isOver == true }
        #expect(second?.isEnded == true)
        #expect(bed.origin.connections.count == 1)
    }

    @Test func `the handler may cancel from inside the head`() throws {
        let bed = try PoolBed()
        let handler = bed.start()
        handler.onHead = {
            if let request = handler.request { bed.pool.cancel(request) }
        }
        try bed.run { bed.origin.hasRequest }
        bed.origin.answer()
        try bed.run { bed.origin.open.isEmpty }
        #expect(handler.status == 200)
        #expect(handler.endings == 0)
        #expect(handler.text == "")
        #expect(bed.pool.requestsUnderWay == 0)
    }

    @Test func `a unix socket will do`() throws {
        let path = "/tmp/relay-upstream-\(UInt64.random(in: 0 ... .max)).sock"
        let bed = try PoolBed({ group in
            let origin = try Origin(on: group, address: .unix(path: path))
            let url = TargetURL(
                text: "http://unix:\(path):/in",
                address: .unix(path: path),
                authority: "localhost",
                path: "/in"
            )
            return ([origin], [url])
        })
        let handler = bed.start()
        try bed.run { bed.origin.hasRequest }
        #expect(bed.origin.answer()?.hasPrefix("POST /in HTTP/1.1\r\nHost: localhost\r\n") == true)
        try bed.run { handler.isOver }
        #expect(handler.isEnded)
    }

    @Test func `counts what became of the requests`() throws {
        let bed = try PoolBed()
        try bed.exchange()
        let failing = bed.start()
        try bed.run { bed.origin.hasRequest }
        #expect(bed.shared.status(of: 0).requestsUnderWay == 1)
        #expect(bed.pool.requestsUnderWay == 1)
        bed.origin.connections[0].reset()
        try bed.run { failing.isOver }
        let status = bed.shared.status(of: 0)
        #expect(status.requests == 2)
        #expect(status.failures == 1)
        #expect(status.requestsUnderWay == 0)
        #expect(bed.pool.requestsUnderWay == 0)
        #expect(status.isUsable)
    }
}

import RelayEngine
import SimulatedSystem
import Testing

struct StreamingTests {
    private let get = "GET /a//b?q=1 HTTP/1.1\r\nHost: relay.example\r\n"

    @Test func `passes a request on and the answer back`() throws {
        let bed = try StreamingBed()
        let client = try bed.client(
            self.get
                + "Connection: X-Hop\r\nX-Hop: 1\r\nX-Forwarded-For: 9.9.9.9\r\nCookie: c=1\r\n\r\n"
        )
        let target = try bed.target()
        let request = target.text()
        #expect(
            request.hasPrefix("GET /a/b?q=1 HTTP/1.1\r\nHost: relay.example\r\nCookie: c=1\r\n")
        )
        #expect(!request.contains("X-Hop") && !request.contains("9.9.9.9"))
        #expect(request.contains("X-Forwarded-For: 127.0.0.1\r\n"))
        target.send("HTTP/1.1 203 Whatever\r\nX-A: b\r\nContent-Length: 2\r\n\r\nok")
        try bed.settle()
        let answer = client.text()
        #expect(answer.hasPrefix("HTTP/1.1 203 "))
        #expect(answer.contains("\r\nX-A: b\r\n"))
        #expect(answer.hasSuffix("\r\nContent-Length: 2\r\n\r\nok"))
    }

    @Test func `uses a connection again`() throws {
        let bed = try StreamingBed()
        let client = try bed.client(self.get + "\r\n")
        for _ in 0..<3 {
            try bed.target().send("HTTP/1.1 204 No Content\r\n\r\n")
            try bed.settle()
            #expect(client.text().hasPrefix("HTTP/1.1 204 "))
            client.send(self.get + "\r\n")
            try bed.settle()
        }
        #expect(bed.accepted.count == 1)
    }

    @Test func `passes a chunked body on before its end`() throws {
        let bed = try StreamingBed()
        let client = try bed.client(
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"
        )
        let target = try bed.target()
        #expect(target.text().hasSuffix("\r\n\r\n3\r\nabc\r\n"))
        target.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n")
        try bed.settle()
        #expect(client.text().hasSuffix("1\r\nx\r\n"))
        client.send("2\r\nde\r\n0\r\n\r\n")
        try bed.settle()
        #expect(target.text() == "2\r\nde\r\n0\r\n\r\n")
        target.send("0\r\n\r\n")
        try bed.settle()
        #expect(client.text() == "0\r\n\r\n")
    }

    @Test func `a slow client stops the target`() throws {
        let bed = try StreamingBed()
        let client = try bed.client(self.get + "\r\n")
        client.stopReading()
        let target = try bed.target()
        let size = 16 << 20
        target.send("HTTP/1.1 200 OK\r\nContent-Length: \(size)\r\n\r\n")
        target.send([UInt8](repeating: 0x61, count: size))
        try bed.simulation.run(for: .seconds(5))
        #expect(client.receivedCount == 0)
        client.startReading()
        try bed.simulation.run(for: .seconds(120))
        let body = client.takeReceived().suffix(size)
        #expect(body.count == size && body.allSatisfy { $0 == 0x61 })
    }

    @Test func `a slow target stops the client`() throws {
        let bed = try StreamingBed("    response_timeout: 5m")
        let size = 4 << 20
        let client = try bed.client("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: \(size)\r\n\r\n")
        let target = try bed.target()
        target.stopReading()
        client.send([UInt8](repeating: 0x62, count: size))
        try bed.simulation.run(for: .seconds(5))
        target.startReading()
        try bed.simulation.run(for: .seconds(50))
        #expect(target.takeReceived().suffix(size).filter { $0 == 0x62 }.count == size)
        target.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        try bed.settle()
        #expect(client.text().hasPrefix("HTTP/1.1 200 "))
    }

    @Test func `a target that breaks off ends the client's connection`() throws {
        let bed = try StreamingBed()
        for framing in ["Content-Length: 9", "Transfer-Encoding: chunked"] {
            let client = try bed.client(self.get + "\r\n")
            let target = try bed.target()
            target.send("HTTP/1.1 200 OK\r\n\(framing)\r\n\r\n3\r\nabc\r\n")
            try bed.settle()
            target.reset()
            try bed.settle()
            #expect(client.hasInputEnded || client.failure != nil)
            #expect(!client.text().hasSuffix("0\r\n\r\n"))
        }
    }

    @Test func `a client that goes away ends the request`() throws {
        let bed = try StreamingBed()
        let client = try bed.client(self.get + "\r\n")
        client.reset()
        try bed.settle()
        let target = try bed.target()
        #expect(target.hasInputEnded || target.failure != nil)
    }

    @Test func `HEAD tells the length of a body that does not come`() throws {
        let bed = try StreamingBed()
        let client = try bed.client("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n")
        try bed.target().send("HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n")
        try bed.settle()
        #expect(client.text().hasSuffix("Content-Length: 12\r\n\r\n"))
    }

    @Test func `a body that ends with the connection is chunked, or ends with it, too`() throws {
        let bed = try StreamingBed()
        for version in ["1.0", "1.1"] {
            let client = try bed.client("GET / HTTP/\(version)\r\nHost: a\r\n\r\n")
            let target = try bed.target()
            target.send("HTTP/1.0 200 OK\r\n\r\nall")
            target.close()
            try bed.settle()
            #expect(
                client.text().hasSuffix(version == "1.0" ? "\r\n\r\nall" : "3\r\nall\r\n0\r\n\r\n")
            )
        }
    }

    @Test func `a target that cannot be reached is passed over, with the body`() throws {
        let bed = try StreamingBed("", up: [1])
        let client = try bed.client("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi")
        let target = try bed.target()
        let request = target.text()
        #expect(request.hasPrefix("POST /base/x HTTP/1.1\r\n") && request.hasSuffix("\r\n\r\nhi"))
        target.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        try bed.settle()
        #expect(client.text().hasPrefix("HTTP/1.1 200 "))
    }

    @Test func `no POST is sent twice`() throws {
        let bed = try StreamingBed("", up: [0, 1])
        let client = try bed.client("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi")
        try bed.target().reset()
        try bed.settle()
        #expect(client.text().hasPrefix("HTTP/1.1 502 "))
        #expect(bed.accepted.count == 1)
    }

    @Test func `a GET goes to another target if the first one breaks off`() throws {
        let bed = try StreamingBed("", up: [0, 1])
        let client = try bed.client(self.get + "\r\n")
        try bed.target().reset()
        try bed.settle()
        #expect(bed.accepted.count == 2)
        try bed.target().send("HTTP/1.1 204 No Content\r\n\r\n")
        try bed.settle()
        #expect(client.text().hasPrefix("HTTP/1.1 204 "))
    }

    @Test func `no target is a 503, no answer in time a 504`() throws {
        #expect(
            try StreamingBed("", up: []).client(self.get + "\r\n").text().hasPrefix("HTTP/1.1 503 ")
        )
        let bed = try StreamingBed(
            "    response_timeout: 50ms\n    retry: once\nretry_policies: { once: { attempts: 1 } }"
        )
        let client = try bed.client(self.get + "\r\n")
        #expect(client.text().hasPrefix("HTTP/1.1 504 "))
    }
}

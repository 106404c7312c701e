import SimulatedSystem
import Testing

/// Requests for another protocol, and interim responses, on the simulated system.
struct TunnelTests {
    private let upgrade =
        "GET /chat HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n"
        + "Sec-WebSocket-Key: k\r\n\r\n"
    private let agreement =
        "HTTP/1.1 101 Whatever\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nX-A: b\r\n\r\n"

    /// A client and a target with a tunnel between them.
    private func tunnel(
        _ options: String = ""
    ) throws -> (
        bed: StreamingBed, client: SimulatedPeer, target: SimulatedPeer
    ) {
        let bed = try StreamingBed(options)
        let client = try bed.client(self.upgrade)
        let target = try bed.target()
        _ = target.text()
        target.send(self.agreement)
        try bed.settle()
        #expect(client.text().hasPrefix("HTTP/1.1 101 Switching Protocols\r\n"))
        return (bed, client, target)
    }

    @Test func `a tunnel is asked for and agreed to with the fields that it takes`() throws {
        let bed = try StreamingBed()
        let client = try bed.client(self.upgrade)
        let request = try bed.target().text()
        #expect(request.contains("\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"))
        #expect(request.contains("\r\nSec-WebSocket-Key: k\r\n"))
        try bed.target().send(self.agreement)
        try bed.settle()
        let answer = client.text()
        #expect(answer.contains("\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"))
        #expect(answer.contains("\r\nX-A: b\r\n") && answer.hasSuffix("\r\n\r\n"))
    }

    @Test func `bytes go both ways as they come`() throws {
        let (bed, client, target) = try self.tunnel()
        target.send("hello\r\n\r\n")
        client.send("GET / HTTP/1.1\r\n\r\n")
        try bed.settle()
        #expect(client.text() == "hello\r\n\r\n")
        #expect(target.text() == "GET / HTTP/1.1\r\n\r\n")
        client.send([0, 255, 10])
        try bed.settle()
        #expect(target.takeReceived() == [0, 255, 10])
    }

    @Test func `bytes behind the 101, and behind the request, are the tunnel's`() throws {
        let bed = try StreamingBed()
        let client = try bed.client(self.upgrade + "early")
        let target = try bed.target()
        #expect(target.text().hasSuffix("\r\n\r\n"))
        target.send(self.agreement + "late")
        try bed.settle()
        #expect(client.text().hasSuffix("\r\n\r\nlate"))
        #expect(target.text() == "early")
    }

    @Test func `without a 101 the next request is one`() throws {
        let bed = try StreamingBed()
        let next = "GET /next HTTP/1.1\r\nHost: a\r\n\r\n"
        let client = try bed.client(self.upgrade + next)
        try bed.target().send("HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n")
        try bed.settle()
        #expect(client.text().hasPrefix("HTTP/1.1 403 "))
        #expect(try bed.target().text().contains("GET /next HTTP/1.1\r\n"))
        try bed.target().send("HTTP/1.1 204 No Content\r\n\r\n")
        try bed.settle()
        #expect(client.text().hasPrefix("HTTP/1.1 204 "))
    }

    @Test func `the target's end is the tunnel's`() throws {
        let (bed, client, target) = try self.tunnel()
        target.send("bye")
        target.close()
        try bed.settle()
        #expect(client.text() == "bye")
        #expect(client.hasInputEnded && client.failure == nil)
    }

    @Test func `the client's end is passed on, and the target may still speak`() throws {
        let (bed, client, target) = try self.tunnel()
        client.send("last")
        client.shutdownOutput()
        try bed.settle()
        #expect(target.text() == "last")
        #expect(target.hasInputEnded)
        target.send("answer")
        target.close()
        try bed.settle()
        #expect(client.text() == "answer")
        #expect(client.hasInputEnded)
    }

    @Test func `a reset of either side is one for the other`() throws {
        let (bed, client, target) = try self.tunnel()
        client.reset()
        try bed.settle()
        #expect(target.hasInputEnded || target.failure != nil)
        let (other, second, origin) = try self.tunnel()
        origin.reset()
        try other.settle()
        #expect(second.failure != nil)
    }

    @Test func `a slow side stops the other`() throws {
        let (bed, client, target) = try self.tunnel()
        let bytes = [UInt8](repeating: 7, count: 8 << 20)
        client.stopReading()
        target.stopReading()
        client.send(bytes)
        target.send(bytes)
        try bed.simulation.run(for: .seconds(600))
        client.startReading()
        target.startReading()
        try bed.simulation.run(for: .seconds(60))
        #expect(client.takeReceived() == bytes)
        #expect(target.takeReceived() == bytes)
    }

    @Test func `silence on both sides ends it after tunnel_timeout`() throws {
        let (bed, client, target) = try self.tunnel("    tunnel_timeout: 10s")
        for side in [client, target] {
            try bed.simulation.run(for: .seconds(8))
            side.send("x")
        }
        try bed.simulation.run(for: .seconds(9))
        #expect(!client.hasInputEnded && !target.hasInputEnded)
        try bed.simulation.run(for: .seconds(2))
        #expect(client.hasInputEnded)
        #expect(target.hasInputEnded || target.failure != nil)
    }

    @Test(
        arguments: [
            "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n",
            "GET / HTTP/1.0\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
                + "HTTP2-Settings: AAM\r\n\r\n",
            "POST / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                + "Content-Length: 1\r\n\r\nx",
        ]
    )
    func `what may not become a tunnel is not asked for`(request: String) throws {
        let bed = try StreamingBed()
        let client = try bed.client(request)
        let text = try bed.target().text()
        #expect(!text.contains("Upgrade") && !text.contains("HTTP2"))
        // Who agrees all the same has not understood.
        try bed.target().send(self.agreement)
        try bed.settle()
        #expect(client.text().hasPrefix("HTTP/1.1 502 "))
    }

    @Test func `interim responses are passed on, but not 100, and not to HTTP 1_0`() throws {
        let hints = "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\nConnection: close\r\n\r\n"
        for version in ["1.1", "1.0"] {
            let bed = try StreamingBed()
            let client = try bed.client("GET / HTTP/\(version)\r\nHost: a\r\n\r\n")
            try bed.target().send("HTTP/1.1 100 Continue\r\n\r\n" + hints)
            try bed.settle()
            let expected = "HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n"
            #expect(client.text() == (version == "1.1" ? expected : ""))
            try bed.target().send("HTTP/1.1 204 No Content\r\n\r\n")
            try bed.settle()
            #expect(client.text().hasPrefix("HTTP/1.1 204 "))
        }
    }
}

import RelayConfig
import RelayEngine
import RelayPipeline
import RelayServer
import SimulatedSystem
import Testing

/// What may take how long.
struct TimeoutTests {
    private func makeBed() throws -> ServerBed {
        try ServerBed { $0.limits.idleTimeout = .seconds(75) }
    }

    @Test func `a connection that never sends a byte is closed without a word`() throws {
        let bed = try self.makeBed()
        let peer = try bed.connect()
        try bed.simulation.run(for: .milliseconds(9900))
        #expect(bed.server.connections == 1)
        try bed.simulation.run(for: .milliseconds(200))
        #expect(try bed.received(peer) == "")
        #expect(peer.hasInputEnded && peer.failure == nil)
        #expect(bed.server.connections == 0)
    }

    @Test func `a head that is not complete in time is a 408`() throws {
        let bed = try self.makeBed()
        let peer = try bed.connect()
        _ = try bed.exchange(peer, "GET /now HTTP/1.1\r\nHost: a\r\n\r\n")
        try bed.simulation.run(for: .seconds(20))
        _ = try bed.exchange(peer, "GET /n")
        for _ in 0..<9 {
            try bed.simulation.run(for: .seconds(1))
            peer.send("o")
        }
        #expect(try bed.received(peer) == "")
        try bed.simulation.run(for: .seconds(2))
        let answer = try bed.received(peer)
        #expect(answer.hasPrefix("HTTP/1.1 408 Request Timeout|"))
        #expect(answer.contains("|Connection: close|"))
        #expect(peer.hasInputEnded && peer.failure == nil)
    }

    @Test func `a connection may be idle for 75 s`() throws {
        let bed = try self.makeBed()
        let peer = try bed.connect()
        for _ in 0..<2 {
            _ = try bed.exchange(peer, "GET /now HTTP/1.1\r\nHost: a\r\n\r\n")
            try bed.simulation.run(for: .seconds(74))
            #expect(bed.server.connections == 1)
        }
        try bed.simulation.run(for: .seconds(2))
        #expect(bed.server.connections == 0)
        #expect(try bed.received(peer) == "")
        #expect(peer.failure == nil)
    }

    @Test func `a request that waits for its answer is not idle`() throws {
        let bed = try self.makeBed()
        let peer = try bed.connect()
        _ = try bed.exchange(peer, "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n")
        try bed.simulation.run(for: .seconds(3600))
        bed.stage.answer(0, "late")
        #expect(try bed.received(peer) == "HTTP/1.1 200 OK|Content-Length: 4||late")
    }

    /// Sends `perSecond` bytes of a body every second.
    private func trickle(
        _ bed: ServerBed,
        _ peer: SimulatedPeer,
        _ perSecond: Int,
        _ seconds: Int
    )
        throws
    {
        peer.send("POST /hold HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n")
        for _ in 0..<seconds {
            peer.send([UInt8](repeating: 1, count: perSecond))
            try bed.simulation.run(for: .seconds(1))
        }
    }

    @Test func `a body slower than its rate is a 408, 5 s after it began`() throws {
        let bed = try self.makeBed()
        let peer = try bed.connect()
        try self.trickle(bed, peer, 1000, 4)
        #expect(try bed.received(peer) == "")
        try self.trickle(bed, peer, 1000, 4)
        let answer = try bed.received(peer)
        #expect(answer.hasPrefix("HTTP/1.1 408 Request Timeout|"))
        #expect(peer.hasInputEnded)
        #expect(bed.stage.events == ["0 over"])
    }

    @Test func `a body that keeps its rate may take its time`() throws {
        let bed = try self.makeBed()
        let peer = try bed.connect()
        try self.trickle(bed, peer, 1100, 60)
        #expect(try bed.received(peer) == "")
        #expect(bed.stage.bodies[0].count == 66_000)
        // A burst earns time, but not for ever.
        try bed.simulation.run(for: .seconds(3))
        #expect(bed.server.exchanges == 1)
        try bed.simulation.run(for: .seconds(5))
        #expect(bed.stage.events == ["0 over"])
    }

    @Test func `the time in which a handler pauses a body does not count`() throws {
        let bed = try self.makeBed()
        let peer = try bed.connect()
        peer.send("POST /hold HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nx")
        try bed.simulation.runUntilQuiet()
        try bed.perform { $0.exchanges[0].pauseBody() }
        try bed.simulation.run(for: .seconds(60))
        try bed.perform { $0.exchanges[0].resumeBody() }
        try bed.simulation.run(for: .seconds(4))
        #expect(bed.stage.events.isEmpty)
        try bed.simulation.run(for: .seconds(2))
        #expect(bed.stage.events == ["0 over"])
    }

    @Test func `a client that never reads its answer loses its connection`() throws {
        let bed = try self.makeBed()
        let peer = try bed.connect()
        peer.stopReading()
        _ = try bed.exchange(peer, "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n")
        let large = [UInt8](repeating: 1, count: 4 << 20)
        try bed.perform {
            $0.exchanges[0].respond(status: 200, fields: Span(), shared: large, from: 0)
        }
        try bed.simulation.run(for: .seconds(70))
        #expect(bed.server.connections == 1)
        try bed.simulation.run(for: .seconds(130))
        #expect(bed.server.connections == 0)
    }
}

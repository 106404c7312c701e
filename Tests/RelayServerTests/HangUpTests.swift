import RelayConfig
import RelayEngine
import RelayPipeline
import RelayServer
import SimulatedSystem
import Testing

/// Clients that go away, and what their exchanges hear of it.
struct HangUpTests {
    private let hold = "POST /hold HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi"

    /// How a client may go.
    enum Going: CaseIterable {
        case close, halfClose, reset
    }

    private func go(_ peer: SimulatedPeer, _ going: Going) {
        switch going {
        case .close: peer.close()
        case .halfClose: peer.shutdownOutput()
        case .reset: peer.reset()
        }
    }

    @Test(arguments: Going.allCases)
    func `a client that goes while it waits has hung up`(going: Going) throws {
        let bed = try ServerBed()
        let peer = try bed.connect()
        _ = try bed.exchange(peer, self.hold)
        #expect(bed.stage.events == ["0 ended"])
        self.go(peer, going)
        try bed.simulation.run(for: .seconds(5))
        #expect(bed.stage.events == ["0 ended", "0 hung up", "0 over"])
        #expect(bed.server.exchanges == 0)
        #expect(bed.server.connections == 0)
    }

    @Test(arguments: [Going.close, .halfClose])
    func `a request that came with the FIN is heard in whole before the hang-up`(
        going: Going
    ) throws {
        let bed = try ServerBed()
        let peer = try bed.connect()
        peer.send(self.hold)
        self.go(peer, going)
        try bed.simulation.run(for: .seconds(5))
        #expect(bed.stage.bodies == [Array("hi".utf8)])
        #expect(bed.stage.events == ["0 ended", "0 hung up", "0 over"])
        #expect(bed.server.connections == 0)
    }

    @Test func `pipelined requests before a FIN are all heard`() throws {
        let bed = try ServerBed()
        let peer = try bed.connect()
        peer.send(String(repeating: self.hold, count: 20))
        peer.shutdownOutput()
        try bed.simulation.run(for: .seconds(5))
        #expect(bed.stage.bodies == Array(repeating: Array("hi".utf8), count: 20))
        for index in 0..<20 {
            let own = bed.stage.events.filter { $0.hasPrefix("\(index) ") }
            #expect(own == ["\(index) ended", "\(index) hung up", "\(index) over"])
        }
        #expect(bed.server.connections == 0)
    }

    @Test func `a client that goes within its body has hung up`() throws {
        let bed = try ServerBed()
        let peer = try bed.connect()
        _ = try bed.exchange(peer, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhi")
        peer.close()
        try bed.simulation.run(for: .seconds(5))
        #expect(bed.stage.events == ["0 hung up", "0 over"])
        #expect(bed.server.connections == 0)
    }

    @Test func `what is answered at once is answered, FIN or not`() throws {
        let bed = try ServerBed()
        let peer = try bed.connect()
        peer.send("GET /now HTTP/1.1\r\nHost: a\r\n\r\n")
        peer.shutdownOutput()
        let answer = try bed.received(peer)
        #expect(answer == "HTTP/1.1 200 OK|Content-Length: 4||/now")
        #expect(peer.hasInputEnded)
        #expect(bed.server.connections == 0)
    }

    @Test func `an idle connection ends with the client's FIN`() throws {
        let bed = try ServerBed()
        let peer = try bed.connect()
        _ = try bed.exchange(peer, "GET /now HTTP/1.1\r\nHost: a\r\n\r\n")
        peer.close()
        try bed.simulation.runUntilQuiet()
        #expect(bed.server.connections == 0)
        #expect(peer.failure == nil)
    }

    @Test func `an answer behind one that will not come fails unwritten`() throws {
        let bed = try ServerBed()
        let peer = try bed.connect()
        let packet = "POST /packet HTTP/1.1\r\nHost: a\r\n\r\n"
        _ = try bed.exchange(peer, self.hold + packet)
        peer.shutdownOutput()
        try bed.simulation.run(for: .seconds(5))
        #expect(
            bed.stage.events.filter { $0.hasPrefix("0") } == ["0 ended", "0 hung up", "0 over"]
        )
        #expect(
            bed.stage.events.filter { $0.hasPrefix("1") }
                == ["1 ended", "1 failed unwritten", "1 over"]
        )
    }

    @Test func `streaming goes on behind a half-close`() throws {
        let bed = try ServerBed()
        let peer = try bed.connect()
        _ = try bed.exchange(peer, "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n")
        bed.stage.exchanges[0].beginResponse(status: 200, fields: Span(), length: 3)
        peer.shutdownOutput()
        try bed.simulation.run(for: .seconds(1))
        #expect(bed.stage.write(0, "abc"))
        bed.stage.exchanges[0].endBody()
        #expect(try bed.received(peer) == "HTTP/1.1 200 OK|Content-Length: 3||abc")
        #expect(bed.stage.events == ["0 ended", "0 over"])
        #expect(peer.hasInputEnded)
    }
}

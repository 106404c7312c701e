import RelayConfig
import RelayEngine
import RelayPipeline
import RelayServer
import SimulatedSystem
import Testing

/// Whether answers have arrived (DESIGN 2.3), over connections.
struct DeliveryTests {
    private let poll = "POST /packet HTTP/1.1\r\nHost: a\r\n\r\n"
    private let answer = "HTTP/1.1 200 OK|Content-Length: 6||packet"

    @Test func `the next request proves the answer before it`() throws {
        let bed = try ServerBed()
        let peer = try bed.connect()
        #expect(try bed.exchange(peer, self.poll) == self.answer)
        try bed.simulation.run(for: .seconds(30))
        #expect(bed.stage.events == ["0 ended"])
        #expect(bed.server.exchanges == 1)
        #expect(try bed.exchange(peer, self.poll) == self.answer)
        #expect(bed.stage.events == ["0 ended", "0 proven", "0 over", "1 ended"])
    }

    @Test func `the proof comes before the request that brings it is served`() throws {
        let bed = try ServerBed()
        let peer = try bed.connect()
        _ = try bed.exchange(peer, self.poll)
        _ = try bed.exchange(peer, "G")
        #expect(bed.stage.events.contains("0 proven"))
        #expect(bed.stage.exchanges.count == 1)
    }

    @Test func `pipelined requests prove nothing`() throws {
        let bed = try ServerBed()
        let peer = try bed.connect()
        peer.holdsAcknowledgements = true
        peer.stopReading()
        peer.send(self.poll + self.poll)
        try bed.simulation.runUntilQuiet()
        peer.send(self.poll)
        try bed.simulation.runUntilQuiet()
        #expect(bed.stage.events == ["0 ended", "1 ended", "2 ended"])
        peer.reset()
        try bed.simulation.runUntilQuiet()
        #expect(bed.stage.events.filter { $0.hasSuffix("failed") }.count == 3)
        #expect(bed.server.exchanges == 0)
    }

    @Test func `a FIN behind the answer proves it`() throws {
        let bed = try ServerBed()
        let peer = try bed.connect()
        #expect(try bed.exchange(peer, self.poll) == self.answer)
        peer.close()
        try bed.simulation.runUntilQuiet()
        #expect(bed.stage.events == ["0 ended", "0 proven", "0 over"])
        #expect(bed.server.connections == 0)
    }

    @Test func `a reset proves nothing`() throws {
        let bed = try ServerBed()
        let peer = try bed.connect()
        #expect(try bed.exchange(peer, self.poll) == self.answer)
        peer.reset()
        try bed.simulation.runUntilQuiet()
        #expect(bed.stage.events == ["0 ended", "0 failed", "0 over"])
    }

    @Test func `a client that closes with the answer unread has not got it`() throws {
        let bed = try ServerBed()
        let peer = try bed.connect()
        peer.stopReading()
        peer.send(self.poll)
        try bed.simulation.runUntilQuiet()
        peer.close()
        try bed.simulation.runUntilQuiet()
        #expect(bed.stage.events == ["0 ended", "0 failed", "0 over"])
    }

    @Test func `another poll proves at once what is acknowledged`() throws {
        let bed = try ServerBed()
        let peer = try bed.connect()
        _ = try bed.exchange(peer, self.poll)
        try bed.perform {
            $0.exchanges[0].proveDelivery()
            // Not from inside of the call.
            #expect($0.events == ["0 ended"])
        }
        #expect(bed.stage.events == ["0 ended", "0 proven", "0 over"])
        #expect(try bed.exchange(peer, self.poll) == self.answer)
    }

    @Test func `another poll finds a delayed acknowledgement`() throws {
        let bed = try ServerBed()
        let peer = try bed.connect()
        peer.holdsAcknowledgements = true
        _ = try bed.exchange(peer, self.poll)
        try bed.perform { $0.exchanges[0].proveDelivery() }
        try bed.simulation.run(for: .milliseconds(120))
        #expect(bed.stage.events == ["0 ended"])
        peer.holdsAcknowledgements = false
        try bed.simulation.run(for: .milliseconds(90))
        #expect(bed.stage.events == ["0 ended", "0 proven", "0 over"])
    }

    @Test func `a client that is silent for 2 s while another poll waits is reset`() throws {
        let bed = try ServerBed()
        let peer = try bed.connect()
        peer.holdsAcknowledgements = true
        _ = try bed.exchange(peer, self.poll)
        try bed.simulation.run(for: .seconds(10))
        try bed.perform { $0.exchanges[0].proveDelivery() }
        try bed.simulation.run(for: .milliseconds(1500))
        try bed.perform { $0.exchanges[0].proveDelivery() }
        try bed.simulation.run(for: .milliseconds(450))
        #expect(bed.stage.events == ["0 ended"])
        try bed.simulation.run(for: .milliseconds(100))
        #expect(bed.stage.events == ["0 ended", "0 failed", "0 over"])
        #expect(peer.failure == .connectionReset)
    }

    @Test func `an answer that the kernel has not taken fails, too`() throws {
        let bed = try ServerBed()
        bed.stage.packet = [UInt8](repeating: 1, count: 2 << 20)
        let peer = try bed.connect()
        peer.stopReading()
        _ = try bed.exchange(peer, self.poll)
        try bed.perform { $0.exchanges[0].proveDelivery() }
        try bed.simulation.run(for: .seconds(3))
        #expect(bed.stage.events == ["0 ended", "0 failed", "0 over"])
    }

    @Test func `a connection that relay closes is kept until the proof`() throws {
        let bed = try ServerBed()
        let peer = try bed.connect()
        peer.holdsAcknowledgements = true
        _ = try bed.exchange(peer, "POST /packet HTTP/1.0\r\n\r\n")
        #expect(peer.hasInputEnded)
        #expect(bed.server.connections == 1)
        try bed.simulation.run(for: .seconds(1))
        peer.holdsAcknowledgements = false
        try bed.simulation.run(for: .seconds(1))
        #expect(bed.stage.events == ["0 ended", "0 proven", "0 over"])
        peer.close()
        try bed.simulation.runUntilQuiet()
        #expect(bed.server.connections == 0)
    }

    @Test func `a connection that relay closes is kept for 5 s at most`() throws {
        let bed = try ServerBed()
        let peer = try bed.connect()
        peer.holdsAcknowledgements = true
        _ = try bed.exchange(peer, "POST /packet HTTP/1.0\r\n\r\n")
        try bed.simulation.run(for: .milliseconds(4900))
        #expect(bed.stage.events == ["0 ended"])
        try bed.simulation.run(for: .milliseconds(200))
        #expect(bed.stage.events == ["0 ended", "0 failed", "0 over"])
        #expect(bed.server.connections == 0)
    }

    @Test func `an idle connection that is given up proves what it can`() throws {
        let bed = try ServerBed()
        let peer = try bed.connect()
        _ = try bed.exchange(peer, self.poll)
        try bed.simulation.run(for: .seconds(80))
        #expect(bed.stage.events == ["0 ended", "0 proven", "0 over"])
        #expect(peer.hasInputEnded && peer.failure == nil)
        #expect(bed.server.connections == 0)
    }

    @Test func `whoever hears of a proof may answer on the same connection`() throws {
        let bed = try ServerBed()
        let peer = try bed.connect()
        let hold = "POST /hold HTTP/1.1\r\nHost: a\r\n\r\n"
        _ = try bed.exchange(peer, self.poll + hold)
        try bed.perform { $0.exchanges[0].proveDelivery() }
        try bed.simulation.runUntilQuiet()
        bed.stage.answer(1, "next")
        #expect(try bed.received(peer).hasSuffix("||next"))
    }

    @Test(arguments: 1...40 as ClosedRange<UInt64>)
    func `every exchange ends once, whatever the network and the clients do`(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let network = Conditions.uneven(using: &generator)
        let bed = try ServerBed(seed: seed, network: network)
        var peers: [SimulatedPeer] = []
        for _ in 0..<8 {
            let peer = bed.simulation.connect(to: .loopback(port: 8080))
            peers.append(peer)
            if generator.chance(0.3) { peer.stopReading() }
            for _ in 0..<generator.size(upTo: 3) { peer.send(self.poll) }
            try bed.simulation.run(for: generator.duration(in: .zero...(.milliseconds(300))))
            let asked = bed.stage.exchanges.filter { _ in generator.chance(0.5) }
            try bed.perform { _ in for exchange in asked { exchange.proveDelivery() } }
            try bed.simulation.runUntilQuiet()
            if generator.chance(0.3) { peer.reset() }
            if generator.chance(0.3) { peer.close() }
        }
        for peer in peers { peer.close() }
        try bed.simulation.run(for: .seconds(300))
        #expect(bed.server.exchanges == 0 && bed.server.connections == 0, "seed \(seed)")
        for index in bed.stage.exchanges.indices {
            let own = bed.stage.events.filter { $0.hasPrefix("\(index) ") }
            #expect(own.filter { $0 == "\(index) over" }.count == 1, "seed \(seed): \(own)")
            #expect(own.last == "\(index) over", "seed \(seed): \(own)")
        }
    }
}

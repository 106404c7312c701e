import RelayEngine
import SimulatedSystem
import Testing

/// Scripted ends talking to each other.
struct PeerTests {
    /// A listener at a port of its own and a peer that is connected to the one it accepted.
    private func pair(
        _ simulation: Simulation
    ) throws -> (client: SimulatedPeer, server: SimulatedPeer) {
        let listener = try simulation.listen(at: .loopback(port: 0))
        var accepted: SimulatedPeer?
        listener.onAccept = { accepted = $0 }
        let client = simulation.connect(to: listener.address)
        try simulation.runUntilQuiet()
        return (client, try #require(accepted))
    }

    @Test func `a scripted client and a scripted backend talk`() throws {
        let simulation = Simulation(seed: 1)
        let (client, server) = try self.pair(simulation)
        server.onReceived = { $0.send($0.takeReceived().reversed()) }
        server.onInputEnded = { $0.close() }
        client.send([1, 2, 3])
        client.shutdownOutput()
        try simulation.run { client.hasInputEnded }
        #expect(client.received == [3, 2, 1])
        #expect(client.failure == nil)
    }

    @Test func `held acknowledgements come when they are released`() throws {
        let simulation = Simulation(seed: 1)
        let (client, server) = try self.pair(simulation)
        server.holdsAcknowledgements = true
        client.send([1, 2, 3])
        try simulation.runUntilQuiet()
        #expect(server.received == [1, 2, 3])
        #expect(client.bytesUnacknowledged == 3)
        server.holdsAcknowledgements = false
        try simulation.runUntilQuiet()
        #expect(client.bytesUnacknowledged == 0)
    }

    @Test func `a peer that stops reading fills both buffers and goes on`() throws {
        let simulation = Simulation(seed: 1)
        let (client, server) = try self.pair(simulation)
        server.stopReading()
        let bytes = [UInt8](repeating: 7, count: 1_000_000)
        client.send(bytes)
        try simulation.runUntilQuiet()
        #expect(client.bytesQueued > 500_000)
        #expect(server.receivedCount == 0)
        server.startReading()
        try simulation.runUntilQuiet()
        #expect(server.received == bytes)
    }

    @Test func `a slow reader takes its time`() throws {
        let simulation = Simulation(seed: 1)
        let (client, server) = try self.pair(simulation)
        server.readBytesMax = 100
        server.readPause = .seconds(1)
        client.send([UInt8](repeating: 7, count: 1000))
        try simulation.run(for: .milliseconds(4500))
        #expect(server.receivedCount == 500)
    }

    @Test func `a reset is seen by the other end`() throws {
        let simulation = Simulation(seed: 1)
        let (client, server) = try self.pair(simulation)
        var error: SystemError?
        server.onFailed = { error = $1 }
        client.reset()
        try simulation.runUntilQuiet()
        #expect(error == .connectionReset)
        #expect(server.isClosed)
    }

    @Test func `a silent peer hears and says nothing`() throws {
        let simulation = Simulation(seed: 1)
        let (client, server) = try self.pair(simulation)
        client.fallSilent()
        client.send([1])
        server.send([2])
        try simulation.run(for: .seconds(900))
        #expect(client.received.isEmpty && server.received.isEmpty)
        #expect(client.failure == nil)
        try simulation.run(for: .seconds(60))
        #expect(client.failure == .timedOut)
    }

    @Test func `a condition that is never reached fails with the seed`() throws {
        let simulation = Simulation(seed: 42)
        let failure = #expect(throws: SimulationFailure.self) {
            try simulation.run(within: .seconds(1)) { false }
        }
        #expect(failure?.seed == 42)
        #expect(failure?.description.contains("seed 42") == true)
    }

    @Test func `a loop that never sleeps and does nothing is a livelock`() throws {
        let simulation = Simulation(seed: 1)
        let group = try simulation.makeLoops(1)
        @Sendable func again(_ loop: EventLoop) { loop.post(again) }
        group.loops[0].post(again)
        let failure = #expect(throws: SimulationFailure.self) {
            try simulation.run(for: .seconds(60))
        }
        #expect(failure?.reason.hasPrefix("livelock") == true)
    }

    @Test func `the trace keeps the last lines, the oldest first`() throws {
        let simulation = Simulation(seed: 1)
        for number in 0..<10_000 { simulation.note("line \(number)") }
        let lines = simulation.trace.lines
        #expect(lines.last == "3600.000000 line 9999")
        #expect(lines.first == "3600.000000 line \(10_000 - lines.count)")
        #expect(simulation.trace.count == 10_000)
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func `every byte arrives over an uneven network, and a seed repeats itself`(
        seed: UInt64
    ) throws {
        let first = try self.talk(seed: seed)
        let second = try self.talk(seed: seed)
        #expect(first == second, "seed \(seed)")
        let other = try self.talk(seed: seed + 1000)
        #expect(first != other, "seed \(seed)")
    }

    /// Sends both ways over a network by chance; the hash of what happened.
    private func talk(seed: UInt64) throws -> UInt64 {
        var generator = SeededGenerator(seed: seed)
        let simulation = Simulation(seed: seed, network: .uneven(using: &generator))
        let (client, server) = try self.pair(simulation)
        let up = (0..<generator.size(upTo: 200_000)).map { _ in
            UInt8.random(in: 0...255, using: &generator)
        }
        let down = Array(up.reversed())
        client.send(up)
        server.send(down)
        client.shutdownOutput()
        server.shutdownOutput()
        try simulation.run(within: .seconds(3600)) { client.hasInputEnded && server.hasInputEnded }
        #expect(server.received == up, "seed \(seed)")
        #expect(client.received == down, "seed \(seed)")
        return simulation.trace.hash
    }
}

import RelayEngine
import SimulatedSystem
import Testing

/// The engine on the simulated system: an echo over loops, listener and streams.
struct EchoTests {
    @Test(arguments: 0..<100 as Range<UInt64>)
    func `echoes every byte whatever the network does, twice the same`(seed: UInt64) throws {
        let first = try self.echo(seed: seed)
        let second = try self.echo(seed: seed)
        #expect(first == second, "seed \(seed)")
    }

    @Test(arguments: 0..<50 as Range<UInt64>)
    func `gives every connection back when the network breaks them`(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let simulation = Simulation(
            seed: seed,
            machine: .uneven(using: &generator),
            network: .faulty(using: &generator)
        )
        let descriptors = simulation.system.openDescriptors.count
        let (listener, clients) = try self.start(simulation, using: &generator)
        let inUse = simulation.system.openDescriptors.count - descriptors
        try simulation.run(for: .seconds(1))
        try simulation.run(within: .seconds(7200)) { listener.connectionsOpen == 0 }
        for client in clients {
            #expect(client.sent.starts(with: client.peer.received), "seed \(seed)")
            let isComplete = client.peer.received == client.sent
            #expect(isComplete || !client.peer.hasInputEnded, "seed \(seed)")
        }
        #expect(simulation.system.openDescriptors.count == descriptors + inUse, "seed \(seed)")
    }

    @Test func `serves everyone although descriptors run out`() throws {
        var machine = MachineConditions.calm
        machine.descriptorsMax = 12
        let simulation = Simulation(seed: 1, machine: machine)
        let group = try simulation.makeLoops(2)
        let listener = try Listener(
            settings: ListenerSettings(address: .loopback(port: 80)),
            system: simulation.system
        )
        listener.start(on: group) { accepted, loop in EchoStream(loop: loop, accepted: accepted) }
        let peers = (0..<40).map { _ in simulation.connect(to: listener.address) }
        for peer in peers {
            peer.send([1])
            peer.onReceived = { $0.close() }
        }
        try simulation.run { peers.allSatisfy { $0.isClosed } }
        #expect(peers.allSatisfy { $0.receivedCount == 1 })
        #expect(listener.exhaustionPauses > 0)
    }

    /// Runs a few clients against an echo; the hash of what happened.
    private func echo(seed: UInt64) throws -> UInt64 {
        var generator = SeededGenerator(seed: seed)
        let simulation = Simulation(
            seed: seed,
            machine: .uneven(using: &generator),
            network: .uneven(using: &generator)
        )
        let (listener, clients) = try self.start(simulation, using: &generator)
        try simulation.run(within: .seconds(3600)) { clients.allSatisfy(\.isDone) }
        for client in clients {
            #expect(client.peer.received == client.sent, "seed \(seed)")
            #expect(client.peer.failure == nil, "seed \(seed)")
        }
        listener.close()
        try simulation.runUntilQuiet()
        #expect(listener.connectionsOpen == 0, "seed \(seed)")
        return simulation.trace.hash
    }

    /// An echo on up to three loops, and up to five clients of it.
    private func start(
        _ simulation: Simulation,
        using generator: inout SeededGenerator
    ) throws -> (listener: Listener, clients: [Client]) {
        let group = try simulation.makeLoops(Int.random(in: 1...3, using: &generator))
        let address: SocketAddress =
            generator.chance(0.2) ? .unix(path: "/echo") : .loopback(port: 7777)
        let listener = try Listener(
            settings: ListenerSettings(address: address),
            system: simulation.system
        )
        listener.start(on: group) { accepted, loop in EchoStream(loop: loop, accepted: accepted) }
        var clients: [Client] = []
        for _ in 0..<Int.random(in: 1...5, using: &generator) {
            clients.append(Client(simulation, address, using: &generator))
        }
        return (listener, clients)
    }

    /// Sends a few bursts, ends its stream, and waits for the other end's.
    private final class Client {
        let peer: SimulatedPeer
        private(set) var sent: [UInt8] = []

        init(
            _ simulation: Simulation,
            _ address: SocketAddress,
            using generator: inout SeededGenerator
        ) {
            self.peer = simulation.connect(to: address)
            var delay = Duration.zero
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let burst = (0..<generator.size(upTo: 60_000)).map { _ in
                    UInt8.random(in: 0...255, using: &generator)
                }
                self.sent += burst
                delay += generator.duration(in: .zero...(.milliseconds(20)))
                simulation.after(delay) { self.peer.send(burst) }
            }
            simulation.after(delay) { self.peer.shutdownOutput() }
            if generator.chance(0.3) {
                self.peer.readBytesMax = 1 + generator.size(upTo: 5000)
                self.peer.readPause = .milliseconds(1)
            }
        }

        var isDone: Bool { self.peer.hasInputEnded || self.peer.failure != nil }
    }
}

/// Sends back what comes, and no faster than it is read.
private final class EchoStream: Stream {
    override init(loop: EventLoop, accepted: AcceptedSocket) {
        super.init(loop: loop, accepted: accepted)
        self.setKeepAlive(KeepAlive(idle: .seconds(60), interval: .seconds(10), probes: 3))
    }

    override func received(_ input: Span<UInt8>) -> Int {
        self.write(input)
        if self.isOutputAboveHighWater { self.pauseReading() }
        return input.count
    }

    override func outputBelowLowWater() { self.resumeReading() }

    override func inputEnded() { self.close() }
}

import RelayEngine
import SimulatedSystem
import Synchronization
import Testing

/// Loops whose turns overlap, as on threads of their own.
struct OverlapTests {
    @Test func `another loop has its turn while one reads from a socket`() throws {
        #expect(try self.order(overlapChance: 1) == ["begins", "another", "ends"])
    }

    @Test func `turns follow each other unless they are to overlap`() throws {
        #expect(try self.order(overlapChance: 0) == ["begins", "ends", "another"])
    }

    @Test func `turns of one loop never overlap`() throws {
        let simulation = self.simulation(overlapChance: 1)
        let loop = try simulation.makeLoops(1).loops[0]
        let order = Order()
        let system = simulation.system
        loop.post { loop in
            order.add("begins")
            loop.post { _ in order.add("later") }
            Self.read(system)
            order.add("ends")
        }
        try simulation.run { order.lines.count == 3 }
        #expect(order.lines == ["begins", "ends", "later"])
    }

    /// What happens when a loop posts to another one and then reads from a socket.
    private func order(overlapChance: Double) throws -> [String] {
        let simulation = self.simulation(overlapChance: overlapChance)
        let loops = try simulation.makeLoops(2).loops
        let (first, second) = (loops[0], loops[1])
        let order = Order()
        let system = simulation.system
        first.post { _ in
            order.add("begins")
            second.post { _ in order.add("another") }
            Self.read(system)
            order.add("ends")
        }
        try simulation.run { order.lines.count == 3 }
        return order.lines
    }

    private func simulation(overlapChance: Double) -> Simulation {
        var machine = MachineConditions.calm
        machine.overlapChance = overlapChance
        return Simulation(seed: 1, machine: machine)
    }

    /// Reads from a socket that is not connected.
    private static func read(_ system: SimulatedLinux) {
        let socket = system.socket(.v4)
        var bytes: [UInt8] = [0]
        var span = bytes.mutableSpan
        _ = system.receive(socket.descriptor, into: &span)
        _ = system.close(socket.descriptor)
    }
}

/// What happened, in order.
private final class Order: Sendable {
    private let state = Mutex<[String]>([])

    var lines: [String] { self.state.withLock { $0 } }

    func add(_ line: String) { self.state.withLock { $0.append(line) } }
}

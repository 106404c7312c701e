import Glibc
import RelayEngine

/// Addresses, who listens at them, and the ways between.
///
/// Unlike Linux: all addresses of the world are in one network without routes; a handshake takes one
/// round trip, and the server may accept when the client's SYN has come; of sockets that share a port
/// one is chosen by chance; ports of connecting sockets are not reused.
final class Network {
    let timeline: Timeline
    let traceLines: Trace
    /// What new connections get, unless their address has conditions of its own.
    var conditions: Conditions
    /// What connections to an address get.
    var conditionsByAddress: [SocketAddress: Conditions] = [:]
    /// Addresses that cannot be connected to.
    var unreachable: [SocketAddress: Unreachability] = [:]
    /// The files of unix sockets.
    var files = SocketFiles()
    /// TCP sockets with an address of their own, in the order of bind(2).
    var bound: [SimulatedSocket] = []
    var generator: SeededGenerator
    private var nextPort: UInt16 = 20_000
    private var socketsMade = 0
    /// Sockets that were not closed yet, by number.
    private var openSockets: [Int: SimulatedSocket] = [:]

    init(timeline: Timeline, trace: Trace, conditions: Conditions, generator: SeededGenerator) {
        self.timeline = timeline
        self.traceLines = trace
        self.conditions = conditions
        self.generator = generator
    }

    var now: MonotonicTime { self.timeline.now }

    /// A new socket.
    func makeSocket(_ family: SocketFamily) -> SimulatedSocket {
        self.socketsMade += 1
        let socket = SimulatedSocket(number: self.socketsMade, family: family, network: self)
        self.openSockets[socket.number] = socket
        return socket
    }

    /// The socket was closed: its address is free.
    func socketClosed(_ socket: SimulatedSocket) {
        self.openSockets[socket.number] = nil
        self.bound.removeAll { $0 === socket }
        self.files.socketClosed(socket)
    }

    /// Lets go of everything, because sockets, connections and scripts hold each other.
    func clear() {
        for socket in self.openSockets.values { socket.forget() }
        self.openSockets = [:]
        self.bound = []
        self.files = SocketFiles()
    }

    func trace(_ line: String) {
        self.traceLines.add(line, at: self.now)
    }

    /// A port that no socket is bound to.
    func freePort() -> UInt16 {
        repeat {
            self.nextPort = self.nextPort == .max ? 20_000 : self.nextPort + 1
        } while self.bound.contains { $0.local?.port == self.nextPort }
        return self.nextPort
    }

    // MARK: Chance

    func chance(_ chance: Double) -> Bool { self.generator.chance(chance) }

    func duration(in range: ClosedRange<Duration>) -> Duration {
        self.generator.duration(in: range)
    }

    func size(upTo limit: Int) -> Int { self.generator.size(upTo: limit) }

    /// How much recv(2) gives of `count` bytes.
    func readSize(_ count: Int, _ conditions: Conditions? = nil) -> Int {
        let chance = (conditions ?? self.conditions).shortReadChance
        return self.chance(chance) ? self.size(upTo: count) : count
    }

    /// How much send(2) takes of `count` bytes.
    func writeSize(_ count: Int, _ conditions: Conditions? = nil) -> Int {
        let chance = (conditions ?? self.conditions).shortWriteChance
        return self.chance(chance) ? self.size(upTo: count) : count
    }
}

/// Why an address cannot be connected to.
package enum Unreachability: Hashable, Sendable {
    /// Nothing answers: connecting times out after 127 s.
    case silent
    /// A router says so at once: `EHOSTUNREACH`.
    case noRoute
}

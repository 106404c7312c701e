import Glibc
import RelayEngine
import SimulatedSystem
import Testing

/// Where a script runs: what it expects must hold on Linux and on the simulated system, which vouches
/// for what is tested on the latter alone.
///
/// Tests of threads, of the real clock and of what memory costs have no world: there is but one that
/// has these.
enum World: Sendable, CustomTestStringConvertible {
    /// Loopback sockets, and a clock that stands still until the test moves it.
    case linux
    /// A simulated network that splits nothing and delays nothing.
    case calm(seed: UInt64)
    /// A simulated network that splits, delays, reads and writes short, and events that are not true.
    case uneven(seed: UInt64)

    /// For scripts that hold whatever the network does.
    static let all: [World] =
        [.linux, .calm(seed: 1), .calm(seed: 2)] + (1...6).map { .uneven(seed: $0) }
    /// For scripts that tell how much comes in one piece.
    static let unsplit: [World] = [.linux] + (1...4).map { .calm(seed: $0) }

    var testDescription: String { "\(self)" }

    /// The machine of a script; `socketBytes` is the size of simulated socket buffers, which Linux
    /// sizes by itself.
    func makeMachine(socketBytes: Int? = nil) -> any Machine {
        switch self {
        case .linux:
            return LinuxMachine(AdjustableSystem())
        case .calm(let seed):
            var network = Conditions.calm
            if let socketBytes {
                network.sendBufferSize = socketBytes
                network.receiveBufferSize = socketBytes
            }
            return SimulatedMachine(Simulation(seed: seed, network: network))
        case .uneven(let seed):
            var generator = SeededGenerator(seed: seed)
            var network = Conditions.uneven(using: &generator)
            // A script is about bytes and their order; with longer waits it would only take longer.
            network.latency = .microseconds(20)...(.milliseconds(1))
            network.stallChance = 0
            let machine = MachineConditions.uneven(using: &generator)
            return SimulatedMachine(Simulation(seed: seed, machine: machine, network: network))
        }
    }
}

/// What a script needs besides the loops: time, the far end of connections, and failures.
protocol Machine: AnyObject {
    /// What the loops call.
    var system: SystemCalls { get }
    /// More bytes than the sockets of a connection hold.
    var bytesBeyondSockets: Int { get }
    /// Descriptors that accept(2) may still take: closing one frees it; nil is no limit.
    var descriptorsLeft: Int? { get set }
    /// Lets what is on its way come a little closer, and the far ends do what they can.
    func pass()
    /// Moves the clock of the loops, which have no turn meanwhile.
    func advance(by duration: Duration)
    /// Begins to connect from outside of the loops.
    func connect(to address: SocketAddress) -> any FarEnd
    /// Sends the process a signal.
    func raise(_ signal: Int32)
    /// A path that no file has.
    func makeSocketPath() throws -> String
    /// Says, from now on, when a script has waited for too long.
    func makePatience() -> () -> Bool
}

/// The end of a connection that is no stream of the engine.
protocol FarEnd: AnyObject {
    /// Whether the connection stands or stood.
    var isConnected: Bool { get }
    /// Everything that was received.
    var received: [UInt8] { get }
    /// Whether the engine's end has ended its direction, and all of it was read.
    var hasInputEnded: Bool { get }
    /// Why the connection failed.
    var failure: SystemError? { get }
    /// Sends after what was given before, as there is room.
    func send(_ bytes: [UInt8])
    /// Ends its direction behind what was given.
    func shutdownOutput()
    /// Closes behind what was given.
    func close()
    /// Resets the connection.
    func reset()
    /// Reads no more.
    func stopReading()
    /// Reads again.
    func startReading()
}

extension SimulatedPeer: FarEnd {}

/// A simulated machine whose loops the script turns, one after the other.
final class SimulatedMachine: Machine {
    private let simulation: Simulation
    private var paths = 0

    init(_ simulation: Simulation) { self.simulation = simulation }

    var system: SystemCalls { self.simulation.system }

    let bytesBeyondSockets = 600_000

    var descriptorsLeft: Int? {
        get { nil }
        set {
            let system = self.simulation.system
            // Standard input, output and error count, and are not listed.
            system.conditions.descriptorsMax =
                newValue.map { system.openDescriptors.count + 3 + $0 } ?? 65_536
        }
    }

    func pass() { self.advance(by: .microseconds(200)) }

    func advance(by duration: Duration) {
        // It has no loops of its own to fail with.
        do { try self.simulation.run(for: duration) } catch { Issue.record(error) }
    }

    func connect(to address: SocketAddress) -> any FarEnd { self.simulation.connect(to: address) }

    func raise(_ signal: Int32) { self.simulation.system.raise(signal) }

    func makeSocketPath() -> String {
        self.paths += 1
        return "/run/socket-\(self.paths)"
    }

    func makePatience() -> () -> Bool {
        let end = self.simulation.now + .seconds(60)
        return { self.simulation.now > end }
    }
}

/// The machine that the tests run on.
final class LinuxMachine: Machine {
    let system: SystemCalls
    private let adjustable: AdjustableSystem?
    private let farSystem = LinuxSystemCalls()
    private var farEnds: [LinuxFarEnd] = []
    private var directories: [TemporaryDirectory] = []

    init(_ system: LinuxSystemCalls) {
        self.system = system
        self.adjustable = system as? AdjustableSystem
    }

    /// Loopback buffers grow to a few MiB.
    let bytesBeyondSockets = 16 << 20

    var descriptorsLeft: Int? {
        get { self.adjustable?.descriptorsLeft }
        set { self.adjustable?.descriptorsLeft = newValue }
    }

    func pass() {
        for end in self.farEnds { end.act() }
    }

    func advance(by duration: Duration) { self.adjustable?.advance(by: duration) }

    func connect(to address: SocketAddress) -> any FarEnd {
        let end = LinuxFarEnd(self.farSystem, address)
        self.farEnds.append(end)
        return end
    }

    func raise(_ signal: Int32) {
        // To this thread, where it is blocked: the other threads of the tests were there before.
        pthread_kill(pthread_self(), signal)
    }

    func makeSocketPath() throws -> String {
        let directory = try TemporaryDirectory()
        self.directories.append(directory)
        return directory.path + "/socket"
    }

    func makePatience() -> () -> Bool {
        let clock = ContinuousClock()
        let end = clock.now + .seconds(10)
        return { clock.now > end }
    }
}

/// A bare socket, driven between the turns of the loops.
private final class LinuxFarEnd: FarEnd {
    private(set) var isConnected = false
    private(set) var received: [UInt8] = []
    private(set) var hasInputEnded = false
    private(set) var failure: SystemError?

    private let system: LinuxSystemCalls
    private let address: SocketAddress
    private var descriptor: Descriptor
    private var output: ArraySlice<UInt8> = []
    private var isReading = true
    private var endsOutput = false
    private var isClosing = false
    private var buffer = [UInt8](repeating: 0, count: 65_536)

    init(_ system: LinuxSystemCalls, _ address: SocketAddress) {
        self.system = system
        self.address = address
        self.descriptor = system.socket(address.family).descriptor
        self.act()
    }

    deinit { self.closeNow() }

    func send(_ bytes: [UInt8]) {
        self.output += bytes
        self.act()
    }

    func shutdownOutput() {
        self.endsOutput = true
        self.act()
    }

    func close() {
        self.isClosing = true
        self.act()
    }

    func reset() {
        _ = self.system.setOption(.resetOnClose, of: self.descriptor, to: 1)
        self.closeNow()
    }

    func stopReading() { self.isReading = false }

    func startReading() { self.isReading = true }

    /// Does what is possible at the moment.
    func act() {
        guard self.descriptor >= 0 else { return }
        if !self.isConnected { self.connect() }
        guard self.isConnected, self.descriptor >= 0 else { return }
        self.write()
        if self.isClosing, self.output.isEmpty { return self.closeNow() }
        if self.isReading, !self.hasInputEnded, self.descriptor >= 0 { self.read() }
    }

    /// connect(2) again says how the first one does.
    private func connect() {
        let result = self.system.connect(self.descriptor, to: self.address)
        switch result.error {
        case nil: self.isConnected = true
        case .inProgress, .interrupted, .tryAgain, SystemError(code: EALREADY): return
        case .some(let error): self.fail(error)
        }
    }

    private func write() {
        while !self.output.isEmpty {
            let result = self.system.send(self.descriptor, self.output.span)
            if let error = result.error {
                if error != .tryAgain { self.fail(error) }
                return
            }
            self.output = self.output.dropFirst(result.value)
        }
        if self.endsOutput {
            self.endsOutput = false
            _ = self.system.shutdownOutput(self.descriptor)
        }
    }

    private func read() {
        while true {
            var span = self.buffer.mutableSpan
            let result = self.system.receive(self.descriptor, into: &span)
            if let error = result.error {
                if error != .tryAgain { self.fail(error) }
                return
            }
            if result.value == 0 {
                self.hasInputEnded = true
                return
            }
            self.received += self.buffer[..<result.value]
        }
    }

    private func fail(_ error: SystemError) {
        self.failure = error
        self.closeNow()
    }

    private func closeNow() {
        guard self.descriptor >= 0 else { return }
        _ = self.system.close(self.descriptor)
        self.descriptor = -1
    }
}

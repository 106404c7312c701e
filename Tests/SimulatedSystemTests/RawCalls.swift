import RelayEngine
import SimulatedSystem

/// The seam with arrays instead of spans, for tests that call it directly.
struct RawCalls {
    let system: SystemCalls

    /// recv(2) of at most `count` bytes: the bytes, or the error.
    func receive(_ descriptor: Descriptor, _ count: Int) -> Result<[UInt8], SystemError> {
        var buffer = [UInt8](repeating: 0, count: count)
        var span = buffer.mutableSpan
        let result = self.system.receive(descriptor, into: &span)
        if let error = result.error { return .failure(error) }
        return .success(Array(buffer.prefix(result.value)))
    }

    /// send(2) of `bytes`.
    func send(_ descriptor: Descriptor, _ bytes: [UInt8]) -> SystemResult {
        self.system.send(descriptor, bytes.span)
    }

    /// send(2) of `count` bytes, whatever they are.
    func send(_ descriptor: Descriptor, count: Int) -> SystemResult {
        self.send(descriptor, [UInt8](repeating: 0x61, count: count))
    }

    /// epoll_wait(2): the events of each token.
    func wait(_ epoll: Descriptor, milliseconds: Int32 = 0) -> [UInt64: EpollEvents] {
        var events = [EpollEvent](repeating: EpollEvent(events: [], token: 0), count: 64)
        var span = events.mutableSpan
        let count = self.system.epollWait(epoll, into: &span, milliseconds: milliseconds).value
        var byToken: [UInt64: EpollEvents] = [:]
        for event in events.prefix(count) {
            byToken[event.token, default: []].formUnion(event.events)
        }
        return byToken
    }

    /// What poll(2) would say of `descriptor`, asked through an epoll of its own.
    func readiness(_ descriptor: Descriptor) -> EpollEvents {
        let epoll = self.system.createEpoll().descriptor
        defer { _ = self.system.close(epoll) }
        _ = self.system.epollAdd(
            epoll,
            descriptor,
            [.readable, .writable, .peerHangUp],
            token: 1
        )
        return self.wait(epoll)[1] ?? []
    }
}

/// A machine with a listener and pairs of connected sockets, all in one process.
final class RawMachine {
    let simulation: Simulation
    let calls: RawCalls
    let listener: Descriptor
    let address: SocketAddress

    var system: SystemCalls { self.calls.system }

    /// A machine that listens at `address` (port 0: any).
    init(
        seed: UInt64 = 1,
        machine: MachineConditions = .calm,
        network: Conditions = .calm,
        address: SocketAddress = .loopback(port: 0),
        backlog: Int32 = 128
    ) throws {
        self.simulation = Simulation(seed: seed, machine: machine, network: network)
        self.calls = RawCalls(system: self.simulation.system)
        let system = self.simulation.system
        let listener = system.socket(address.testFamily)
        self.listener = listener.descriptor
        for result in [
            listener, system.bind(self.listener, to: address),
            system.listen(self.listener, backlog: backlog),
        ] {
            if let error = result.error { throw error }
        }
        self.address = system.localAddress(self.listener) ?? address
    }

    /// Lets everything that is on its way arrive.
    func settle() throws { try self.simulation.runUntilQuiet() }

    /// A connection of the machine to itself.
    func connect() throws -> (client: Descriptor, server: Descriptor) {
        let client = self.system.socket(self.address.testFamily).descriptor
        _ = self.system.connect(client, to: self.address)
        try self.settle()
        let accepted = self.system.accept(self.listener).result
        if let error = accepted.error { throw error }
        return (client, accepted.descriptor)
    }

    /// An edge-triggered epoll with `descriptor` in it, its first event taken.
    func edgeTriggered(_ descriptor: Descriptor) -> Descriptor {
        let epoll = self.system.createEpoll().descriptor
        _ = self.system.epollAdd(
            epoll,
            descriptor,
            [.readable, .writable, .peerHangUp, .edgeTriggered],
            token: 1
        )
        _ = self.calls.wait(epoll)
        return epoll
    }
}

extension SocketAddress {
    /// The family of the address.
    var testFamily: SocketFamily {
        switch self {
        case .v4: .v4
        case .v6: .v6
        case .unix: .unix
        }
    }
}

extension Result where Success == [UInt8], Failure == SystemError {
    /// How many bytes came; nil for an error.
    var count: Int? { (try? self.get())?.count }

    /// The error; nil if there was none.
    var error: SystemError? {
        if case .failure(let error) = self { error } else { nil }
    }
}

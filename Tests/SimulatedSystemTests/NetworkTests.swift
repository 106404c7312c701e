import Glibc
import RelayEngine
import SimulatedSystem
import Testing

/// Connecting, accepting, addresses and descriptors.
struct NetworkTests {
    @Test func `connecting takes a round trip and is told by an event`() throws {
        let machine = try RawMachine()
        let client = machine.system.socket(.v4).descriptor
        let epoll = machine.edgeTriggered(client)
        #expect(machine.system.connect(client, to: machine.address).error == .inProgress)
        #expect(machine.calls.wait(epoll).isEmpty)
        #expect(machine.calls.send(client, [1]).error == .tryAgain)
        try machine.settle()
        #expect(machine.calls.wait(epoll)[1] == .writable)
        #expect(machine.system.takeSocketError(client).value == 0)
        let (accepted, peer) = machine.system.accept(machine.listener)
        #expect(accepted.isSuccess)
        #expect(peer == machine.system.localAddress(client))
        #expect(machine.system.localAddress(accepted.descriptor) == machine.address)
        #expect(machine.system.accept(machine.listener).result.error == .tryAgain)
    }

    @Test func `refuses where nobody listens`() throws {
        let machine = try RawMachine()
        let client = machine.system.socket(.v4).descriptor
        _ = machine.system.connect(client, to: .loopback(port: 1))
        try machine.settle()
        #expect(
            machine.calls.readiness(client)
                == [.readable, .writable, .peerHangUp, .hangUp, .error]
        )
        #expect(machine.system.takeSocketError(client).value == Int(ECONNREFUSED))
        #expect(machine.calls.receive(client, 1).count == 0)
        #expect(machine.calls.send(client, [1]).error == .brokenPipe)
    }

    @Test(arguments: [(Unreachability.noRoute, EHOSTUNREACH, 1), (.silent, ETIMEDOUT, 128)])
    func `an address that cannot be reached`(
        reason: Unreachability,
        error: Int32,
        seconds: Int
    ) throws {
        let machine = try RawMachine()
        machine.simulation.setUnreachable(reason, machine.address)
        let client = machine.system.socket(.v4).descriptor
        _ = machine.system.connect(client, to: machine.address)
        try machine.simulation.run(for: .seconds(seconds))
        #expect(machine.system.takeSocketError(client).value == Int(error))
    }

    @Test func `a full backlog makes TCP wait and unix sockets try again`() throws {
        let machine = try RawMachine(backlog: 1)
        let peers = (0..<3).map { _ in machine.simulation.connect(to: machine.address) }
        try machine.simulation.run(for: .milliseconds(500))
        #expect(peers.count { $0.isConnected } == 2)
        _ = machine.system.accept(machine.listener)
        try machine.simulation.run(for: .seconds(1))
        #expect(peers.allSatisfy { $0.isConnected })

        let unix = try RawMachine(address: .unix(path: "/s"), backlog: 0)
        let results = (0..<2).map { _ in
            unix.system.connect(unix.system.socket(.unix).descriptor, to: unix.address)
        }
        #expect(results == [.success, SystemResult(failure: .tryAgain)])
    }

    @Test func `closing a listener resets those who wait`() throws {
        let machine = try RawMachine()
        let peer = machine.simulation.connect(to: machine.address)
        try machine.settle()
        #expect(peer.isConnected)
        _ = machine.system.close(machine.listener)
        try machine.settle()
        #expect(peer.failure == .connectionReset)
    }

    @Test func `an address is taken once unless both share it`() throws {
        let machine = try RawMachine()
        let second = machine.system.socket(.v4).descriptor
        #expect(machine.system.bind(second, to: machine.address).error == .addressInUse)
        _ = machine.system.setOption(.reusePort, of: second, to: 1)
        #expect(machine.system.bind(second, to: machine.address).error == .addressInUse)
        _ = machine.system.setOption(.reusePort, of: machine.listener, to: 1)
        #expect(machine.system.bind(second, to: machine.address).isSuccess)
    }

    @Test func `a wildcard takes what no other address takes`() throws {
        let machine = try RawMachine(address: .v4(0, port: 8080))
        let peer = machine.simulation.connect(to: .v4(0xc000_0201, port: 8080))
        try machine.settle()
        let accepted = machine.system.accept(machine.listener).result.descriptor
        #expect(machine.system.localAddress(accepted) == .v4(0xc000_0201, port: 8080))
        #expect(peer.isConnected)
    }

    @Test func `the file of a unix socket stays and refuses when the socket is closed`() throws {
        let machine = try RawMachine(address: .unix(path: "/s"))
        #expect(machine.system.isSocketFile("/s").value == 1)
        #expect(machine.system.setMode(0o600, ofFile: "/s").isSuccess)
        #expect(machine.simulation.system.mode(ofFile: "/s") == 0o600)
        _ = machine.system.close(machine.listener)
        let client = machine.system.socket(.unix).descriptor
        #expect(machine.system.connect(client, to: machine.address).error == .connectionRefused)
        #expect(machine.system.bind(client, to: machine.address).error == .addressInUse)
        #expect(machine.system.removeFile("/s").isSuccess)
        #expect(machine.system.connect(client, to: machine.address).error == .noSuchFile)
        machine.simulation.system.addOrdinaryFile("/f")
        #expect(machine.system.isSocketFile("/f").value == 0)
        #expect(machine.system.isSocketFile("/none").error == .noSuchFile)
    }

    @Test func `descriptors run out and come back, the lowest first`() throws {
        var conditions = MachineConditions.calm
        conditions.descriptorsMax = 6
        let machine = try RawMachine(machine: conditions)
        let first = machine.system.socket(.v4).descriptor
        let second = machine.system.socket(.v4).descriptor
        #expect(machine.system.socket(.v4).error == .tooManyFiles)
        #expect(machine.system.accept(machine.listener).result.error == .tooManyFiles)
        #expect(machine.simulation.system.openDescriptors == [machine.listener, first, second])
        _ = machine.system.close(first)
        #expect(machine.system.createEventDescriptor().descriptor == first)
        #expect(machine.system.close(99).error == .badDescriptor)
    }

    @Test func `jobs run later and names mean what the table says`() throws {
        let simulation = Simulation(seed: 1)
        let system = simulation.system
        system.names.set("app.test", to: [.v4(0x0a00_0002, port: 0)])
        system.delayJobs(of: "work", by: .seconds(3))
        let pool = WorkerPool(name: "work", threads: 1, queuedMax: 4, system: system)
        let start = simulation.now
        #expect(pool.run { _ = system.lookUp("app.test") })
        try simulation.runUntilQuiet()
        #expect(simulation.now - start == .seconds(3))
        #expect(simulation.trace.lines.contains { $0.contains("looks up app.test") })
        #expect(system.lookUp("app.test") == .addresses([.v4(0x0a00_0002, port: 0)]))
        #expect(system.lookUp("other.test") == .failure("Name or service not known"))
        #expect(!system.startThread(named: "x") {}.isSuccess)
    }

    @Test func `the wall clock jumps and the monotonic one does not`() throws {
        let simulation = Simulation(seed: 1)
        let wall = simulation.system.wallTime()
        let monotonic = simulation.system.monotonicTime()
        simulation.system.jumpWallClock(by: .seconds(-100))
        try simulation.run(for: .seconds(1))
        #expect(simulation.system.wallTime().seconds == wall.seconds - 99)
        #expect(simulation.system.monotonicTime() - monotonic == .seconds(1))
    }
}

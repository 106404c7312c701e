import RelayEngine
import SimulatedSystem
import Testing

/// What epoll reports, and when.
struct EpollSemanticsTests {
    @Test func `edge-triggered reports once for each arrival`() throws {
        let machine = try RawMachine()
        let (client, server) = try machine.connect()
        let epoll = machine.edgeTriggered(server)
        #expect(machine.calls.wait(epoll).isEmpty)
        _ = machine.calls.send(client, [1])
        try machine.settle()
        #expect(machine.calls.wait(epoll)[1] == [.readable, .writable])
        #expect(machine.calls.wait(epoll).isEmpty)
        _ = machine.calls.send(client, [2])
        try machine.settle()
        #expect(machine.calls.wait(epoll)[1] == [.readable, .writable])
    }

    @Test func `level-triggered reports for as long as it is true`() throws {
        let machine = try RawMachine()
        let (client, server) = try machine.connect()
        let epoll = machine.system.createEpoll().descriptor
        _ = machine.system.epollAdd(epoll, server, .readable, token: 7)
        #expect(machine.calls.wait(epoll).isEmpty)
        _ = machine.calls.send(client, [1])
        try machine.settle()
        #expect(machine.calls.wait(epoll) == [7: .readable])
        #expect(machine.calls.wait(epoll) == [7: .readable])
        _ = machine.calls.receive(server, 1)
        #expect(machine.calls.wait(epoll).isEmpty)
    }

    @Test func `data and FIN together are one event`() throws {
        let machine = try RawMachine()
        let (client, server) = try machine.connect()
        let epoll = machine.edgeTriggered(server)
        _ = machine.calls.send(client, [1])
        _ = machine.system.shutdownOutput(client)
        try machine.settle()
        #expect(machine.calls.wait(epoll)[1] == [.readable, .writable, .peerHangUp])
        #expect(machine.calls.receive(server, 9).count == 1)
        #expect(machine.calls.wait(epoll).isEmpty)
    }

    @Test func `a close is reported to the other end, and nothing to its own epoll`() throws {
        let machine = try RawMachine(address: .unix(path: "/s"))
        let (client, server) = try machine.connect()
        let epoll = machine.edgeTriggered(server)
        let own = machine.edgeTriggered(client)
        _ = machine.system.close(client)
        #expect(
            machine.calls.wait(epoll)[1] == [.readable, .writable, .peerHangUp, .hangUp]
        )
        #expect(machine.calls.wait(own).isEmpty)
        #expect(machine.system.epollRemove(own, client).error == .badDescriptor)
    }

    @Test func `wakes one of the epolls that hold a listener exclusively`() throws {
        let machine = try RawMachine()
        let epolls = (0..<4).map { _ in machine.system.createEpoll().descriptor }
        for (index, epoll) in epolls.enumerated() {
            _ = machine.system.epollAdd(
                epoll,
                machine.listener,
                [.readable, .exclusive],
                token: UInt64(index)
            )
            #expect(machine.calls.wait(epoll).isEmpty)
        }
        _ = machine.simulation.connect(to: machine.address)
        try machine.settle()
        let woken = epolls.filter { !machine.calls.wait($0).isEmpty }
        #expect(woken.count == 1)
    }

    @Test func `an eventfd reports every write to an edge-triggered epoll`() throws {
        let machine = try RawMachine()
        let event = machine.system.createEventDescriptor().descriptor
        let epoll = machine.system.createEpoll().descriptor
        _ = machine.system.epollAdd(epoll, event, [.readable, .edgeTriggered], token: 1)
        #expect(machine.calls.wait(epoll).isEmpty)
        for _ in 0..<3 {
            _ = machine.system.signalEvent(event)
            #expect(machine.calls.wait(epoll) == [1: .readable])
            #expect(machine.calls.wait(epoll).isEmpty)
        }
    }

    @Test func `a raised signal is read once, the lowest first`() throws {
        let machine = try RawMachine()
        let signals = machine.system.createSignalDescriptor([15, 1]).descriptor
        let epoll = machine.system.createEpoll().descriptor
        _ = machine.system.epollAdd(epoll, signals, .readable, token: 1)
        #expect(machine.system.readSignal(signals).error == .tryAgain)
        for signal in [Int32(15), 1, 15, 10] { machine.simulation.system.raise(signal) }
        #expect(machine.calls.wait(epoll) == [1: .readable])
        #expect(machine.system.readSignal(signals).value == 1)
        #expect(machine.system.readSignal(signals).value == 15)
        #expect(machine.system.readSignal(signals).error == .tryAgain)
    }

    @Test func `a descriptor is registered once and removed once`() throws {
        let machine = try RawMachine()
        let epoll = machine.system.createEpoll().descriptor
        #expect(machine.system.epollAdd(epoll, machine.listener, .readable, token: 1).isSuccess)
        #expect(!machine.system.epollAdd(epoll, machine.listener, .readable, token: 1).isSuccess)
        #expect(machine.system.epollRemove(epoll, machine.listener).isSuccess)
        #expect(machine.system.epollRemove(epoll, machine.listener).error == .noSuchFile)
        #expect(machine.system.epollAdd(epoll, 99, .readable, token: 1).error == .badDescriptor)
    }

    @Test func `spurious events are reported and never claim an error`() throws {
        var conditions = MachineConditions.calm
        conditions.spuriousEventChance = 0.5
        let machine = try RawMachine(machine: conditions)
        let (_, server) = try machine.connect()
        let epoll = machine.edgeTriggered(server)
        var reported: EpollEvents = []
        var quiet = 0
        for _ in 0..<200 {
            let events = machine.calls.wait(epoll)
            reported.formUnion(events[1] ?? [])
            quiet += events.isEmpty ? 1 : 0
        }
        #expect(reported == [.readable, .writable])
        #expect(quiet > 50)
        #expect(machine.calls.receive(server, 1).error == .tryAgain)
    }
}

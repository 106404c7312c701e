import Glibc
import Testing

@testable import RelayEngine

struct ListenerTests {
    @Test(arguments: World.all)
    func `pauses when descriptors run out and goes on after a while`(world: World) throws {
        let bed = try EngineBed(world)
        let listener = try bed.listen()
        bed.turn()
        bed.machine.descriptorsLeft = 0
        let far = bed.machine.connect(to: listener.address)
        bed.run { listener.exhaustionPauses == 1 }
        for _ in 0..<5 { bed.turn(waitingAtMost: .zero) }
        // A level-triggered listener that stayed in the epoll would have failed in each turn.
        #expect(listener.exhaustionPauses == 1)
        bed.machine.descriptorsLeft = nil
        bed.machine.advance(by: .milliseconds(101))
        bed.run { bed.accepted.count == 1 && far.isConnected }
    }

    // Only Linux is asked: how often a fake is called says nothing.
    @Test func `does not call accept while it is paused`() throws {
        let system = AdjustableSystem()
        let bed = try EngineBed(system: system)
        let listener = try bed.listen()
        bed.turn()
        system.descriptorsLeft = 0
        let far = bed.machine.connect(to: listener.address)
        bed.run { listener.exhaustionPauses == 1 && far.isConnected }
        let calls = system.acceptCalls
        for _ in 0..<5 { bed.turn(waitingAtMost: .zero) }
        #expect(system.acceptCalls == calls)
    }

    @Test(arguments: World.all)
    func `goes on when a connection has freed a descriptor`(world: World) throws {
        let bed = try EngineBed(world)
        let listener = try bed.listen()
        let first = bed.machine.connect(to: listener.address)
        bed.run { bed.accepted.count == 1 && first.isConnected }
        bed.machine.descriptorsLeft = 0
        let second = bed.machine.connect(to: listener.address)
        bed.run { listener.exhaustionPauses == 1 && second.isConnected }
        #expect(bed.accepted.count == 1)
        first.reset()
        bed.run { bed.accepted.count == 2 }
    }

    @Test(arguments: World.all)
    func `accepts at most 16 connections a turn, and the rest in later ones`(world: World) throws {
        let bed = try EngineBed(world)
        let listener = try bed.listen()
        let clients = (0..<40).map { _ in bed.machine.connect(to: listener.address) }
        bed.run(turning: []) { clients.allSatisfy(\.isConnected) }
        var counts = [0]
        bed.run {
            counts.append(bed.accepted.count)
            return bed.accepted.count == 40
        }
        let steps = zip(counts, counts.dropFirst()).map { $1 - $0 }
        #expect(steps.allSatisfy { $0 <= 16 }, "\(steps)")
    }

    @Test(arguments: World.all)
    func `keeps to its number of connections`(world: World) throws {
        let bed = try EngineBed(world, loops: 2)
        let listener = try bed.listen(connectionsMax: 3)
        let clients = (0..<5).map { _ in bed.connect(to: listener.address) }
        bed.run { bed.accepted.count == 3 && clients.allSatisfy { $0.isOpen } }
        for _ in 0..<5 { bed.turn() }
        #expect(bed.accepted.count == 3)
        #expect(listener.connectionsOpen == 3)
        bed.accepted[0].close()
        bed.run { bed.accepted.count == 4 }
        listener.connectionsMax = 10
        bed.run { bed.accepted.count == 5 }
        #expect(listener.connectionsOpen == 4)
    }

    @Test(arguments: World.all)
    func `hands connections over to a loop that has fewer`(world: World) throws {
        let bed = try EngineBed(world, loops: 2)
        let listener = try bed.listen()
        bed.turn()
        let clients = (0..<200).map { _ in bed.machine.connect(to: listener.address) }
        // Only the first loop has turns, so that it accepts all of them.
        bed.run(turning: [bed.loop]) {
            bed.group.loops.map(\.streamCount).reduce(0, +) == 200
        }
        #expect(bed.accepted.allSatisfy { $0.loop === bed.loop })
        bed.run { bed.accepted.count == 200 && clients.allSatisfy(\.isConnected) }
        let counts = bed.group.loops.map(\.streamCount)
        #expect(counts.reduce(0, +) == 200)
        #expect(counts[0] <= counts[1] + counts[1] / 8 + 17, "\(counts)")
        let handedOver = bed.accepted.filter { $0.loop !== bed.loop }
        #expect(handedOver.count == counts[1])
        for stream in bed.accepted { stream.write([stream.loop === bed.loop ? 0 : 1]) }
        bed.run { clients.allSatisfy { $0.received.count == 1 } }
        #expect(clients.filter { $0.received == [1] }.count == counts[1])
    }

    @Test(arguments: World.all)
    func `accepts what is queued when it is removed`(world: World) throws {
        for isUnix in [false, true] {
            let bed = try EngineBed(world, loops: 2)
            let path = try bed.machine.makeSocketPath()
            let listener = try bed.listen(on: isUnix ? .unix(path: path) : .loopback(port: 0))
            let clients = (0..<40).map { _ in bed.machine.connect(to: listener.address) }
            bed.run(turning: []) { clients.allSatisfy(\.isConnected) }
            #expect(bed.accepted.isEmpty)
            let isClosed = Flag()
            listener.close { isClosed.set() }
            bed.run { isClosed.isSet }
            #expect(bed.group.loops.map(\.streamCount).reduce(0, +) == 40)
            bed.run { bed.accepted.count == 40 }
            for stream in bed.accepted { stream.write([7]) }
            bed.run { clients.allSatisfy { $0.received == [7] || $0.failure != nil } }
            #expect(clients.allSatisfy { $0.failure == nil })
            let late = bed.machine.connect(to: listener.address)
            bed.run { late.failure != nil }
            #expect(late.failure == (isUnix ? .noSuchFile : .connectionRefused))
        }
    }

    @Test(arguments: World.all)
    func `stops accepting while it is told to`(world: World) throws {
        let bed = try EngineBed(world)
        let listener = try bed.listen()
        listener.pauseAccepting()
        bed.turn()
        let client = bed.connect(to: listener.address)
        bed.run { client.isOpen }
        for _ in 0..<5 { bed.turn() }
        #expect(bed.accepted.isEmpty)
        listener.resumeAccepting()
        bed.run { bed.accepted.count == 1 }
    }

    @Test(arguments: World.all)
    func `shares a port only with those that it was told of`(world: World) throws {
        let bed = try EngineBed(world)
        let old = try bed.listen()
        let everywhere = SocketAddress.v4(0, port: old.address.port)
        #expect(everywhere.overlaps(old.address))
        let refusal = #expect(throws: ListenError.self) { try bed.listen(on: everywhere) }
        #expect(refusal?.cause == .addressInUse)
        #expect(
            refusal?.description
                == "cannot listen on \(everywhere): address already in use (bind)"
        )
        let new = try bed.listen(on: everywhere, overlapping: [old])
        bed.turn()
        old.close()
        bed.turn()
        let client = bed.connect(to: old.address)
        bed.run { client.isOpen && bed.accepted.count == 1 }
        #expect(new.connectionsOpen == 1)
    }
}

struct UnixListenerTests {
    @Test(arguments: World.all)
    func `carries bytes, half-closes and hang-ups`(world: World) throws {
        let bed = try EngineBed(world)
        let path = try bed.machine.makeSocketPath()
        let (client, server) = try bed.pair(on: .unix(path: path))
        client.write(pattern(100_000))
        client.shutdownOutput()
        bed.run { server.hasInputEnded }
        #expect(server.input == pattern(100_000))
        #expect(client.acknowledgedPosition() == 100_000)
        server.write([1, 2])
        server.close()
        bed.run { client.hasInputEnded }
        #expect(client.input == [1, 2])
    }

    @Test(arguments: World.all)
    func `replaces a file that nobody answers, and no other`(world: World) throws {
        let bed = try EngineBed(world)
        let path = try bed.machine.makeSocketPath()
        let address = SocketAddress.unix(path: path)
        let stale = bed.system.socket(.unix).descriptor
        #expect(bed.system.bind(stale, to: address).isSuccess)
        _ = bed.system.close(stale)
        let listener = try bed.listen(on: address)
        let refusal = #expect(throws: ListenError.self) { try bed.listen(on: address) }
        #expect(refusal?.cause == .addressInUse)
        listener.close()
        bed.turn()
        #expect(bed.system.isSocketFile(path).error == .noSuchFile)
    }

    // The simulated system has no directories.
    @Test func `does not replace what is no socket`() throws {
        let bed = try EngineBed()
        let directory = try TemporaryDirectory()
        #expect(bed.system.isSocketFile(directory.path).value == 0)
        #expect(throws: ListenError.self) { try bed.listen(on: .unix(path: directory.path)) }
    }

    @Test(arguments: World.all)
    func `refuses a path that no socket can have`(world: World) throws {
        let bed = try EngineBed(world)
        let path = "/tmp/" + String(repeating: "x", count: 200)
        let refusal = #expect(throws: ListenError.self) { try bed.listen(on: .unix(path: path)) }
        #expect(refusal?.operation == "bind" || refusal?.operation == "lstat")
    }
}

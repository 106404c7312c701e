import Glibc
import Testing

@testable import RelayEngine

struct ListenerTests {
    @Test func `pauses when descriptors run out and goes on after a while`() throws {
        let system = AdjustableSystem()
        let bed = try EngineBed(system: system)
        let listener = try bed.listen()
        bed.turn()
        system.acceptFailures = (1000, .tooManyFiles)
        let client = bed.connect(to: listener.address)
        bed.run { listener.exhaustionPauses == 1 }
        let calls = system.acceptCalls
        for _ in 0..<5 { bed.turn(waitingAtMost: .zero) }
        #expect(system.acceptCalls == calls)
        system.acceptFailures = (0, .tryAgain)
        system.advance(by: .milliseconds(101))
        bed.run { bed.accepted.count == 1 && client.isOpen }
    }

    @Test func `goes on when a connection has freed a descriptor`() throws {
        let system = AdjustableSystem()
        let bed = try EngineBed(system: system)
        let listener = try bed.listen()
        let first = bed.connect(to: listener.address)
        bed.run { bed.accepted.count == 1 && first.isOpen }
        system.acceptFailures = (1, .tooManyFiles)
        let second = bed.connect(to: listener.address)
        bed.run { listener.exhaustionPauses == 1 && second.isOpen }
        #expect(bed.accepted.count == 1)
        first.reset()
        bed.run { bed.accepted.count == 2 }
    }

    @Test func `keeps to its number of connections`() throws {
        let bed = try EngineBed(loops: 2)
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

    @Test func `hands connections over to a loop that has fewer`() throws {
        let bed = try EngineBed(loops: 2)
        let listener = try bed.listen()
        bed.turn()
        let clientLoop = try EventLoop(index: 2, system: bed.system)
        let clients = (0..<200).map { _ in bed.connect(to: listener.address, on: clientLoop) }
        // Only the first loop has turns, so that it accepts all of them.
        let clock = ContinuousClock()
        let end = clock.now + .seconds(10)
        while bed.group.loops.map(\.streamCount).reduce(0, +) < 200, clock.now < end {
            bed.loop.turn(waitingAtMost: .milliseconds(1))
        }
        clientLoop.turn(waitingAtMost: .zero)
        #expect(bed.accepted.allSatisfy { $0.loop === bed.loop })
        bed.run { bed.accepted.count == 200 }
        let counts = bed.group.loops.map(\.streamCount)
        #expect(counts.reduce(0, +) == 200)
        #expect(counts[0] <= counts[1] + counts[1] / 8 + 17, "\(counts)")
        let sent = try #require(bed.accepted.first { $0.loop !== bed.loop })
        sent.write([1])
        bed.turn()
        clientLoop.turn(waitingAtMost: .milliseconds(100))
        #expect(clients.contains { $0.input == [1] })
    }

    @Test func `accepts what is queued when it is removed`() throws {
        let bed = try EngineBed(loops: 2)
        let listener = try bed.listen()
        let clientLoop = try EventLoop(index: 2, system: bed.system)
        let clients = (0..<40).map { _ in bed.connect(to: listener.address, on: clientLoop) }
        while !clients.allSatisfy({ $0.isOpen }) {
            clientLoop.turn(waitingAtMost: .milliseconds(1))
        }
        #expect(bed.accepted.isEmpty)
        let isClosed = Flag()
        listener.close { isClosed.set() }
        bed.run { isClosed.isSet }
        #expect(bed.accepted.count + bed.group.loops.map(\.streamCount).reduce(0, +) >= 40)
        bed.run { bed.accepted.count == 40 }
        for stream in bed.accepted { stream.write([7]) }
        bed.turn()
        while !clients.allSatisfy({ $0.input == [7] || $0.reason != nil }) {
            clientLoop.turn(waitingAtMost: .milliseconds(1))
        }
        #expect(clients.allSatisfy { $0.reason == nil })
        let late = bed.connect(to: listener.address)
        bed.run { late.reason != nil }
        #expect(late.reason == .refused)
    }

    @Test func `stops accepting while it is told to`() throws {
        let bed = try EngineBed()
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

    @Test func `shares a port only with those that it was told of`() throws {
        let bed = try EngineBed()
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
    @Test func `carries bytes, half-closes and hang-ups`() throws {
        let bed = try EngineBed()
        let directory = try TemporaryDirectory()
        let (client, server) = try bed.pair(on: .unix(path: directory.path + "/socket"))
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

    @Test func `replaces a file that nobody answers, and no other`() throws {
        let bed = try EngineBed()
        let directory = try TemporaryDirectory()
        let path = directory.path + "/socket"
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
        #expect(bed.system.isSocketFile(directory.path).value == 0)
        #expect(throws: ListenError.self) { try bed.listen(on: .unix(path: directory.path)) }
    }

    @Test func `refuses a path that no socket can have`() throws {
        let bed = try EngineBed()
        let path = "/tmp/" + String(repeating: "x", count: 200)
        let refusal = #expect(throws: ListenError.self) { try bed.listen(on: .unix(path: path)) }
        #expect(refusal?.operation == "bind" || refusal?.operation == "lstat")
    }
}

import Testing

@testable import RelayEngine

struct ConnectTests {
    @Test(arguments: World.all)
    func `is refused where nobody listens`(world: World) throws {
        let bed = try EngineBed(world)
        let listener = try bed.listen()
        let address = listener.address
        listener.close()
        bed.turn()
        let client = bed.connect(to: address)
        bed.run { client.reason != nil }
        #expect(client.events == [.closed(.refused)])
    }

    @Test(arguments: World.all)
    func `gives up at its deadline`(world: World) throws {
        let bed = try EngineBed(world)
        // A queue for one connection that nobody accepts from: the kernel ignores further ones.
        let socket = bed.system.socket(.v4).descriptor
        #expect(bed.system.bind(socket, to: .loopback(port: 0)).isSuccess)
        #expect(bed.system.listen(socket, backlog: 0).isSuccess)
        defer { _ = bed.system.close(socket) }
        let address = try #require(bed.system.localAddress(socket))
        let clients = (0..<4).map { _ in bed.connect(to: address, within: .seconds(5)) }
        bed.run { clients.contains { $0.events == [.connected] } }
        let waiting = clients.filter { $0.events.isEmpty }
        try #require(!waiting.isEmpty)
        bed.machine.advance(by: .seconds(6))
        bed.run { waiting.allSatisfy { $0.reason != nil } }
        #expect(waiting.allSatisfy { $0.events == [.closed(.timedOut)] })
    }

    @Test(arguments: World.all)
    func `sends what was written before it was connected`(world: World) throws {
        let bed = try EngineBed(world)
        let listener = try bed.listen()
        let client = RecordingStream(loop: bed.loop)
        client.write(pattern(60))
        bed.turn(waitingAtMost: .zero)
        client.connect(to: listener.address, deadline: bed.loop.now + .seconds(60))
        client.write(Array(pattern(100)[60...]))
        client.shutdownOutput()
        bed.run { bed.accepted.first?.hasInputEnded == true }
        #expect(bed.accepted.first?.input == pattern(100))
        #expect(client.peer == listener.address)
        #expect(client.localAddress == bed.accepted.first?.peer)
    }

    @Test(arguments: World.all)
    func `connects over IPv6`(world: World) throws {
        let bed = try EngineBed(world)
        let loopback = try #require(SocketAddress(numericHost: "::1", port: 0))
        guard let listener = try? bed.listen(on: loopback) else { return }
        let client = bed.connect(to: listener.address)
        client.write([1, 2, 3])
        bed.run { bed.accepted.first?.input == [1, 2, 3] }
        #expect(bed.accepted.first?.peer.host == "::1")
    }
}

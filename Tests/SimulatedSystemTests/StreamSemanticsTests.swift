import Glibc
import RelayEngine
import SimulatedSystem
import Testing

/// What recv(2), send(2), shutdown(2), close(2) and SIOCOUTQ do on connected sockets.
struct StreamSemanticsTests {
    static let addresses: [SocketAddress] = [
        .loopback(port: 0), .v6(high: 0, low: 1, port: 0, zone: 0), .unix(path: "/run/test.sock"),
    ]

    @Test(arguments: addresses)
    func `delivers bytes in order and then the end of the stream`(
        address: SocketAddress
    ) throws {
        let machine = try RawMachine(address: address)
        let (client, server) = try machine.connect()
        #expect(machine.calls.receive(server, 10).error == .tryAgain)
        #expect(machine.calls.send(client, [1, 2, 3]).value == 3)
        #expect(machine.calls.send(client, [4, 5]).value == 2)
        _ = machine.system.shutdownOutput(client)
        try machine.settle()
        #expect(try machine.calls.receive(server, 4).get() == [1, 2, 3, 4])
        #expect(try machine.calls.receive(server, 4).get() == [5])
        #expect(machine.calls.receive(server, 4).count == 0)
        #expect(machine.calls.send(client, [6]).error == .brokenPipe)
        #expect(machine.calls.send(server, [7]).value == 1)
        try machine.settle()
        #expect(try machine.calls.receive(client, 4).get() == [7])
    }

    @Test(arguments: addresses)
    func `a full buffer refuses more and is writable once it was read`(
        address: SocketAddress
    ) throws {
        let machine = try RawMachine(address: address)
        let (client, server) = try machine.connect()
        let epoll = machine.edgeTriggered(client)
        var sent = 0
        while true {
            let result = machine.calls.send(client, count: 100_000)
            if result.error == .tryAgain {
                try machine.settle()
                if machine.calls.wait(epoll).isEmpty { break }
                continue
            }
            sent += result.value
        }
        #expect(!machine.calls.readiness(client).contains(.writable))
        var read = 0
        while let count = machine.calls.receive(server, 65_536).count, count > 0 {
            read += count
            try machine.settle()
        }
        #expect(read == sent)
        #expect(machine.calls.wait(epoll)[1]?.contains(.writable) == true)
    }

    @Test func `counts written bytes until the other kernel acknowledges them`() throws {
        let machine = try RawMachine()
        let (client, server) = try machine.connect()
        _ = machine.calls.send(client, count: 500)
        #expect(machine.system.bytesUnacknowledged(client).value == 500)
        try machine.settle()
        #expect(machine.system.bytesUnacknowledged(client).value == 0)
        #expect(machine.calls.receive(server, 1000).count == 500)
        _ = machine.system.shutdownOutput(client)
        #expect(machine.system.bytesUnacknowledged(client).value == 1)
        try machine.settle()
        #expect(machine.system.bytesUnacknowledged(client).value == 0)
    }

    @Test func `counts written bytes on a unix socket until they are read`() throws {
        let machine = try RawMachine(address: .unix(path: "/s"))
        let (client, server) = try machine.connect()
        _ = machine.calls.send(client, count: 500)
        try machine.settle()
        #expect(machine.system.bytesUnacknowledged(client).value >= 500)
        _ = machine.calls.receive(server, 499)
        #expect(machine.system.bytesUnacknowledged(client).value >= 1)
        _ = machine.calls.receive(server, 499)
        #expect(machine.system.bytesUnacknowledged(client).value == 0)
    }

    @Test(arguments: [SocketAddress.loopback(port: 0), .unix(path: "/s")])
    func `closing with unread bytes resets, and what had arrived is read first`(
        address: SocketAddress
    ) throws {
        let machine = try RawMachine(address: address)
        let (client, server) = try machine.connect()
        _ = machine.calls.send(client, [1])
        _ = machine.calls.send(server, [2, 3])
        try machine.settle()
        _ = machine.system.close(server)
        try machine.settle()
        #expect(
            machine.calls.readiness(client)
                == [.readable, .writable, .peerHangUp, .hangUp, .error]
        )
        #expect(try machine.calls.receive(client, 9).get() == [2, 3])
        #expect(machine.calls.receive(client, 9).error == .connectionReset)
        #expect(machine.calls.receive(client, 9).count == 0)
        #expect(machine.calls.send(client, [1]).error == .brokenPipe)
    }

    @Test func `closing after everything was read sends FIN, and bytes after it a reset`() throws {
        let machine = try RawMachine()
        let (client, server) = try machine.connect()
        _ = machine.system.close(server)
        try machine.settle()
        #expect(machine.calls.readiness(client) == [.readable, .writable, .peerHangUp])
        #expect(machine.calls.receive(client, 9).count == 0)
        #expect(machine.calls.send(client, [1]).value == 1)
        try machine.settle()
        #expect(machine.calls.readiness(client).isSuperset(of: [.error, .hangUp]))
        #expect(machine.calls.receive(client, 9).count == 0)
        #expect(machine.calls.send(client, [1]).error == .brokenPipe)
    }

    @Test func `bytes sent before close arrive after it`() throws {
        let machine = try RawMachine()
        let (client, server) = try machine.connect()
        var sent = 0
        while let count = Optional(machine.calls.send(server, count: 50_000).value), count > 0 {
            sent += count
        }
        _ = machine.system.close(server)
        try machine.settle()
        var read = 0
        while let count = machine.calls.receive(client, 65_536).count, count > 0 {
            read += count
            try machine.settle()
        }
        #expect(read == sent)
        #expect(machine.calls.receive(client, 9).count == 0)
    }

    @Test func `a reset fails the first write after it with its own error`() throws {
        let machine = try RawMachine()
        let (client, server) = try machine.connect()
        _ = machine.system.setOption(.resetOnClose, of: server, to: 1)
        _ = machine.system.close(server)
        try machine.settle()
        #expect(machine.calls.send(client, [1]).error == .connectionReset)
        #expect(machine.calls.send(client, [1]).error == .brokenPipe)
        #expect(machine.calls.receive(client, 1).count == 0)
    }

    @Test func `a reset that overtakes data loses it`() throws {
        var network = Conditions.calm
        network.latency = .milliseconds(1)...(.milliseconds(1))
        network.stall = .seconds(1)...(.seconds(1))
        network.stallChance = 1
        network.resetOvertakesChance = 1
        let machine = try RawMachine(network: network)
        let (client, server) = try machine.connect()
        _ = machine.calls.send(server, [1, 2])
        _ = machine.system.setOption(.resetOnClose, of: server, to: 1)
        _ = machine.system.close(server)
        try machine.settle()
        #expect(machine.calls.receive(client, 9).error == .connectionReset)
    }

    @Test func `sockets that are not connected refuse to send and receive`() throws {
        let machine = try RawMachine()
        let tcp = machine.system.socket(.v4).descriptor
        #expect(machine.calls.receive(tcp, 1).error == .notConnected)
        #expect(machine.calls.send(tcp, [1]).error == .brokenPipe)
        #expect(machine.calls.readiness(tcp) == [.writable, .hangUp])
        let unix = machine.system.socket(.unix).descriptor
        #expect(machine.calls.receive(unix, 1).error == .invalidArgument)
        #expect(machine.calls.send(unix, [1]).error == .notConnected)
        #expect(machine.calls.send(99, [1]).error == .badDescriptor)
    }

    @Test func `short reads and writes lose nothing`() throws {
        var network = Conditions.calm
        network.shortReadChance = 1
        network.shortWriteChance = 1
        network.splitsSegments = true
        let machine = try RawMachine(seed: 7, network: network)
        let (client, server) = try machine.connect()
        let bytes = (0..<5000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        var sent = 0
        var read: [UInt8] = []
        var sizes: Set<Int> = []
        while read.count < bytes.count {
            sent += machine.calls.send(client, Array(bytes[sent...])).value
            try machine.settle()
            while case .success(let part) = machine.calls.receive(server, 4096) {
                sizes.insert(part.count)
                read += part
            }
        }
        #expect(read == bytes)
        #expect(sizes.count > 5)
    }

    @Test func `an unanswered peer is given up after TCP_USER_TIMEOUT`() throws {
        let machine = try RawMachine()
        let peer = machine.simulation.connect(to: machine.address)
        try machine.settle()
        let server = machine.system.accept(machine.listener).result.descriptor
        _ = machine.system.setOption(.userTimeout, of: server, to: 5000)
        try machine.simulation.run(for: .seconds(600))
        peer.fallSilent()
        _ = machine.calls.send(server, [1])
        try machine.simulation.run(for: .milliseconds(4900))
        #expect(machine.calls.receive(server, 1).error == .tryAgain)
        try machine.simulation.run(for: .milliseconds(200))
        #expect(machine.calls.receive(server, 1).error == .timedOut)
    }

    @Test func `keep-alive finds a peer that has gone silent`() throws {
        let machine = try RawMachine()
        let peer = machine.simulation.connect(to: machine.address)
        try machine.settle()
        let server = machine.system.accept(machine.listener).result.descriptor
        for (option, value) in [
            (SocketOption.keepAliveIdle, 30), (.keepAliveInterval, 10), (.keepAliveProbes, 3),
            (.keepAlive, 1),
        ] {
            _ = machine.system.setOption(option, of: server, to: Int32(value))
        }
        peer.fallSilent()
        try machine.simulation.run(for: .seconds(59))
        #expect(machine.calls.readiness(server) == .writable)
        try machine.simulation.run(for: .seconds(2))
        #expect(machine.system.takeSocketError(server).value == Int(ETIMEDOUT))
    }
}

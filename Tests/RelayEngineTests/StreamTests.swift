import SimulatedSystem
import Testing

@testable import RelayEngine

struct StreamTests {
    @Test(arguments: World.all)
    func `sees all data before the FIN behind it`(world: World) throws {
        let bed = try EngineBed(world)
        let (far, server) = try bed.serve()
        far.send(pattern(100_000))
        far.shutdownOutput()
        bed.run { server.events.contains(.inputEnded) }
        #expect(server.input == pattern(100_000))
        #expect(server.events.last == .inputEnded)
        #expect(server.events.filter { $0 == .inputEnded }.count == 1)
        #expect(server.events.filter { $0 == .peerHungUp }.count == 1)
    }

    @Test(arguments: World.all)
    func `writes on after the peer has ended its direction`(world: World) throws {
        let bed = try EngineBed(world)
        let (far, server) = try bed.serve()
        far.shutdownOutput()
        bed.run { server.hasInputEnded }
        server.write(pattern(1000))
        server.shutdownOutput()
        bed.run { far.hasInputEnded }
        #expect(far.received == pattern(1000))
        far.close()
        server.close()
        bed.run { server.reason != nil }
        #expect(server.reason == .closed)
        #expect(bed.loop.streamCount == 0)
    }

    @Test(arguments: World.all)
    func `reports a reset, while reading too and while paused`(world: World) throws {
        for pauses in [false, true] {
            let bed = try EngineBed(world)
            let (far, server) = try bed.serve()
            if pauses { server.pauseReading() }
            far.reset()
            bed.run { server.reason != nil }
            #expect(server.reason == .resetByPeer)
            #expect(server.events.contains(.peerHungUp))
        }
    }

    @Test(arguments: World.all)
    func `resets the peer when it is told to, and drops its output`(world: World) throws {
        let bed = try EngineBed(world)
        let (far, server) = try bed.serve()
        server.write(pattern(10))
        server.reset()
        bed.run { server.reason != nil && far.failure != nil }
        #expect(server.reason == .resetByUs)
        #expect(far.failure == .connectionReset)
        #expect(far.received.isEmpty)
    }

    @Test(arguments: World.all)
    func `reports a hang-up while reading is paused`(world: World) throws {
        let bed = try EngineBed(world)
        let (far, server) = try bed.serve()
        server.pauseReading()
        far.send(pattern(10))
        far.shutdownOutput()
        bed.run { server.hasPeerHungUp }
        #expect(server.input.isEmpty)
        server.resumeReading()
        bed.run { server.hasInputEnded }
        #expect(server.input == pattern(10))
    }

    @Test(arguments: World.unsplit)
    func `offers again what was not taken, with more behind it`(world: World) throws {
        let bed = try EngineBed(world)
        let (client, server) = try bed.pair()
        server.take = { _, bytes in bytes.count < 6 ? 0 : 6 }
        client.write(Array("abcd".utf8))
        bed.run { server.bytesHeld == 4 }
        #expect(server.input.isEmpty)
        client.write(Array("efgh".utf8))
        bed.run { !server.input.isEmpty }
        #expect(server.input == Array("abcdef".utf8))
        #expect(server.bytesHeld == 2)
        client.shutdownOutput()
        bed.run { server.hasInputEnded }
        #expect(server.bytesHeld == 2)
    }

    @Test(arguments: World.unsplit)
    func `offers the rest when reading is resumed, though nothing more arrived`(world: World) throws
    {
        let bed = try EngineBed(world)
        let (client, server) = try bed.pair()
        server.take = { stream, bytes in
            stream.pauseReading()
            return min(2, bytes.count)
        }
        client.write(Array("abcdef".utf8))
        bed.run { server.input.count == 2 }
        bed.turn()
        #expect(server.input.count == 2)
        server.resumeReading()
        bed.run { server.input.count == 4 }
        server.take = nil
        server.resumeReading()
        bed.run { server.input.count == 6 }
        #expect(server.input == Array("abcdef".utf8))
    }

    @Test(arguments: World.unsplit)
    func `offers the rest in the next turn when asked to`(world: World) throws {
        let bed = try EngineBed(world)
        let (client, server) = try bed.pair()
        server.take = { stream, _ in
            stream.offerRestNextTurn()
            return 1
        }
        client.write(Array("abc".utf8))
        bed.run { server.input.count == 1 }
        bed.turn()
        #expect(server.input.count == 2)
        bed.turn()
        #expect(server.input == Array("abc".utf8))
        #expect(server.bytesHeld == 0)
    }

    @Test(arguments: World.all)
    func `holds more than one receive buffer of input`(world: World) throws {
        let bed = try EngineBed(world)
        let (client, server) = try bed.pair()
        server.take = { _, bytes in bytes.count < 400_000 ? 0 : bytes.count }
        client.write(shared: pattern(400_000), 0..<400_000)
        bed.run { server.input.count == 400_000 }
        #expect(server.input == pattern(400_000))
    }

    @Test(arguments: World.unsplit)
    func `does not let a fast sender starve its neighbours`(world: World) throws {
        let bed = try EngineBed(world, socketBytes: 8 << 20)
        let (fast, fastServer) = try bed.pair()
        bed.accepted = []
        let (slow, slowServer) = try bed.pair()
        fastServer.pauseReading()
        fast.write([UInt8](repeating: 7, count: 4 << 20))
        bed.run { fast.writtenPosition > 0 }
        // As much as the kernel holds now waits to be read, and a byte of the other one behind it.
        var slowAt: Int?
        slowServer.onEvent = { _, event in
            if case .received = event { slowAt = fastServer.input.count }
        }
        fastServer.resumeReading()
        slow.write([1])
        bed.run { slowAt != nil && fastServer.input.count > 1 << 20 }
        // Two turns' budget, of which the last call of each may overrun by one buffer.
        #expect(try #require(slowAt) <= 2 * (256 + 64) * 1024)
        bed.run { fastServer.input.count == 4 << 20 }
    }

    @Test(arguments: World.all)
    func `queues what the kernel refuses and says when there is room`(world: World) throws {
        let bed = try EngineBed(world)
        let (client, server) = try bed.pair()
        server.pauseReading()
        let block = pattern(50_000)
        var blocks = 0
        while !client.isOutputAboveHighWater {
            // Copied and shared bytes by turns, so that sends are gathered too.
            if blocks % 2 == 0 {
                client.write(block)
            } else {
                client.write(shared: block, 0..<block.count)
            }
            blocks += 1
            bed.turn(waitingAtMost: .zero)
        }
        #expect(client.bytesQueued <= RelayEngine.Stream.highWaterMark + block.count)
        #expect(client.outputPosition == UInt64(blocks * block.count))
        #expect(client.writtenPosition == client.outputPosition - UInt64(client.bytesQueued))
        #expect(!client.events.contains(.outputBelowLowWater))
        server.resumeReading()
        bed.run { server.input.count == blocks * block.count }
        #expect(client.events.contains(.outputBelowLowWater))
        #expect(client.events.last == .outputDrained)
        #expect(!client.isOutputAboveHighWater)
        let isIntact = (0..<blocks).allSatisfy {
            server.input[($0 * block.count)..<(($0 + 1) * block.count)].elementsEqual(block)
        }
        #expect(isIntact)
    }

    @Test(arguments: World.all)
    func `gathers the writes of a turn in order, however many parts they have`(world: World) throws
    {
        let bed = try EngineBed(world)
        let (client, server) = try bed.pair()
        var expected: [UInt8] = []
        let shared = pattern(5000)
        for index in 0..<40 {
            let head = Array("part \(index);".utf8)
            client.write(head)
            client.write(shared: shared, index..<(index + 4200))
            client.write(upTo: 4) { $0.append(UInt8(index)) }
            expected += head + shared[index..<(index + 4200)] + [UInt8(index)]
        }
        bed.run { server.input.count == expected.count }
        #expect(server.input == expected)
    }

    @Test(arguments: World.all)
    func `knows what the peer's kernel has acknowledged`(world: World) throws {
        let bed = try EngineBed(world)
        let (client, server) = try bed.pair()
        server.pauseReading()
        server.keepsInput = false
        client.write(pattern(1000))
        bed.run { client.acknowledgedPosition() == 1000 }
        client.write([UInt8](repeating: 7, count: bed.machine.bytesBeyondSockets))
        bed.run { client.acknowledgedPosition() > 1000 && client.bytesQueued > 0 }
        #expect(client.acknowledgedPosition() < client.outputPosition)
        server.resumeReading()
        client.shutdownOutput()
        bed.run {
            client.hasShutDownOutput && client.acknowledgedPosition() == client.outputPosition
        }
        #expect(client.outputPosition == UInt64(1000 + bed.machine.bytesBeyondSockets))
    }

    // Only a fake peer can keep its acknowledgements to itself.
    @Test(arguments: 1...4 as ClosedRange<UInt64>)
    func `counts a FIN that is not acknowledged as no data`(seed: UInt64) throws {
        let bed = try EngineBed(.calm(seed: seed))
        let (far, server) = try bed.serve()
        let peer = try #require(far as? SimulatedPeer)
        server.write(pattern(10))
        bed.run { server.acknowledgedPosition() == 10 }
        peer.holdsAcknowledgements = true
        server.shutdownOutput()
        bed.run { far.hasInputEnded }
        #expect(bed.system.bytesUnacknowledged(server.descriptor).value == 1)
        #expect(server.acknowledgedPosition() == 10)
    }

    @Test(arguments: World.unsplit)
    func `does not count its own FIN as unacknowledged data`(world: World) throws {
        let bed = try EngineBed(world)
        let (client, server) = try bed.pair()
        client.write(pattern(10))
        client.shutdownOutput()
        bed.turn(waitingAtMost: .zero)
        bed.run { server.hasInputEnded }
        #expect(client.acknowledgedPosition() == 10)
    }

    @Test(arguments: World.all)
    func `lets the answer arrive when it closes on unread input`(world: World) throws {
        let bed = try EngineBed(world)
        let (far, server) = try bed.serve()
        server.take = { stream, bytes in
            stream.pauseReading()
            return 0
        }
        far.send(pattern(300_000))
        bed.run { server.isReadingPaused }
        server.write(pattern(2000))
        server.closeLingering()
        bed.run { far.hasInputEnded }
        #expect(far.received == pattern(2000))
        far.close()
        bed.run { server.reason != nil }
        #expect(server.reason == .closed)
    }

    @Test(arguments: World.all)
    func `resets a peer that does not take what is left in time`(world: World) throws {
        let bed = try EngineBed(world)
        let (far, server) = try bed.serve()
        far.stopReading()
        server.write([UInt8](repeating: 7, count: bed.machine.bytesBeyondSockets))
        server.close(within: .seconds(3))
        bed.turn()
        bed.machine.advance(by: .milliseconds(2990))
        bed.turn()
        #expect(server.reason == nil)
        bed.machine.advance(by: .milliseconds(12))
        bed.run { server.reason != nil }
        #expect(server.reason == .timedOut)
        far.startReading()
        bed.run { far.failure != nil }
        #expect(far.failure == .connectionReset)
    }

    @Test(arguments: World.all)
    func `reads an early answer though the peer takes no more`(world: World) throws {
        let bed = try EngineBed(world)
        let (client, server) = try bed.pair()
        client.write(pattern(10))
        bed.run { server.input.count == 10 }
        // The server answers and closes while more is on its way to it, which resets the connection.
        server.write(pattern(500))
        server.close()
        client.write(pattern(1000))
        bed.run { client.reason != nil || client.hasInputEnded }
        #expect(client.input == pattern(500))
    }

    @Test(arguments: World.all)
    func `moves a deadline without losing it, and clears it`(world: World) throws {
        let bed = try EngineBed(world)
        let (client, server) = try bed.pair()
        client.setDeadline(bed.loop.now + .seconds(1))
        client.setDeadline(bed.loop.now + .seconds(5))
        server.setDeadline(bed.loop.now + .seconds(5))
        server.setDeadline(bed.loop.now + .seconds(1))
        bed.machine.advance(by: .seconds(2))
        bed.turn()
        #expect(!client.events.contains(.deadlineReached))
        #expect(server.events.contains(.deadlineReached))
        bed.machine.advance(by: .seconds(4))
        bed.turn()
        #expect(client.events.filter { $0 == .deadlineReached }.count == 1)
        client.setDeadline(bed.loop.now + .seconds(1))
        client.clearDeadline()
        let timer = client.armTimer(tag: 7, at: bed.loop.now + .seconds(1))
        let cancelled = client.armTimer(tag: 8, at: bed.loop.now + .seconds(1))
        #expect(bed.loop.cancel(cancelled))
        bed.machine.advance(by: .seconds(2))
        bed.turn()
        #expect(client.events.filter { $0 == .deadlineReached }.count == 1)
        #expect(client.events.last == .timerFired(7))
        #expect(!bed.loop.rearm(timer, at: bed.loop.now))
    }

    @Test(arguments: World.all)
    func `refuses the handle of a stream that is closed`(world: World) throws {
        let bed = try EngineBed(world)
        let (client, _) = try bed.pair()
        let handle = client.handle
        #expect(bed.loop.stream(handle) === client)
        client.reset()
        bed.run { client.reason != nil }
        #expect(bed.loop.stream(handle) == nil)
        let (other, _) = try EngineBed(world).pair()
        #expect(other.handle.generation != 0)
    }

    @Test(arguments: World.all)
    func `does nothing after it is closed`(world: World) throws {
        let bed = try EngineBed(world)
        let (client, _) = try bed.pair()
        client.reset()
        bed.run { client.reason != nil }
        client.write([1])
        client.close()
        client.reset()
        client.resumeReading()
        client.shutdownOutput()
        bed.turn()
        #expect(client.events.filter { if case .closed = $0 { true } else { false } }.count == 1)
        #expect(client.outputPosition == 0)
    }
}

import RelayConfig
import RelayEngine
import RelayHTTP
import Synchronization
import Testing

@testable import RelayUpstream

struct FailureTests {
    /// What is expected of a request that fails.
    private func expect(
        _ handler: RecordingHandler,
        _ kind: UpstreamFailure.Kind,
        _ outcome: UpstreamFailure.Outcome,
        _ reason: String? = nil,
        sourceLocation: Testing.SourceLocation = #_sourceLocation
    ) {
        #expect(handler.failure?.kind == kind, sourceLocation: sourceLocation)
        #expect(handler.failure?.outcome == outcome, sourceLocation: sourceLocation)
        #expect(handler.endings == 1, sourceLocation: sourceLocation)
        if let reason {
            #expect(handler.failure?.reason == reason, sourceLocation: sourceLocation)
        }
    }

    @Test func `a target that hangs up without a word leaves the outcome open`() throws {
        let bed = try PoolBed()
        let handler = bed.start()
        try bed.run { bed.origin.hasRequest }
        bed.origin.connections[0].close()
        try bed.run { handler.isOver }
        self.expect(handler, .reset, .ambiguous, "connection ended before a response")
        bed.settle()
        #expect(bed.shared.status(of: 0).connectionsOpen == 0)
    }

    @Test func `so does a reset, and half a head`() throws {
        let bed = try PoolBed()
        let reset = bed.start()
        try bed.run { bed.origin.hasRequest }
        bed.origin.connections[0].reset()
        try bed.run { reset.isOver }
        self.expect(reset, .reset, .ambiguous, "connection reset by the target")

        let half = bed.start()
        try bed.run { bed.origin.hasRequest }
        bed.origin.answer("HTTP/1.1 200 O")
        bed.origin.connections[1].close()
        try bed.run { half.isOver }
        self.expect(half, .reset, .ambiguous, "connection ended within the response head")
    }

    @Test func `a body that breaks off was answered all the same`() throws {
        let bed = try PoolBed()
        let handler = bed.start()
        try bed.run { bed.origin.hasRequest }
        bed.origin.answer("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab")
        bed.origin.connections[0].close()
        try bed.run { handler.isOver }
        self.expect(handler, .reset, .answered, "connection ended before the response body did")
        #expect(handler.status == 200)
        #expect(handler.text == "ab")
    }

    @Test func `what is not HTTP is malformed and its connection is closed`() throws {
        let bed = try PoolBed()
        let handler = bed.start()
        try bed.run { bed.origin.hasRequest }
        bed.origin.answer("SSH-2.0-OpenSSH_9.9\r\n\r\n")
        try bed.run { handler.isOver }
        self.expect(
            handler,
            .malformed,
            .ambiguous,
            ResponseFault.malformedStatusLine.detail.description
        )
        try bed.run { bed.origin.open.isEmpty }
    }

    @Test func `a body above the limit is malformed behind its head`() throws {
        let bed = try PoolBed()
        let handler = bed.start { $0.responseBytesMax = 3 }
        try bed.run { bed.origin.hasRequest }
        bed.origin.answer("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabcd")
        try bed.run { handler.isOver }
        #expect(handler.status == 200)
        #expect(handler.text == "")
        self.expect(handler, .malformed, .answered, ResponseFault.bodyTooLarge.detail.description)
    }

    @Test func `a response that does not come in time`() throws {
        let bed = try PoolBed()
        let handler = bed.start { $0.timeout = .seconds(3) }
        try bed.run { bed.origin.hasRequest }
        bed.advance(by: .milliseconds(2990))
        #expect(!handler.isOver)
        bed.advance(by: .milliseconds(20))
        self.expect(handler, .timedOut, .ambiguous, "no complete response in time")
        try bed.run { bed.origin.open.isEmpty }
        #expect(bed.shared.status(of: 0).isUsable)
    }

    @Test func `one that begins in time must also end in time`() throws {
        let bed = try PoolBed()
        let handler = bed.start { $0.timeout = .seconds(3) }
        try bed.run { bed.origin.hasRequest }
        bed.origin.answer("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab")
        bed.settle()
        bed.advance(by: .milliseconds(3010))
        self.expect(handler, .timedOut, .answered)
    }

    @Test func `the deadline counts if it is earlier`() throws {
        let bed = try PoolBed()
        let now = bed.pool.loop.now
        let handler = bed.start {
            $0.timeout = .seconds(30)
            $0.deadline = now + .seconds(2)
        }
        try bed.run { bed.origin.hasRequest }
        bed.advance(by: .milliseconds(2010))
        self.expect(handler, .timedOut, .ambiguous)
    }

    @Test func `a deadline that has passed sends nothing and is told later`() throws {
        let bed = try PoolBed()
        let now = bed.pool.loop.now
        let handler = bed.start { $0.deadline = now }
        #expect(!handler.isOver)
        bed.settle()
        self.expect(handler, .timedOut, .notSent)
        #expect(bed.origin.connections.isEmpty)
    }

    @Test func `a held response without limit stays`() throws {
        let bed = try PoolBed()
        let handler = bed.start { $0.expectsLongHold = true }
        try bed.run { bed.origin.hasRequest }
        bed.advance(by: .seconds(86_400))
        #expect(!handler.isOver)
        bed.origin.answer()
        try bed.run { handler.isOver }
        #expect(handler.isEnded)
    }

    @Test func `a cancelled request closes its connection and is heard of no more`() throws {
        let bed = try PoolBed()
        let handler = bed.start()
        try bed.run { bed.origin.hasRequest }
        let request = try #require(handler.request)
        bed.pool.cancel(request)
        bed.pool.cancel(request)
        #expect(bed.pool.requestsUnderWay == 0)
        try bed.run { bed.origin.open.isEmpty }
        #expect(!handler.isOver)
        #expect(bed.shared.status(of: 0).connectionsOpen == 0)
    }

    @Test func `the connection of one cancelled while connecting serves the next`() throws {
        let bed = try PoolBed()
        let handler = bed.start()
        bed.pool.cancel(try #require(handler.request))
        try bed.run { bed.origin.connections.count == 1 }
        bed.settle()
        try bed.exchange()
        #expect(bed.origin.connections.count == 1)
        #expect(!handler.isOver)
    }

    @Test func `nobody there is unreachable`() throws {
        let bed = try PoolBed()
        bed.origin.stop()
        bed.settle()
        let handler = bed.start()
        try bed.run { handler.isOver }
        self.expect(handler, .unreachable, .notSent, "connection refused")
        #expect(bed.shared.status(of: 0).connectionsOpen == 0)
    }

    @Test func `no descriptor left is our trouble and not the target's`() throws {
        let bed = try PoolBed()
        bed.system.isExhausted.store(true, ordering: .relaxed)
        let handler = bed.start()
        bed.settle()
        self.expect(handler, .noCapacity, .notSent)
        #expect(bed.shared.status(of: 0).isUsable)
        #expect(bed.shared.status(of: 0).connectionsOpen == 0)
        bed.system.isExhausted.store(false, ordering: .relaxed)
        try bed.exchange()
    }
}

struct NameTests {
    private func bed(_ lookup: NameLookup) throws -> PoolBed {
        let bed = try PoolBed({ group in
            let origin = try Origin(on: group, address: .loopback(port: 0))
            return ([origin], [.tcp("app.test", origin.address.port)])
        })
        bed.system.names.withLock { $0["app.test"] = lookup }
        return bed
    }

    @Test func `connects to what a name means`() throws {
        let bed = try self.bed(.addresses([.loopback(port: 0)]))
        try bed.exchange()
        try bed.exchange { $0.freshness = .recent }
        #expect(bed.origin.connections.count == 1)
    }

    @Test func `tries one address after the other and then the good one first`() throws {
        // The origin listens on 127.0.0.1 only.
        let bed = try self.bed(.addresses([.v4(0x7f00_0002, port: 0), .loopback(port: 0)]))
        let handlers = [try bed.exchange(), try bed.exchange()]
        #expect(handlers.allSatisfy { $0.isEnded })
        #expect(bed.shared.status(of: 0).isUsable)
    }

    @Test func `an unknown name is unreachable`() throws {
        let bed = try self.bed(.failure("no such name"))
        let handler = bed.start()
        try bed.run { handler.isOver }
        #expect(handler.failure?.kind == .unreachable)
        #expect(handler.failure?.outcome == .notSent)
        #expect(handler.failure?.reason == "name look-up failed: no such name")
        #expect(!bed.shared.status(of: 0).isUsable)
        #expect(bed.shared.status(of: 0).connectionsOpen == 0)
    }

    @Test func `a name that takes too long is unreachable`() throws {
        let bed = try self.bed(.addresses([.loopback(port: 0)]))
        let gate = Mutex<Void>(())
        bed.system.delay.withLock { $0 = { gate.withLock { _ in } } }
        let handler = gate.withLock { _ in
            let handler = bed.start()
            bed.advance(by: .milliseconds(1010))
            return handler
        }
        #expect(handler.failure?.reason == "name look-up takes too long")
        #expect(bed.shared.status(of: 0).connectionsOpen == 0)
    }
}

import RelayHTTP
import RelayPipeline
import Testing

struct ExchangeTests {
    private let get = "GET / HTTP/1.1\nHost: a\n\n"
    private let handler = RecordingHandler()

    private func makeBed() throws -> PipelineBed {
        try PipelineBed(self.get, handler: self.handler)
    }

    @Test func `is over with its answer`() throws {
        let bed = try self.makeBed()
        bed.exchange.respond(status: 200, fields: Span(), body: Span())
        #expect(bed.carrier.calls == ["respond 200"])
        #expect(self.handler.events == ["over"])
        #expect(bed.exchange.isOver && bed.exchange.carrier == nil)
    }

    @Test func `answers once`() throws {
        let bed = try self.makeBed()
        bed.exchange.respond(status: 200, fields: Span(), body: Span())
        bed.exchange.respond(status: 404, fields: Span(), body: Span())
        bed.exchange.beginResponse(status: 200, fields: Span(), length: nil)
        bed.exchange.abort()
        bed.exchange.clientHungUp()
        #expect(bed.carrier.calls == ["respond 200"])
        #expect(self.handler.events == ["over"])
    }

    @Test func `writes a body only between its beginning and its end`() throws {
        let bed = try self.makeBed()
        let piece: [UInt8] = [1, 2]
        _ = bed.exchange.writeBody(piece.span)
        bed.exchange.endBody()
        bed.exchange.beginResponse(status: 200, fields: Span(), length: nil)
        let isRoom = bed.exchange.writeBody(piece.span)
        #expect(!isRoom)
        bed.exchange.endBody()
        _ = bed.exchange.writeBody(piece.span)
        #expect(bed.carrier.calls == ["begin 200", "write 2", "end"])
        #expect(self.handler.events == ["over"])
    }

    @Test func `tells the client something only before its answer`() throws {
        let bed = try self.makeBed()
        bed.exchange.inform(status: 103, fields: Span())
        bed.exchange.beginResponse(status: 200, fields: Span(), length: nil)
        bed.exchange.inform(status: 103, fields: Span())
        bed.exchange.endBody()
        bed.exchange.inform(status: 103, fields: Span())
        #expect(bed.carrier.calls == ["inform 103", "begin 200", "end"])
    }

    @Test func `becomes a tunnel only if that was asked for, and then takes both ways`() throws {
        let bed = try self.makeBed()
        bed.exchange.beginTunnel(fields: Span())
        #expect(bed.carrier.calls.isEmpty)
        bed.exchange.asksForTunnel = true
        bed.exchange.beginTunnel(fields: Span())
        #expect(bed.exchange.wantsBody && bed.exchange.isAnswered)
        let piece: [UInt8] = [1, 2]
        _ = bed.exchange.writeBody(piece.span)
        bed.exchange.endBody()
        #expect(bed.carrier.calls == ["tunnel", "write 2", "end"])
        #expect(self.handler.events == ["over"])
    }

    @Test func `waits for the proof of a watched delivery`() throws {
        let bed = try self.makeBed()
        bed.exchange.watchesDelivery = true
        bed.exchange.proveDelivery()
        bed.exchange.respond(status: 200, fields: Span(), body: Span())
        bed.exchange.proveDelivery()
        #expect(self.handler.events.isEmpty)
        bed.exchange.deliveryProven()
        bed.exchange.deliveryFailed(wasWritten: true)
        #expect(bed.carrier.calls == ["respond 200", "prove"])
        #expect(self.handler.events == ["proven", "over"])
    }

    @Test func `tells of a hang-up only before the answer`() throws {
        let bed = try self.makeBed()
        bed.exchange.clientHungUp()
        bed.exchange.respond(status: 200, fields: Span(), body: Span())
        #expect(self.handler.events == ["hung up", "over"])
        #expect(bed.carrier.calls.isEmpty)
    }

    @Test func `has its name until it is over`() throws {
        let bed = try self.makeBed()
        let table = ExchangeTable()
        let handle = bed.exchange.enter(table)
        #expect(table[handle] === bed.exchange && table.count == 1)
        #expect(bed.exchange.enter(table) == handle)
        bed.exchange.finish()
        #expect(table[handle] == nil && table.count == 0)
        #expect(table[.none] == nil)
    }

    @Test func `a stale name does not lead to the next exchange in its place`() throws {
        let table = ExchangeTable()
        let first = try self.makeBed()
        let stale = first.exchange.enter(table)
        first.exchange.finish()
        let second = try self.makeBed()
        let handle = second.exchange.enter(table)
        #expect(table[stale] == nil)
        #expect(table[handle] === second.exchange)
    }

    @Test func `a handler that comes too late hears that it is over`() throws {
        let bed = try PipelineBed(self.get)
        bed.exchange.respond(status: 200, fields: Span(), body: Span())
        bed.exchange.taken(by: self.handler)
        #expect(self.handler.events == ["over"])
    }

    @Test func `takes room and gives it back`() {
        let counts = ListenerCounts()
        #expect(counts.reserve(60, max: 100))
        #expect(!counts.reserve(41, max: 100))
        #expect(counts.reserve(40, max: 100))
        counts.release(60)
        #expect(counts.reserve(60, max: 100))
    }
}

import RelayConfig
import RelayEngine
import RelayPipeline
import RelayServer
import SimulatedSystem
import Testing

/// Listeners that come and go, and the end of all.
struct ServerTests {
    private let get = "GET /now HTTP/1.1\r\nHost: a\r\n\r\n"
    private let hold = "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n"
    private let answer = "HTTP/1.1 200 OK|Content-Length: 4||/now"

    /// Whether something has happened.
    ///
    /// `@unchecked Sendable`: everything of a simulation runs on one thread.
    private final class Flag: @unchecked Sendable {
        var isSet = false
    }

    private func drain(_ bed: ServerBed, _ timeout: Duration = .seconds(30)) -> Flag {
        let flag = Flag()
        bed.server.drain(timeout: timeout) { flag.isSet = true }
        return flag
    }

    private func listener(_ name: String, port: UInt16) -> ListenerConfiguration {
        ListenerConfiguration(name: name, bind: .tcp(host: "127.0.0.1", port: port), pipeline: [])
    }

    // MARK: Draining

    @Test func `draining closes what is idle and waits for the rest`() throws {
        let bed = try ServerBed()
        let (idle, busy) = (try bed.connect(), try bed.connect())
        _ = try bed.exchange(idle, self.get)
        _ = try bed.exchange(busy, self.hold)
        let drained = self.drain(bed)
        try bed.simulation.runUntilQuiet()
        #expect(idle.hasInputEnded && !busy.hasInputEnded && !drained.isSet)
        try bed.perform { $0.answer(0, "no") }
        try bed.perform { $0.answer(1, "last") }
        #expect(
            try bed.received(busy)
                == "HTTP/1.1 200 OK|Content-Length: 4|Connection: close||last"
        )
        #expect(busy.hasInputEnded && drained.isSet)
        #expect(bed.server.connections == 0)
    }

    @Test func `draining waits until deliveries are proven`() throws {
        let bed = try ServerBed()
        let peer = try bed.connect()
        peer.holdsAcknowledgements = true
        _ = try bed.exchange(peer, "POST /packet HTTP/1.1\r\nHost: a\r\n\r\n")
        let drained = self.drain(bed)
        try bed.simulation.run(for: .seconds(1))
        #expect(!drained.isSet && bed.stage.events == ["0 ended"])
        peer.holdsAcknowledgements = false
        try bed.simulation.run(for: .seconds(1))
        #expect(bed.stage.events == ["0 ended", "0 proven", "0 over"])
        peer.close()
        try bed.simulation.run(for: .seconds(3))
        #expect(drained.isSet)
    }

    @Test func `draining ends what is not over in time`() throws {
        let bed = try ServerBed()
        let peer = try bed.connect()
        _ = try bed.exchange(peer, self.hold)
        let drained = self.drain(bed, .seconds(30))
        try bed.simulation.run(for: .seconds(29))
        #expect(!drained.isSet)
        try bed.simulation.run(for: .seconds(2))
        #expect(drained.isSet)
        #expect(bed.stage.events == ["0 ended", "0 hung up", "0 over"])
        #expect(peer.failure == .connectionReset)
    }

    @Test func `draining answers what was under way and accepts nothing new`() throws {
        let bed = try ServerBed()
        let peer = try bed.connect()
        peer.send("GET /n")
        try bed.simulation.runUntilQuiet()
        let drained = self.drain(bed)
        try bed.simulation.runUntilQuiet()
        let late = bed.simulation.connect(to: .loopback(port: 8080))
        #expect(try bed.received(late) == "" && late.failure == .connectionRefused)
        let answer = try bed.exchange(peer, "ow HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(answer == "HTTP/1.1 200 OK|Content-Length: 4|Connection: close||/now")
        #expect(drained.isSet)
    }

    @Test func `draining waits for connections of listeners that a reload has removed`() throws {
        let bed = try ServerBed()
        let held = try bed.connect()
        _ = try bed.exchange(held, self.hold)
        try bed.load([self.listener("other", port: 8081)])
        let drained = self.drain(bed)
        try bed.simulation.runUntilQuiet()
        #expect(!drained.isSet)
        try bed.perform { $0.answer(0, "last") }
        try bed.simulation.runUntilQuiet()
        #expect(drained.isSet && held.hasInputEnded)
    }

    @Test func `a server without connections is drained at once`() throws {
        let bed = try ServerBed(loops: 3)
        let drained = self.drain(bed)
        try bed.simulation.runUntilQuiet()
        #expect(drained.isSet)
    }

    // MARK: Reload

    @Test func `a kept listener keeps its connections, which meet the new settings`() throws {
        let bed = try ServerBed(loops: 2)
        let (peer, held) = (try bed.connect(), try bed.connect())
        _ = try bed.exchange(peer, self.get)
        _ = try bed.exchange(held, self.hold)
        var configuration = bed.configuration
        configuration.limits.headerCountMax = 1
        try bed.load([configuration])
        #expect(bed.server.connections == 2)
        try bed.perform { $0.answer(1, "held") }
        #expect(try bed.received(held) == "HTTP/1.1 200 OK|Content-Length: 4||held")
        #expect(try bed.exchange(peer, self.get) == self.answer)
        let refused = try bed.exchange(peer, "GET /now HTTP/1.1\r\nHost: a\r\nX-A: b\r\n\r\n")
        #expect(refused.hasPrefix("HTTP/1.1 431 "))
    }

    @Test func `a removed listener drains while the new one accepts`() throws {
        let bed = try ServerBed(loops: 2)
        let (idle, held) = (try bed.connect(), try bed.connect())
        _ = try bed.exchange(idle, self.get)
        _ = try bed.exchange(held, self.hold)
        try bed.load([self.listener("other", port: 8081)])
        #expect(idle.hasInputEnded && !held.hasInputEnded)
        let late = bed.simulation.connect(to: .loopback(port: 8080))
        let other = bed.simulation.connect(to: .loopback(port: 8081))
        #expect(try bed.exchange(other, self.get) == self.answer)
        #expect(late.failure == .connectionRefused)
        try bed.perform { $0.answer(1, "held") }
        #expect(try bed.received(held).hasSuffix("|Connection: close||held"))
        #expect(bed.server.connectionsByListener.map(\.name) == ["other"])
        #expect(bed.server.connections == 1)
    }

    @Test func `an address that is taken changes nothing`() throws {
        let bed = try ServerBed()
        let taken = try bed.simulation.listen(at: .loopback(port: 8082))
        defer { taken.close() }
        let wanted = [
            self.listener("free", port: 8081), self.listener("taken", port: 8082),
        ]
        #expect(throws: BindError.self) { try bed.server.prepare(wanted) }
        try bed.simulation.runUntilQuiet()
        let peer = try bed.connect()
        #expect(try bed.exchange(peer, self.get) == self.answer)
        let closed = bed.simulation.connect(to: .loopback(port: 8081))
        try bed.simulation.runUntilQuiet()
        #expect(closed.failure == .connectionRefused)
    }

    @Test func `what was prepared can be abandoned`() throws {
        let bed = try ServerBed()
        bed.server.abandon(try bed.server.prepare([self.listener("new", port: 8081)]))
        try bed.load([bed.configuration, self.listener("new", port: 8081)])
        #expect(bed.server.addresses == [.loopback(port: 8080), .loopback(port: 8081)])
    }

    @Test func `a name that means nothing is an error that names the listener`() throws {
        let bed = try ServerBed()
        let wanted = ListenerConfiguration(
            name: "odd",
            bind: .tcp(host: "no.such.host", port: 1),
            pipeline: []
        )
        let error = #expect(throws: BindError.self) { try bed.server.prepare([wanted]) }
        #expect(error?.listener == "odd")
        #expect(error?.message.contains("'no.such.host'") == true)
    }

    @Test func `connections above the limit wait`() throws {
        let bed = try ServerBed { $0.limits.connectionsMax = 1 }
        let (first, second) = (try bed.connect(), try bed.connect())
        #expect(try bed.exchange(second, self.get) == "")
        #expect(try bed.exchange(first, self.get) == self.answer)
        first.close()
        #expect(try bed.received(second) == self.answer)
    }
}

import RelayConfig
import RelayEngine
import RelayHTTP
import RelayPipeline
import RelayServer
import SimulatedSystem

/// A server on the simulated system with one listener, whose only stage does what the path says.
///
/// | path | what happens |
/// |---|---|
/// | `/now/…` | answered on the head, 200, with the path as body |
/// | `/refuse` | answered on the head, 401 |
/// | `/echo` | answered with the request's body when that is complete |
/// | `/small` | the same, with a body of at most 100 bytes |
/// | `/packet` | answered with 'packet' when the request is complete, its arrival watched |
/// | anything else | taken and not answered: the test does that |
///
/// Unlike the real stages it keeps every exchange, and notes what its handler hears.
final class ServerBed {
    let simulation: Simulation
    let group: EventLoopGroup
    let server: Server
    let stage: Script
    var configuration: ListenerConfiguration

    init(
        seed: UInt64 = 1,
        network: Conditions = .calm,
        loops: Int = 1,
        _ configure: (inout ListenerConfiguration) -> Void = { _ in }
    ) throws {
        self.simulation = Simulation(seed: seed, network: network)
        self.group = try self.simulation.makeLoops(loops)
        self.server = Server(group: self.group)
        self.stage = Script()
        self.configuration = ListenerConfiguration(
            name: "web",
            bind: .tcp(host: "127.0.0.1", port: 8080),
            pipeline: []
        )
        configure(&self.configuration)
        try self.load([self.configuration])
    }

    /// Has the server listen as `configurations` say.
    func load(_ configurations: [ListenerConfiguration]) throws {
        let stage = self.stage
        self.server.commit(try self.server.prepare(configurations)) { configuration, place in
            ListenerContext(
                configuration: configuration,
                pipeline: Pipeline([Pipeline.Step(stage)]),
                shared: place.shared,
                exchanges: place.exchanges
            )
        }
        try self.simulation.runUntilQuiet()
    }

    /// Does something on the first loop, in a turn, as a stage would.
    func perform(_ body: @escaping (Script) -> Void) throws {
        let (stage, call) = (self.stage, OneThread(body))
        self.group.loops[0].post { _ in call.body(stage) }
        try self.simulation.run(within: .seconds(1)) { call.isDone }
    }

    /// A client that is connected.
    func connect(_ conditions: Conditions? = nil) throws -> SimulatedPeer {
        let peer = self.simulation.connect(to: .loopback(port: 8080), conditions: conditions)
        try self.simulation.runUntilQuiet()
        return peer
    }

    /// Sends `text` and gives what has come once nothing is on its way, without `Date` lines.
    func exchange(_ peer: SimulatedPeer, _ text: String) throws -> String {
        peer.send(text)
        return try self.received(peer)
    }

    /// What has come once nothing is on its way, without `Date` lines, `\r\n` as `|`.
    func received(_ peer: SimulatedPeer) throws -> String {
        try self.simulation.runUntilQuiet()
        return Self.readable(peer.takeReceived())
    }

    static func readable(_ bytes: [UInt8]) -> String {
        let text = String(decoding: bytes, as: UTF8.self)
        // A CR with its LF is one character of Swift's.
        return text.split(separator: "\r\n", omittingEmptySubsequences: false)
            .filter { !$0.hasPrefix("Date: ") }
            .joined(separator: "|")
    }
}

/// What is to be done on a loop.
///
/// `@unchecked Sendable`: everything of a simulation runs on one thread.
private final class OneThread: @unchecked Sendable {
    private let call: (Script) -> Void
    private(set) var isDone = false

    init(_ call: @escaping (Script) -> Void) { self.call = call }

    func body(_ stage: Script) {
        self.call(stage)
        self.isDone = true
    }
}

/// See `ServerBed`.
///
/// `@unchecked Sendable`: everything of a simulation runs on one thread.
final class Script: Stage, ExchangeHandler, @unchecked Sendable {
    /// What the handler heard, in order: the number of the exchange and the event.
    var events: [String] = []
    /// The exchanges in the order of their heads.
    var exchanges: [Exchange] = []
    /// The bodies that were received, by exchange.
    var bodies: [[UInt8]] = []
    /// The paths that were asked for.
    var paths: [String] = []
    /// What is answered to `/packet`.
    var packet = Array("packet".utf8)
    /// Called with each exchange that nobody answers, when its request is complete.
    var requestEnded: ((Exchange) -> Void)?

    func requestReceived(
        _ exchange: Exchange,
        _ request: Request,
        _ bytes: Span<UInt8>
    ) -> Verdict {
        let path = request.withPath(bytes) { path in
            var text: [UInt8] = []
            text.append(path)
            return String(decoding: text, as: UTF8.self)
        }
        self.exchanges.append(exchange)
        self.bodies.append([])
        self.paths.append(path)
        if path.hasPrefix("/now") {
            let body = Array(path.utf8)
            exchange.respond(status: 200, fields: Span(), body: body.span)
            return .responded
        }
        if path == "/refuse" {
            exchange.respond(Problem(status: 401), detail: "No.")
            return .responded
        }
        if path == "/small" { exchange.bodyBytesMax = 100 }
        if path == "/packet" { exchange.watchesDelivery = true }
        return .take(self)
    }

    private func note(_ exchange: Exchange, _ event: String) {
        self.events.append("\(self.index(exchange)) \(event)")
    }

    private func index(_ exchange: Exchange) -> Int {
        self.exchanges.firstIndex { $0 === exchange } ?? -1
    }

    func bodyReceived(_ exchange: Exchange, _ bytes: Span<UInt8>) {
        self.bodies[self.index(exchange)].append(bytes)
    }

    func requestEnded(_ exchange: Exchange) {
        self.note(exchange, "ended")
        let index = self.index(exchange)
        switch self.paths[index] {
        case "/echo", "/small":
            exchange.respond(status: 200, fields: Span(), shared: self.bodies[index], from: 0)
        case "/packet":
            exchange.respond(status: 200, fields: Span(), shared: self.packet, from: 0)
        default:
            self.requestEnded?(exchange)
        }
    }

    func clientHungUp(_ exchange: Exchange) { self.note(exchange, "hung up") }
    func responseWritable(_ exchange: Exchange) { self.note(exchange, "writable") }
    func deliveryProven(_ exchange: Exchange) { self.note(exchange, "proven") }
    func deliveryFailed(_ exchange: Exchange, wasWritten: Bool) {
        self.note(exchange, wasWritten ? "failed" : "failed unwritten")
    }
    func exchangeEnded(_ exchange: Exchange) { self.note(exchange, "over") }

    /// Answers an exchange that nobody answered.
    func answer(_ index: Int, _ body: String) {
        let bytes = Array(body.utf8)
        self.exchanges[index].respond(status: 200, fields: Span(), body: bytes.span)
    }

    /// Writes to the body of an answer; whether there is room for more.
    func write(_ index: Int, _ text: String) -> Bool {
        let bytes = Array(text.utf8)
        return self.exchanges[index].writeBody(bytes.span)
    }
}

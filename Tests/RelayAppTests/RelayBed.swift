import Logging
import RelayAdmin
import RelayConfig
import RelayEngine
import RelayObservation
import RelayStore
import SimulatedSystem
import Synchronization
import Testing

@testable import RelayApp

/// A whole relay on the simulated system, and a text that stands for relay.yaml.
///
/// Unlike the command: the simulation turns the control loop and the workers, nobody calls `run`, and
/// what relay logs goes nowhere.
final class RelayBed {
    let simulation = Simulation(seed: 1)
    let relay: RelayProcess
    /// What the file says when it is read next.
    let file: ConfigurationText

    /// A relay that is not started.
    init(_ text: String, workers: Int = 2) throws {
        let file = ConfigurationText(text)
        self.file = file
        let ring = LogRing(sink: .descriptor(-1), bytesMax: 1 << 20, startingWriter: false)
        self.relay = try RelayProcess(
            try configuration(text),
            system: self.simulation.system,
            workers: workers,
            filesMax: 65_536,
            log: LogOutput(ring: ring, level: .critical, format: .text)
        ) { file.load() }
        self.simulation.drive(self.relay.workers)
        self.simulation.drive(self.relay.controlGroup)
    }

    /// A relay that is up.
    static func started(_ text: String) throws -> RelayBed {
        let bed = try RelayBed(text)
        try bed.relay.start()
        try bed.simulation.runUntilQuiet()
        return bed
    }

    /// Whether the control loop was told to end.
    var isOver: Bool {
        if case .over = self.relay.stopping { true } else { false }
    }

    /// A client that is connected to the port, or was refused.
    func connect(_ port: UInt16) throws -> SimulatedPeer {
        let peer = self.simulation.connect(to: .loopback(port: port))
        try self.simulation.run { peer.isConnected || peer.isClosed }
        return peer
    }

    /// The answer to a request on a connection that stays open.
    func ask(
        _ peer: SimulatedPeer,
        _ request: String,
        _ fields: [String] = [],
        body: String = ""
    ) throws -> Answer {
        Self.send(peer, request, fields, body: body)
        return try self.answer(peer)
    }

    /// The answer to a request on a connection of its own.
    func ask(
        _ port: UInt16,
        _ request: String,
        _ fields: [String] = [],
        body: String = ""
    ) throws -> Answer {
        let peer = try self.connect(port)
        defer { peer.close() }
        return try self.ask(peer, request, fields, body: body)
    }

    static func send(
        _ peer: SimulatedPeer,
        _ request: String,
        _ fields: [String] = [],
        body: String = ""
    ) {
        let length = "Content-Length: \(body.utf8.count)"
        let lines = ["\(request) HTTP/1.1", "Host: localhost", length] + fields
        peer.send(lines.joined(separator: "\r\n") + "\r\n\r\n" + body)
    }

    /// The next answer that the peer receives.
    func answer(_ peer: SimulatedPeer) throws -> Answer {
        try self.simulation.run { Answer(peer.received) != nil || peer.isClosed }
        return try #require(Answer(peer.takeReceived()), "\(String(describing: peer.failure))")
    }

    /// A relay with a login under way: its client, and the backend that has it.
    static func login(
        top: String = ""
    ) throws -> (bed: RelayBed, client: SimulatedPeer, backend: Backend) {
        let bed = try RelayBed.started(packets(top: top))
        let backend = try Backend(bed.simulation)
        let client = try bed.connect(8080)
        Self.send(client, "POST /auth", body: "anna")
        try bed.simulation.run { backend.requests == 1 }
        return (bed, client, backend)
    }

    /// Has a client that was granted `token` poll, and waits until that is held.
    func holdPoll(_ client: SimulatedPeer) throws {
        Self.send(client, "POST /", ["Authorization: Bearer token"])
        try self.simulation.run { self.relay.statistics().heldPolls == 1 }
    }

    /// What comes of a reload that somebody in the process asks for.
    func reload(_ text: String) throws -> ReloadResult {
        self.file.replace(text)
        let results = Results()
        self.relay.reload { results.append($0) }
        try self.simulation.run { !results.all.isEmpty }
        return try #require(results.all.first)
    }
}

/// A backend that answers when it is told to.
final class Backend {
    /// How many requests have come.
    private(set) var requests = 0
    private var peers: [SimulatedPeer] = []
    private let listener: SimulatedPeerListener

    init(_ simulation: Simulation) throws {
        self.listener = try simulation.listen(at: .loopback(port: 9000))
        self.listener.onAccept = { [unowned self] in self.accepted($0) }
    }

    private func accepted(_ peer: SimulatedPeer) {
        self.peers.append(peer)
        peer.onReceived = { [unowned self] in
            guard String(decoding: $0.received, as: UTF8.self).contains("\r\n\r\n") else { return }
            _ = $0.takeReceived()
            self.requests += 1
        }
    }

    /// Grants the login that waits.
    func grant() {
        self.peers.last?.send(
            "HTTP/1.1 200 OK\r\nClient-Id: anna\r\nContent-Length: 5\r\n\r\ntoken"
        )
    }
}

/// The text of relay.yaml, which a test replaces.
final class ConfigurationText: Sendable {
    private let state: Mutex<(text: String, reads: Int)>

    init(_ text: String) { self.state = Mutex((text, 0)) }

    /// How often it was read.
    var reads: Int { self.state.withLock { $0.reads } }

    func replace(_ text: String) { self.state.withLock { $0.text = text } }

    func load() -> LoadedConfiguration {
        let text = self.state.withLock { state in
            state.reads += 1
            return state.text
        }
        return Configuration.load(text: text)
    }
}

/// How reloads have ended.
final class Results: Sendable {
    private let state = Mutex<[ReloadResult]>([])

    var all: [ReloadResult] { self.state.withLock { $0 } }

    func append(_ result: ReloadResult) { self.state.withLock { $0.append(result) } }
}

/// An answer of which every byte has come.
struct Answer {
    let status: Int
    /// By name in lower case.
    let fields: [String: String]
    let body: String

    /// Whether it is the answer to a poll without a packet.
    var isEmptyPoll: Bool {
        self.status == 200 && self.body.isEmpty && self.fields["more"] == "0"
            && self.fields["packet-id"] == nil
    }

    /// Nil while something of it is missing.
    init?(_ bytes: [UInt8]) {
        let text = String(decoding: bytes, as: UTF8.self)
        let lines = text.split(separator: "\r\n", omittingEmptySubsequences: false)
        guard let headEnd = lines.firstIndex(of: ""), headEnd + 1 < lines.count else { return nil }
        let words = lines[0].split(separator: " ")
        guard words.count >= 2, let status = Int(words[1]) else { return nil }
        var fields: [String: String] = [:]
        for line in lines[1..<headEnd] {
            let colon = line.firstIndex(of: ":") ?? line.endIndex
            fields[line[..<colon].lowercased()] = String(line[colon...].dropFirst(2))
        }
        let body = lines[(headEnd + 1)...].joined(separator: "\r\n")
        guard body.utf8.count >= Int(fields["content-length"] ?? "0") ?? 0 else { return nil }
        self.status = status
        self.fields = fields
        self.body = body
    }
}

/// What a text says that must be good.
func configuration(_ text: String) throws -> Configuration {
    let loaded = Configuration.load(text: text)
    return try #require(
        loaded.configuration,
        "\(loaded.diagnostics.map(\.description))"
    )
}

/// A relay.yaml with an admin address at 9901, and web listeners that answer with a word.
func web(_ listeners: [UInt16: String], top: String = "", admin: UInt16 = 9901) -> String {
    let sections = listeners.sorted { $0.key < $1.key }.map { port, word in
        """
          web\(port):
            bind: 127.0.0.1:\(port)
            pipeline: [{ route: [{ respond: { body: \(word) } }] }]

        """
    }
    return """
        version: 1
        admin: { bind: 127.0.0.1:\(admin) }
        \(top)
        listeners:
        \(sections.joined())
        pools: { web: { targets: [{ url: "http://127.0.0.1:9002" }] } }

        """
}

/// A relay.yaml with a packet listener at 8080 whose backend is at 9000.
func packets(top: String = "", timeout: String = "30s") -> String {
    """
    version: 1
    admin: { bind: 127.0.0.1:9901 }
    \(top)
    listeners:
      packets:
        bind: 127.0.0.1:8080
        pipeline:
          - auth: { pool: app, timeout: 60s }
          - buffer: {}
          - route: app
    pools:
      app:
        targets: [{ url: "http://127.0.0.1:9000" }]
        response_timeout: \(timeout)
        fetch: { mode: off }

    """
}

import Logging
import RelayConfig
import RelayEngine
import RelayHTTP
import RelayPipeline
import RelayProxy
import RelayServer
import RelayUpstream
import SimulatedSystem
import Testing

/// A listener that passes everything on to one pool of scripted targets, on the simulated system.
final class StreamingBed {
    let simulation: Simulation
    private let server: Server
    private var listeners: [SimulatedPeerListener] = []
    private let pool: UpstreamPool
    /// The connections that targets have accepted, oldest first.
    private(set) var accepted: [SimulatedPeer] = []

    /// A pool with these `options`, a listener with these `limits`, and `up` of some targets listening, of which the
    /// second has a path of its own.
    init(
        _ options: String = "",
        route: String = "app",
        targets: Int = 2,
        limits: String = "body_size: 1GiB",
        up: [Int] = [0],
        seed: UInt64 = 1
    ) throws {
        let simulation = Simulation(seed: seed)
        self.simulation = simulation
        let urls = (0..<targets)
            .map { "{ url: \"http://127.0.0.1:\(9000 + $0)\($0 == 1 ? "/base/" : "")\" }" }
            .joined(separator: ", ")
        let loaded = Configuration.load(
            text: """
                version: 1
                listeners:
                  web:
                    bind: 127.0.0.1:8080
                    limits: { \(limits) }
                    pipeline:
                      - route: \(route)
                pools:
                  app:
                    targets: [\(urls)]
                \(options)

                """
        )
        let configuration = try #require(
            loaded.configuration,
            "\(loaded.diagnostics.map(\.description))"
        )
        let group = try simulation.makeLoops(1)
        let shared = SharedPool(
            configuration: try #require(configuration.pools.first),
            loops: group.loops
        )
        let pool = UpstreamPool(
            shared: shared,
            loop: group.loops[0],
            resolver: Resolver(system: simulation.system),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
        self.pool = pool
        let pools = PoolBox(pool: pool)
        self.server = Server(group: group)
        let prepared = try self.server.prepare(configuration.listeners)
        self.server.commit(prepared) { listener, place in
            let stages = listener.pipeline.compactMap { stage -> Pipeline.Step? in
                guard case .route(let route) = stage.kind else { return nil }
                let compiled = Route(route, takesPackets: false)
                return .init(RouteStage(compiled, pools: ["app": pools.pool]))
            }
            return ListenerContext(
                configuration: listener,
                pipeline: Pipeline(stages),
                shared: place.shared,
                exchanges: place.exchanges
            )
        }
        for target in up { try self.raise(target) }
        try simulation.runUntilQuiet()
    }

    deinit { self.pool.retire() }

    /// Has a target listen from now on.
    func raise(_ target: Int) throws {
        let listener = try self.simulation.listen(at: .loopback(port: UInt16(9000 + target)))
        listener.onAccept = { [unowned self] peer in
            self.accepted.append(peer)
            self.onAccept?(target, peer)
        }
        self.listeners.append(listener)
    }

    /// Called with each connection that a target accepts.
    var onAccept: ((Int, SimulatedPeer) -> Void)?

    /// A client that has sent `text`.
    func client(_ text: String) throws -> SimulatedPeer {
        let peer = self.simulation.connect(to: .loopback(port: 8080))
        peer.send(text)
        try self.settle()
        return peer
    }

    /// Lets everything happen that happens without another word.
    func settle() throws { try self.simulation.run(for: .milliseconds(200)) }

    /// The connection that a target has accepted last.
    func target() throws -> SimulatedPeer {
        try #require(self.accepted.last, "nothing was passed on")
    }
}

/// The pool, for a closure that runs on its loop.
private struct PoolBox: @unchecked Sendable {
    let pool: UpstreamPool
}

extension SimulatedPeer {
    /// What was received and not taken, as text.
    func text() -> String { String(decoding: self.takeReceived(), as: UTF8.self) }
}

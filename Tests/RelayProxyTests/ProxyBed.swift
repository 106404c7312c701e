import RelayConfig
import RelayEngine
import RelayPipeline
import RelayProxy
import RelayServer
import SimulatedSystem
import Testing

/// A server on the simulated system with one listener, whose stages `headers` and `route` are made
/// from relay.yaml as relay makes them.
///
/// Unlike in relay there are no pools, and no `auth` or `buffer`: with `takesPackets` the two stages
/// only behave as they do beside a `buffer`.
final class ProxyBed {
    private let simulation = Simulation(seed: 1)
    private let server: Server

    /// A listener with the items of `pipeline`, and with `further` stages behind them.
    init(
        _ pipeline: String,
        takesPackets: Bool = false,
        further: @escaping @Sendable () -> [any Stage] = { [] }
    ) throws {
        let items = pipeline.split(separator: "\n").map { "      \($0)\n" }.joined()
        let loaded = Configuration.load(
            text: """
                version: 1
                listeners:
                  web:
                    bind: 127.0.0.1:8080
                    pipeline:
                \(items)
                pools:
                  app: { targets: [{ url: "http://127.0.0.1:9000" }] }

                """
        )
        let configuration = try #require(
            loaded.configuration,
            "\(loaded.diagnostics.map(\.description))"
        )
        self.server = Server(group: try self.simulation.makeLoops(1))
        let prepared = try self.server.prepare(configuration.listeners)
        self.server.commit(prepared) { listener, place in
            let stages = listener.stagesInEffect.compactMap {
                Self.step($0, takesPackets: takesPackets)
            }
            return ListenerContext(
                configuration: listener,
                pipeline: Pipeline(stages + further().map { Pipeline.Step($0) }),
                shared: place.shared,
                exchanges: place.exchanges
            )
        }
        try self.simulation.runUntilQuiet()
    }

    /// A listener whose only stage is a `route` with a rule for everything, which no relay.yaml has
    /// checked.
    convenience init(unchecked action: RouteRuleConfiguration.Action) throws {
        let route = RouteConfiguration(rules: [RouteRuleConfiguration(action)])
        try self.init("- route: [{ match: { path: /never }, pool: app }]") {
            [RouteStage(Route(route, takesPackets: false))]
        }
    }

    private static func step(
        _ stage: StageConfiguration,
        takesPackets: Bool
    ) -> Pipeline.Step? {
        let when = stage.when.map { Matcher($0) }
        switch stage.kind {
        case .headers(let filter):
            let filter = HeaderFilter(filter, isForPackets: takesPackets)
            return Pipeline.Step(HeadersStage(filter), when: when)
        case .route(let route):
            let route = Route(route, takesPackets: takesPackets)
            return Pipeline.Step(RouteStage(route), when: when)
        case .auth, .buffer, .push, .plugin:
            return nil
        }
    }

    /// What is answered to a request, on a connection of its own.
    func ask(_ method: String, _ target: String, _ fields: [String] = []) throws -> Answer {
        let peer = self.simulation.connect(to: .loopback(port: 8080))
        let lines = ["\(method) \(target) HTTP/1.1", "Host: relay.example"] + fields
        peer.send(lines.joined(separator: "\r\n") + "\r\n\r\n")
        try self.simulation.runUntilQuiet()
        defer { peer.close() }
        return try Answer(peer.takeReceived())
    }

    /// What is answered to a GET.
    func get(_ target: String, _ fields: [String] = []) throws -> Answer {
        try self.ask("GET", target, fields)
    }
}

/// An answer as the client has received it.
struct Answer {
    /// The code of its status line.
    let status: Int
    /// Its fields in order, names in lower case.
    let fields: [(name: String, value: String)]
    /// All bytes behind its head.
    let body: String

    init(_ bytes: [UInt8]) throws {
        let text = String(decoding: bytes, as: UTF8.self)
        let lines = text.split(separator: "\r\n", omittingEmptySubsequences: false)
        let headEnd = try #require(lines.firstIndex(of: ""), "no whole head in '\(text)'")
        let words = lines[0].split(separator: " ")
        try #require(words.count >= 2 && words[0] == "HTTP/1.1", "'\(lines[0])'")
        self.status = try #require(Int(words[1]), "'\(lines[0])'")
        self.fields = lines[1..<headEnd].map { line in
            let colon = line.firstIndex(of: ":") ?? line.endIndex
            return (line[..<colon].lowercased(), String(line[colon...].dropFirst(2)))
        }
        self.body = lines[(headEnd + 1)...].joined(separator: "\r\n")
    }

    /// The value of the field, which is there at most once; nil if it is not.
    subscript(_ name: String) -> String? {
        let values = self.fields.filter { $0.name == name }.map(\.value)
        return values.count > 1 ? "\(values)" : values.first
    }
}

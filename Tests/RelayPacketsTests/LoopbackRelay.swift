import Logging
import RelayConfig
import RelayEngine
import RelayHTTP
import RelayPipeline
import RelayServer
import RelayStore
import RelayUpstream

@testable import RelayPackets

/// A relay on two loops, and a backend that gives every packet back, on loopback.
final class LoopbackRelay {
    let store: PacketStore
    private let group: EventLoopGroup
    private let backendGroup: EventLoopGroup
    private let server: Server
    private let backend: Server
    private let relay: PacketRelay

    init() throws {
        let system = LinuxSystemCalls()
        self.backendGroup = try EventLoopGroup(count: 1, system: system)
        self.group = try EventLoopGroup(count: 2, system: system)
        try self.backendGroup.start()
        try self.group.start()
        self.backend = Server(group: self.backendGroup)
        let backendListener = ListenerConfiguration(
            name: "backend",
            bind: .tcp(host: "127.0.0.1", port: 0),
            pipeline: []
        )
        self.backend.commit(try self.backend.prepare([backendListener])) { listener, place in
            ListenerContext(
                configuration: listener,
                pipeline: Pipeline([.init(EchoBackend())]),
                shared: place.shared,
                exchanges: place.exchanges
            )
        }

        let time = system.monotonicTime()
        self.store = PacketStore(
            limits: StoreLimits(),
            now: StoreInstant(
                nanoseconds: UInt64(time.nanoseconds),
                unixMicroseconds: UInt64(system.wallTime().microseconds)
            )
        )
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        self.relay = PacketRelay(store: self.store, loops: self.group.loops, logger: logger)
        self.server = Server(group: self.group)
        try self.serve(Self.pool(port: self.backend.port), logger, Resolver(system: system))
    }

    /// The port of the relay.
    var port: UInt16 { self.server.port }

    func stop() {
        self.group.stop()
        self.backendGroup.stop()
    }

    private func serve(
        _ pool: PoolConfiguration,
        _ logger: Logger,
        _ resolver: Resolver
    ) throws {
        let realm = self.store.realm(named: "app", settings: RealmSettings())
        let id = self.store.pool(named: "app", limits: InboxLimits())
        let shared = SharedPool(configuration: pool, loops: self.group.loops)
        let listener = ListenerConfiguration(
            name: "packets",
            bind: .tcp(host: "127.0.0.1", port: 0),
            pipeline: [.init(.buffer(BufferConfiguration(realm: "app")))]
        )
        let parts = self.relay.loops
        self.server.commit(try self.server.prepare([listener])) { listener, place in
            let part = parts[place.loop.index]
            let targets = UpstreamPool(
                shared: shared,
                loop: place.loop,
                resolver: resolver,
                logger: logger
            )
            let kept = KeptNames([])
            part.install([
                PacketPool(
                    id: id,
                    realm: realm,
                    configuration: pool,
                    targets: targets,
                    kept: kept,
                    packetBytesMax: 1 << 20
                )
            ])
            let auth = AuthStage(
                part,
                configuration: AuthConfiguration(pool: "app"),
                realm: realm,
                pool: pool,
                targets: targets,
                kept: kept,
                limits: listener.limits
            )
            let buffer = BufferStage(
                part,
                configuration: BufferConfiguration(realm: "app"),
                realm: realm,
                route: PacketRoute(
                    Route(RouteConfiguration(pool: "app"), takesPackets: true),
                    when: nil,
                    pools: ["app": id]
                )
            )
            return ListenerContext(
                configuration: listener,
                pipeline: Pipeline([.init(auth), .init(buffer)]),
                shared: place.shared,
                exchanges: place.exchanges
            )
        }
        self.relay.start()
    }

    private static func pool(port: UInt16) -> PoolConfiguration {
        let url = TargetURL(
            text: "http://127.0.0.1:\(port)/",
            address: .tcp(host: "127.0.0.1", port: port),
            authority: "127.0.0.1:\(port)",
            path: "/"
        )
        var pool = PoolConfiguration(name: "app", targets: [TargetConfiguration(url: url)])
        pool.fetch.mode = .off
        return pool
    }
}

extension Server {
    /// The port that the system chose for the only listener.
    fileprivate var port: UInt16 {
        guard case .some(let address) = self.addresses.first else { return 0 }
        return address.port
    }
}

/// A backend: who logs in with its name gets the id of that name, and every packet is answered.
private final class EchoBackend: Stage, ExchangeHandler {
    /// The requests that are coming in; the backend has one loop.
    private var requests: [ObjectIdentifier: (head: String, body: [UInt8])] = [:]

    func requestReceived(
        _ exchange: Exchange,
        _ request: Request,
        _ bytes: Span<UInt8>
    ) -> Verdict {
        var head: [UInt8] = []
        head.append(bytes.extracting(0..<request.head.byteCount))
        self.requests[ObjectIdentifier(exchange)] = (String(decoding: head, as: UTF8.self), [])
        return .take(self)
    }

    func bodyReceived(_ exchange: Exchange, _ bytes: Span<UInt8>) {
        self.requests[ObjectIdentifier(exchange)]?.body.append(bytes)
    }

    func requestEnded(_ exchange: Exchange) {
        guard let (head, bytes) = self.requests[ObjectIdentifier(exchange)] else { return }
        let body = String(decoding: bytes, as: UTF8.self)
        if head.contains("Type: Auth\r\n") {
            self.answer(exchange, ["Client-Id: \(body)"], "token of \(body)")
        } else {
            let from = head.split(separator: "\r\n").first { $0.hasPrefix("From: ") } ?? ""
            self.answer(
                exchange,
                ["To: \(from.dropFirst(6))", "From: echo", "X-Topic: tea"],
                "echo of \(body)"
            )
        }
    }

    func clientHungUp(_ exchange: Exchange) {}

    func exchangeEnded(_ exchange: Exchange) {
        self.requests[ObjectIdentifier(exchange)] = nil
    }

    private func answer(_ exchange: Exchange, _ fields: [String], _ body: String) {
        let lines = Array(fields.map { $0 + "\r\n" }.joined().utf8)
        let bytes = Array(body.utf8)
        exchange.respond(status: 200, fields: lines.span, body: bytes.span)
    }
}

import Logging
import RelayConfig
import RelayEngine
import RelayHTTP
import RelayPipeline
import RelayStore

@testable import RelayPackets

/// The packet relay with one realm and one pool, on loops that a test turns and a clock that it moves,
/// with clients and targets that it plays.
final class PacketHarness {
    let system = ManualSystem()
    let loops: [EventLoop]
    let relay: PacketRelay
    let store: PacketStore
    let realm: RealmID
    let pool: PoolID
    /// The targets, by loop.
    let targets: [FakeTargets]
    /// Where its clients connect to.
    static let address = BindAddress.tcp(host: "127.0.0.1", port: 8080)
    /// Who knows one of them may push.
    static let pushSecrets = ["sesame-open", "sesame-new"]
    private let counts = ListenerCounts()
    private var listeners: [ListenerContext] = []
    private let configuration: PoolConfiguration
    private let buffer: BufferConfiguration

    init(
        loops count: Int = 1,
        targets targetCount: Int = 1,
        fetches: Bool = false,
        limits: StoreLimits = StoreLimits(),
        journal: (any Journal)? = nil,
        logger: Logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
        listenerLimits: LimitsConfiguration = LimitsConfiguration(),
        buffer configure: (inout BufferConfiguration) -> Void = { _ in },
        auth configureAuth: (inout AuthConfiguration) -> Void = { _ in },
        pool configurePool: (inout PoolConfiguration) -> Void = { _ in }
    ) throws {
        let system = self.system
        self.loops = try (0..<count).map { try EventLoop(index: $0, system: system) }
        self.store = PacketStore(
            limits: limits,
            now: StoreInstant(nanoseconds: 1, unixMicroseconds: 1_700_000_000_000_000),
            journal: journal
        )
        self.relay = PacketRelay(
            store: self.store,
            loops: self.loops,
            logger: logger
        )
        self.targets = (0..<count).map { _ in FakeTargets(targetCount) }

        var buffer = BufferConfiguration(realm: "app")
        configure(&buffer)
        self.buffer = buffer
        var auth = AuthConfiguration(pool: "app")
        configureAuth(&auth)
        var pool = PoolConfiguration(name: "app", targets: Self.targets(targetCount))
        pool.fetch.mode = fetches ? .pool : .off
        configurePool(&pool)
        self.configuration = pool

        var settings = RealmSettings()
        settings.packetTTL = buffer.packetTTL
        settings.unknownClientsMax = buffer.unknownClientsMax
        self.realm = self.store.realm(named: "app", settings: settings)
        var inbox = InboxLimits()
        inbox.packetsMax = buffer.inboxPacketsMax
        self.pool = self.store.pool(named: "app", limits: inbox)

        let route = RouteConfiguration(pool: "app")
        var listener = ListenerConfiguration(
            name: "packets",
            bind: Self.address,
            pipeline: [.init(.auth(auth)), .init(.buffer(buffer)), .init(.route(route))]
        )
        listener.limits = listenerLimits
        for (index, part) in self.relay.loops.enumerated() {
            let pipeline = Pipeline([
                .init(
                    AuthStage(
                        part,
                        configuration: auth,
                        realm: self.realm,
                        pool: pool,
                        targets: self.targets[index],
                        kept: KeptNames([]),
                        limits: listenerLimits
                    )
                ),
                .init(
                    BufferStage(
                        part,
                        configuration: buffer,
                        realm: self.realm,
                        route: PacketRoute(
                            Route(route, takesPackets: true),
                            when: nil,
                            pools: ["app": self.pool]
                        )
                    )
                ),
                .init(
                    PushStage(
                        part,
                        configuration: PushConfiguration(
                            realm: "app",
                            secrets: Self.pushSecrets.map { Secret($0) }
                        ),
                        realm: self.realm,
                        packetBytesMax: buffer.packetBytesMax
                    )
                ),
            ])
            self.listeners.append(
                ListenerContext(
                    configuration: listener,
                    pipeline: pipeline,
                    shared: self.counts,
                    exchanges: part.exchanges
                )
            )
        }
        self.install()
    }

    private static func targets(_ count: Int) -> [TargetConfiguration] {
        (0..<count).map { index in
            TargetConfiguration(
                url: TargetURL(
                    text: "http://127.0.0.1:\(9001 + index)/",
                    address: .tcp(host: "127.0.0.1", port: UInt16(9001 + index)),
                    authority: "127.0.0.1:\(9001 + index)",
                    path: "/"
                )
            )
        }
    }

    /// The first loop's part, and its targets.
    var part: PacketLoop { self.relay.loops[0] }
    var backend: FakeTargets { self.targets[0] }

    // MARK: Generations

    /// A new generation: with the pool, its targets replaced by others if given; or without it.
    func install(withPool: Bool = true, targets: [FakeTargets]? = nil) {
        self.settle()
        for (index, part) in self.relay.loops.enumerated() {
            let pool = PacketPool(
                id: self.pool,
                realm: self.realm,
                configuration: self.configuration,
                targets: (targets ?? self.targets)[index],
                kept: KeptNames([]),
                packetBytesMax: self.buffer.packetBytesMax
            )
            part.install(withPool ? [pool] : [])
        }
    }

    // MARK: Time

    /// Whether every step lets all loops do what follows from it; otherwise a test turns them.
    var settlesAtOnce = true

    /// Lets loops do what is to be done at this time.
    func settle() {
        guard self.settlesAtOnce else { return }
        for _ in 0..<4 {
            for loop in self.loops { loop.turn(waitingAtMost: .zero) }
        }
    }

    /// Moves the clock, and lets loops do what is to be done then.
    func advance(_ duration: Duration) {
        self.system.advance(duration)
        self.settle()
    }

    // MARK: Clients

    /// Logs a client in at the store; its token is `token of NAME`.
    func logIn(_ name: String, isDebugServer: Bool = false, token: String? = nil) throws {
        let login = Login(
            realm: self.realm,
            name: try Self.name(name),
            token: Array((token ?? "token of \(name)").utf8),
            tokenTTL: .seconds(86_400),
            isDebugServer: isDebugServer
        )
        self.part.operate { store, now, effects in
            _ = store.logIn(login, ticket: Ticket(loop: 0, handle: 1 << 40), at: now, &effects)
        }
        self.settle()
    }

    static func name(_ text: String) throws -> ClientName {
        try ClientName(Array(text.utf8).span) ?? { throw HarnessError.invalidName(text) }()
    }

    /// Stores a packet for a client, as if a backend had given it.
    func push(_ text: String, to name: String, loop: Int = 0) throws {
        let reply = Reply(
            recipients: .one(try Self.name(name)),
            contents: PacketContents(bytes: Array(text.utf8), headerCount: 0)
        )
        self.relay.loops[loop].operate { store, now, effects in
            _ = store.append(
                reply,
                in: self.realm,
                ticket: Ticket(loop: UInt16(loop), handle: ExchangeHandle.none.rawValue),
                at: now,
                &effects
            )
        }
        self.settle()
    }

    /// A request of a client at the packet path.
    func post(
        _ name: String,
        _ body: String = "",
        _ fields: [String] = [],
        loop: Int = 0
    ) throws -> FakeClient {
        try self.request(
            "POST / HTTP/1.1",
            ["Authorization: Bearer token of \(name)"] + fields,
            body,
            loop: loop
        )
    }

    /// Any request, with a body of known length if it is not empty.
    func request(
        _ line: String,
        _ fields: [String] = [],
        _ body: String = "",
        loop: Int = 0
    ) throws -> FakeClient {
        let length = body.isEmpty ? [] : ["Content-Length: \(body.utf8.count)"]
        let client = try self.head(line, fields + length, loop: loop)
        if !body.isEmpty { self.send(body, on: client) }
        self.end(client)
        return client
    }

    /// The head of a request alone.
    func head(_ line: String, _ fields: [String] = [], loop: Int = 0) throws -> FakeClient {
        let lines = [line, "Host: relay"] + fields
        let bytes = Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8)
        let request = Request()
        var parser = RequestParser()
        guard parser.parse(bytes.span, into: &request.head) == .head,
            request.normalizePath(bytes.span, mergingSlashes: true) == nil
        else { throw HarnessError.malformedRequest }
        let client = FakeClient()
        let exchange = Exchange(
            loop: self.loops[loop],
            listener: self.listeners[loop],
            carrier: client,
            method: request.head.method,
            requestID: .made(high: 1, low: 2),
            clientAddress: .ip(.v4(0x7f00_0001)),
            startTime: self.loops[loop].now
        )
        client.exchange = exchange
        let verdict = exchange.listener.pipeline.run(exchange, request, bytes.span)
        if case .take(let handler) = verdict { exchange.taken(by: handler) }
        return client
    }

    /// A piece of a request's body.
    func send(_ text: String, on client: FakeClient) {
        let bytes = Array(text.utf8)
        client.exchange?.bodyReceived(bytes.span)
    }

    /// The end of a request.
    func end(_ client: FakeClient) {
        client.exchange?.requestEnded()
        self.settle()
    }

    /// The response has arrived.
    func prove(_ client: FakeClient) {
        client.exchange?.deliveryProven()
        self.settle()
    }

    /// The connection ended without proof.
    func lose(_ client: FakeClient, wasWritten: Bool = true) {
        client.exchange?.deliveryFailed(wasWritten: wasWritten)
        self.settle()
    }

    /// The client is gone.
    func hangUp(_ client: FakeClient) {
        client.exchange?.clientHungUp()
        self.settle()
    }
}

enum HarnessError: Error {
    case invalidName(String)
    case malformedRequest
}

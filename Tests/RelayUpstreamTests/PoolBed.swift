import Logging
import RelayConfig
import RelayHTTP
import Synchronization
import Testing

@testable import RelayEngine
@testable import RelayUpstream

/// A pool of scripted origins on loopback, its loops driven by hand and by a clock that the test moves.
///
/// `@unchecked Sendable`: everything runs on the test's thread; only the type of a listener's factory
/// asks for it.
final class PoolBed: @unchecked Sendable {
    let system = AdjustableSystem()
    let group: EventLoopGroup
    let shared: SharedPool
    /// The pool's part on each loop.
    let pools: [UpstreamPool]
    let log = LogCollector()
    /// The origins and their loop, which has a clock of its own.
    private let originLoops: EventLoopGroup
    private var origins: [Origin] = []

    /// A pool of the origins that `makeTargets` opens.
    init(
        loops: Int = 1,
        _ makeTargets: (EventLoopGroup) throws -> ([Origin], [TargetURL]),
        configure: (inout PoolConfiguration) -> Void = { _ in }
    ) throws {
        self.originLoops = try EventLoopGroup(count: 1, system: LinuxSystemCalls())
        self.group = try EventLoopGroup(count: loops, system: self.system)
        let (origins, urls) = try makeTargets(self.originLoops)
        self.origins = origins
        var configuration = PoolConfiguration(
            name: "app",
            targets: urls.map { TargetConfiguration(url: $0) }
        )
        configure(&configuration)
        let shared = SharedPool(configuration: configuration, loops: self.group.loops)
        self.shared = shared
        let resolver = Resolver(system: self.system)
        let collector = self.log
        let logger = Logger(label: "test") { _ in collector }
        self.pools = self.group.loops.map {
            UpstreamPool(shared: shared, loop: $0, resolver: resolver, logger: logger)
        }
    }

    /// A pool of `count` origins on ports of the system's choice.
    convenience init(
        origins count: Int = 1,
        loops: Int = 1,
        configure: (inout PoolConfiguration) -> Void = { _ in }
    ) throws {
        try self.init(
            loops: loops,
            { group in
                let origins = try (0..<count).map { _ in try Origin(on: group) }
                return (origins, origins.map { .tcp($0.address.host, $0.address.port) })
            },
            configure: configure
        )
    }

    deinit {
        for pool in self.pools { pool.retire() }
        for origin in self.origins { origin.stop() }
    }

    var pool: UpstreamPool { self.pools[0] }
    var origin: Origin { self.origins[0] }

    /// The origin of a target.
    func origin(_ index: Int) -> Origin { self.origins[index] }

    /// Opens another origin where one has stopped.
    func revive(at address: SocketAddress) throws -> Origin {
        let origin = try Origin(on: self.originLoops, address: address)
        self.origins.append(origin)
        return origin
    }

    /// Runs one turn of every loop of the pool.
    func turn() {
        for loop in self.group.loops { loop.turn(waitingAtMost: .zero) }
    }

    /// Runs one turn of the origins.
    func turnOrigins() {
        for loop in self.originLoops.loops { loop.turn(waitingAtMost: .milliseconds(1)) }
    }

    /// Runs turns until `condition` holds, and fails the test if it does not in ten seconds.
    func run(
        sourceLocation: Testing.SourceLocation = #_sourceLocation,
        until condition: () -> Bool
    ) throws {
        let clock = ContinuousClock()
        let end = clock.now + .seconds(10)
        while !condition() {
            guard clock.now < end else {
                Issue.record("the condition never held", sourceLocation: sourceLocation)
                throw NeverHeld()
            }
            self.turn()
            self.turnOrigins()
        }
    }

    /// Runs turns until nothing is left that could happen by itself at once.
    ///
    /// Loopback delivers within the call that sends, so a few turns of both sides carry everything.
    func settle() {
        for _ in 0..<20 {
            self.turn()
            self.turnOrigins()
        }
    }

    /// Moves the pool's clock, and lets what is due happen.
    func advance(by duration: Duration) {
        self.system.advance(by: duration)
        self.settle()
    }

    /// Starts a request for a target.
    @discardableResult
    func start(
        _ method: Method = .post,
        target: Int = 0,
        on loop: Int = 0,
        body: String = "",
        configure: (UpstreamRequest) -> Void = { _ in }
    ) -> RecordingHandler {
        let handler = RecordingHandler()
        let request = UpstreamRequest(handler: handler, target: target, method: method)
        request.body = Array(body.utf8)
        request.bodyRange = request.body.indices
        configure(request)
        handler.request = request
        self.pools[loop].start(request)
        return handler
    }

    /// Lets a request go out and come back on the connection that it gets, answered with `response`.
    @discardableResult
    func exchange(
        target: Int = 0,
        on loop: Int = 0,
        response: String = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
        configure: (UpstreamRequest) -> Void = { _ in },
        sourceLocation: Testing.SourceLocation = #_sourceLocation
    ) throws -> RecordingHandler {
        let handler = self.start(target: target, on: loop, configure: configure)
        let origin = self.origins[target]
        try self.run(sourceLocation: sourceLocation) { origin.hasRequest }
        origin.answer(response)
        try self.run(sourceLocation: sourceLocation) { handler.isOver }
        return handler
    }
}

/// A condition that a test waited for did not come.
struct NeverHeld: Error {}

extension TargetURL {
    static func tcp(_ host: String, _ port: UInt16, path: String = "") -> TargetURL {
        TargetURL(
            text: "http://\(host):\(port)\(path)",
            address: .tcp(host: host, port: port),
            authority: "\(host):\(port)",
            path: path
        )
    }
}

/// Linux with a monotonic clock that a test moves, names that it chooses, and sockets that run out.
///
/// `@unchecked Sendable`: what other threads call is guarded or constant.
final class AdjustableSystem: LinuxSystemCalls, @unchecked Sendable {
    private let nanoseconds = Atomic<Int64>(1_000_000_000)
    let names = Mutex<[String: NameLookup]>([:])
    /// Called by every look-up before it answers.
    let delay = Mutex<@Sendable () -> Void>({})
    /// Whether the process has no descriptor left.
    let isExhausted = Atomic<Bool>(false)

    func advance(by duration: Duration) {
        self.nanoseconds.wrappingAdd(duration.wholeNanoseconds, ordering: .relaxed)
    }

    override func monotonicTime() -> MonotonicTime {
        MonotonicTime(nanoseconds: self.nanoseconds.load(ordering: .relaxed))
    }

    override func socket(_ family: SocketFamily) -> SystemResult {
        self.isExhausted.load(ordering: .relaxed)
            ? SystemResult(failure: .tooManyFiles) : super.socket(family)
    }

    override func lookUp(_ host: String) -> NameLookup {
        let delay = self.delay.withLock { $0 }
        delay()
        return self.names.withLock { $0[host] } ?? .failure("no such name")
    }
}

/// Writes down what is logged.
final class LogCollector: LogHandler, Sendable {
    private let collected = Mutex<[String]>([])
    var logLevel: Logger.Level {
        get { .trace }
        set {}
    }
    var metadata: Logger.Metadata {
        get { [:] }
        set {}
    }

    /// Level, message and reason of every line.
    var lines: [String] { self.collected.withLock { $0 } }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { nil }
        set {}
    }

    func log(event: LogEvent) {
        let reason = event.metadata?["reason"].map { ": \($0)" } ?? ""
        self.collected.withLock { $0.append("\(event.level): \(event.message)\(reason)") }
    }
}

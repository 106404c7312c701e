import Glibc
import Logging
import RelayConfig
import RelayHTTP
import Synchronization
import Testing

@testable import RelayEngine
@testable import RelayUpstream

/// Answers every request at once.
private final class EchoConnection: RelayEngine.Stream {
    override func received(_ input: Span<UInt8>) -> Int {
        var parser = RequestParser()
        var head = RequestHead()
        guard case .head = parser.parse(input, into: &head) else { return 0 }
        let answer: [UInt8] = Array("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".utf8)
        self.write(answer.span)
        return head.byteCount
    }

    override func inputEnded() { self.close() }
}

/// A number that several threads change.
private final class Count: Sendable {
    let value = Atomic<Int>(0)
}

/// Sends one request after another over a loop's pool until it has sent enough.
private final class Sender: UpstreamHandler {
    private let pool: UpstreamPool
    private var left: Int
    private let failures: Count
    private let finished: Count

    init(
        _ pool: UpstreamPool,
        requests: Int,
        failures: Count,
        finished: Count
    ) {
        self.pool = pool
        self.left = requests
        self.failures = failures
        self.finished = finished
    }

    func sendNext() {
        guard self.left > 0 else {
            self.finished.value.wrappingAdd(1, ordering: .sequentiallyConsistent)
            return
        }
        self.left -= 1
        self.pool.start(UpstreamRequest(handler: self, target: 0, method: .get))
    }

    func responseReceived(
        _ request: UpstreamRequest,
        _ head: borrowing ResponseHead,
        _ bytes: Span<UInt8>
    ) {}

    func responseBodyReceived(_ request: UpstreamRequest, _ bytes: Span<UInt8>) {}

    func responseEnded(_ request: UpstreamRequest) { self.sendNext() }

    func requestFailed(_ request: UpstreamRequest, _ failure: UpstreamFailure) {
        self.failures.value.wrappingAdd(1, ordering: .relaxed)
        self.sendNext()
    }
}

struct ThreadTests {
    @Test(arguments: [1, 2, 3])
    func `loops on threads of their own share few permits and nobody waits for ever`(
        permits: Int
    ) throws {
        let system = LinuxSystemCalls()
        let origin = try EventLoopGroup(count: 1, system: system)
        let listener = try Listener(
            settings: ListenerSettings(address: .loopback(port: 0)),
            system: system
        )
        listener.start(on: origin) { accepted, loop in
            EchoConnection(loop: loop, accepted: accepted)
        }
        let loops = try EventLoopGroup(count: 3, system: system)
        var configuration = PoolConfiguration(
            name: "app",
            targets: [TargetConfiguration(url: .tcp("127.0.0.1", listener.address.port))]
        )
        configuration.connections.max = permits
        let shared = SharedPool(configuration: configuration, loops: loops.loops)
        let resolver = Resolver(system: system)
        try origin.start()
        try loops.start()

        let failures = Count()
        let finished = Count()
        let senders = 4
        let pools = Mutex<[LoopReference<UpstreamPool>]>([])
        for loop in loops.loops {
            loop.post { loop in
                let pool = UpstreamPool(
                    shared: shared,
                    loop: loop,
                    resolver: resolver,
                    logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
                )
                pools.withLock { $0.append(LoopReference(pool, loop: loop)) }
                for _ in 0..<senders {
                    Sender(pool, requests: 200, failures: failures, finished: finished).sendNext()
                }
            }
        }
        let all = senders * loops.loops.count
        #expect(self.comesTrue { finished.value.load(ordering: .sequentiallyConsistent) == all })
        #expect(failures.value.load(ordering: .relaxed) == 0)
        #expect(shared.status(of: 0).requests == UInt64(all * 200))

        // Neither has a permit been lost nor given out twice: all of them come back.
        for pool in pools.withLock({ $0 }) { pool.post { $0?.retire() } }
        #expect(self.comesTrue { shared.status(of: 0).connectionsOpen == 0 })
        loops.stop()
        listener.close()
        origin.stop()
        resolver.stop()
    }

    /// Waits at most a minute for what other threads do.
    private func comesTrue(_ condition: () -> Bool) -> Bool {
        let clock = ContinuousClock()
        let end = clock.now + .seconds(60)
        while !condition() {
            if clock.now > end { return false }
            sched_yield()
        }
        return true
    }
}

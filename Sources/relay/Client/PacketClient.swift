import Logging
import RelayConfig
import RelayEngine
import RelayHTTP
import RelayUpstream

/// A client of the packet protocol (relay-protocol(7)): one request at a time, over a connection that is kept.
///
/// Drives an event loop of its own on the calling thread, and waits on it.
final class PacketClient: UpstreamHandler {
    /// What relay answered.
    struct Answer {
        /// The status.
        var status: UInt16 = 0
        /// The fields in their order, as they were sent.
        var fields: [(name: String, value: String)] = []
        /// The body.
        var body: [UInt8] = []

        /// The value of the first field with this name, in any case.
        func field(_ name: String) -> String? {
            let name = name.lowercased()
            return self.fields.first { $0.name.lowercased() == name }?.value
        }
    }

    private let loop: EventLoop
    private let resolver: Resolver
    private let pool: UpstreamPool
    private let path: String

    private var answer = Answer()
    private var outcome: Result<Answer, UpstreamFailure>?

    /// A client of the relay at `url`.
    init(url: TargetURL) throws {
        let system = LinuxSystemCalls()
        self.loop = try EventLoop(index: 0, system: system)
        self.resolver = Resolver(system: system)
        var configuration = PoolConfiguration(
            name: "relay",
            targets: [TargetConfiguration(url: url)]
        )
        configuration.connectTimeout = .seconds(10)
        self.pool = UpstreamPool(
            shared: SharedPool(configuration: configuration, loops: [self.loop]),
            loop: self.loop,
            resolver: self.resolver,
            logger: Logger(label: "relay.client", factory: { _ in SwiftLogNoOpLogHandler() })
        )
        self.path = url.path
    }

    /// POSTs `body` to `endpoint` and waits for the answer, at most for `timeout` once it was sent.
    ///
    /// `fields` are complete field lines.
    func post(
        _ endpoint: String,
        fields: [UInt8] = [],
        body: [UInt8] = [],
        timeout: Duration
    ) throws(UpstreamFailure) -> Answer {
        try self.exchange(.post, endpoint, fields: fields, body: body, timeout: timeout)
    }

    /// Sends a request to `endpoint` and waits for the answer, as above.
    func exchange(
        _ method: Method,
        _ endpoint: String,
        fields: [UInt8] = [],
        body: [UInt8] = [],
        timeout: Duration
    ) throws(UpstreamFailure) -> Answer {
        let request = UpstreamRequest(handler: self, target: 0, method: method)
        let prefix = self.path.hasSuffix("/") ? String(self.path.dropLast()) : self.path
        request.path = Array("\(prefix)\(endpoint)".utf8)
        request.fields = fields
        request.body = body
        request.bodyRange = 0..<body.count
        request.timeout = timeout
        request.expectsLongHold = true
        self.answer = Answer()
        self.outcome = nil
        self.pool.start(request)
        while true {
            if let outcome = self.outcome { return try outcome.get() }
            self.loop.turn(waitingAtMost: nil)
        }
    }

    /// Waits for `duration`.
    func pause(_ duration: Duration) {
        let alarm = Alarm()
        _ = self.loop.arm(alarm, tag: 0, at: self.loop.system.monotonicTime() + duration)
        while !alarm.hasRung { self.loop.turn(waitingAtMost: nil) }
    }

    private final class Alarm: TimerTarget {
        var hasRung = false
        func timerElapsed(_ tag: UInt32) { self.hasRung = true }
    }

    // MARK: What the pool reports

    func responseReceived(
        _ request: UpstreamRequest,
        _ head: borrowing ResponseHead,
        _ bytes: Span<UInt8>
    ) {
        self.answer.status = head.status
        for index in 0..<head.fields.count {
            let field = head.fields[index]
            self.answer.fields.append(
                (
                    String(decoding: Array(copying: bytes.extracting(field.name)), as: UTF8.self),
                    String(decoding: Array(copying: bytes.extracting(field.value)), as: UTF8.self)
                )
            )
        }
    }

    func responseBodyReceived(_ request: UpstreamRequest, _ bytes: Span<UInt8>) {
        self.answer.body.append(bytes)
    }

    func responseEnded(_ request: UpstreamRequest) {
        self.outcome = .success(self.answer)
    }

    func requestFailed(_ request: UpstreamRequest, _ failure: UpstreamFailure) {
        self.outcome = .failure(failure)
    }
}

extension [UInt8] {
    /// The bytes of a span.
    fileprivate init(copying bytes: Span<UInt8>) {
        self = []
        self.append(bytes)
    }
}

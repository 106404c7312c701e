import RelayConfig
import RelayEngine
import RelayHTTP
import RelayPipeline
import RelayUpstream

/// A request that is passed on to a target, and its response that is passed back, both as they come.
///
/// ```
///   client ── body ──▶ writeBody ──▶ target       either side that is slow pauses the other
///   client ◀── writeBody ── body ◀── target
/// ```
///
/// **Life**: an attempt goes to one target. If it fails before a response began, and the request may be repeated, the
/// next one goes to a target that was not tried; else the client hears why. Once a response has begun, a failure
/// ends the client's connection, so that what is not whole does not look whole. A client that goes away ends the
/// attempt. While no target can be reached the request waits, as long as its pool says (`wait`), and the rest of its
/// body with the client.
///
/// Bound to its loop.
final class ProxiedExchange: ExchangeHandler, UpstreamHandler {
    private let exchange: Exchange
    private let pool: UpstreamPool
    private let head: ProxiedHead
    private let framing: BodyFraming
    /// What the choice of a target by hash goes by.
    private let balanceKey: BalanceKey?
    /// The attempt under way.
    private var attempt: UpstreamRequest?
    private var attempts = 0
    private var tried = TargetSet()
    /// Whether the client's body is paused until the target takes more.
    private var isBodyPaused = false
    /// Until when the request waits for a target.
    private let waitEnd: MonotonicTime
    private var waiting: Waiting?

    /// A wait until a target can be reached.
    private struct Waiting {
        /// Ends it.
        var timer: TimerHandle
        /// The attempt before, which keeps what has come of the body.
        var failed: UpstreamRequest?
    }

    /// Attempts where the pool has no retry policy.
    private static let attemptsMax = 3

    /// Passes the request of `exchange` on to a target of `pool`, once `start` was called.
    init(_ exchange: Exchange, _ request: Request, _ bytes: Span<UInt8>, to pool: UpstreamPool) {
        self.exchange = exchange
        self.pool = pool
        self.framing = request.head.framing
        self.waitEnd = exchange.loop.now + pool.configuration.wait
        self.balanceKey = BalanceKey(pool.configuration.balance, exchange, request, bytes)
        self.head = ProxiedHead(
            of: exchange,
            request,
            bytes,
            passesHost: pool.configuration.host == .pass
        )
    }

    /// Sends the first attempt, or waits for a target; false, and an answer was given, if there is none.
    func start() -> Bool {
        guard let target = self.pool.pickTarget(excluding: self.tried, key: self.balanceKey) else {
            if self.waitForTarget(after: nil) { return true }
            self.refuse(as: .unreachable)
            return false
        }
        self.begin(at: target)
        return true
    }

    private func begin(at target: Int) {
        let request = self.request(to: target)
        request.isBodyOpen = !self.framing.isEmpty
        request.isAwaitingRoom = self.isBodyPaused
        self.send(request)
    }

    private func refuse(as kind: UpstreamFailure.Kind) {
        self.exchange.respond(kind.problem, detail: kind.detail)
    }

    private func request(to target: Int) -> UpstreamRequest {
        let request = UpstreamRequest(handler: self, target: target, method: self.exchange.method)
        request.completeHead = self.head.bytes(
            prefix: self.pool.pathPrefix(of: target),
            hostLine: self.pool.hostLine(of: target)
        )
        request.isBodyChunked = self.framing == .chunked
        request.freshness = self.exchange.method.isIdempotent ? .any : .recent
        let configuration = self.pool.configuration
        request.headTimeout = min(
            configuration.responseTimeout,
            configuration.retry?.perTryTimeout ?? configuration.responseTimeout
        )
        request.stallTimeout = configuration.stallTimeout
        request.queueTimeout = configuration.responseTimeout
        return request
    }

    private func send(_ request: UpstreamRequest) {
        self.attempts += 1
        self.tried.insert(request.target)
        self.attempt = request
        self.pool.start(request)
    }

    // MARK: The client

    func bodyReceived(_ exchange: Exchange, _ bytes: Span<UInt8>) {
        guard let attempt = self.attempt, !self.pool.writeBody(attempt, bytes) else { return }
        self.pauseBody()
    }

    private func pauseBody() {
        self.isBodyPaused = true
        self.exchange.pauseBody()
    }

    func requestEnded(_ exchange: Exchange) {
        if let attempt = self.attempt { self.pool.endBody(attempt) }
    }

    func clientHungUp(_ exchange: Exchange) {}

    func responseWritable(_ exchange: Exchange) {
        if let attempt = self.attempt { self.pool.resumeResponse(attempt) }
    }

    func exchangeEnded(_ exchange: Exchange) {
        self.endWaiting()
        guard let attempt = self.attempt else { return }
        self.attempt = nil
        self.pool.cancel(attempt)
    }

    // MARK: The target

    func requestWritable(_ request: UpstreamRequest) {
        guard self.isBodyPaused else { return }
        self.isBodyPaused = false
        self.exchange.resumeBody()
    }

    func responseReceived(
        _ request: UpstreamRequest,
        _ head: borrowing ResponseHead,
        _ bytes: Span<UInt8>
    ) {
        guard self.attempt === request else { return }
        let length: UInt64? =
            switch head.framing {
            case .length(let length): length
            case .chunked, .untilClose: nil
            case .none: head.announcedLength
            }
        var fields: [UInt8] = []
        fields.reserveCapacity(bytes.count)
        ProxiedFields.appendResponse(of: self.exchange, head, bytes, to: &fields)
        self.exchange.beginResponse(status: head.status, fields: fields.span, length: length)
    }

    func responseBodyReceived(_ request: UpstreamRequest, _ bytes: Span<UInt8>) {
        guard self.attempt === request, !self.exchange.writeBody(bytes) else { return }
        self.pool.pauseResponse(request)
    }

    func responseEnded(_ request: UpstreamRequest) {
        guard self.attempt === request else { return }
        self.attempt = nil
        self.exchange.endBody()
    }

    func requestFailed(_ request: UpstreamRequest, _ failure: UpstreamFailure) {
        guard self.attempt === request else { return }
        self.attempt = nil
        if self.exchange.isAnswered {
            self.exchange.abort()
        } else if self.mayRepeat(after: failure),
            let target = self.pool.pickTarget(excluding: self.tried, key: self.balanceKey)
        {
            self.repeat(request, at: target)
        } else if failure.kind != .unreachable || !self.waitForTarget(after: request) {
            self.refuse(as: failure.kind)
        }
    }

    /// Sends the request to another target, with what the failed attempt has kept of the body.
    private func `repeat`(_ failed: UpstreamRequest, at target: Int) {
        let request = self.request(to: target)
        request.body = failed.body
        request.bodyRange = failed.bodyRange
        request.isBodyOpen = failed.isBodyOpen
        request.isAwaitingRoom = self.isBodyPaused
        self.send(request)
    }

    /// Whether the request may go to another target: nothing of it was sent, or it asks for the same as once if it
    /// is asked twice and has no body of which a part is gone.
    private func mayRepeat(after failure: UpstreamFailure) -> Bool {
        let policy = self.pool.configuration.retry
        if let max = policy.map(\.attemptsMax) ?? Self.attemptsMax, self.attempts >= max {
            return false
        }
        guard let condition = failure.kind.condition,
            policy?.conditions.contains(condition) ?? true
        else { return false }
        switch failure.outcome {
        case .notSent: return true
        case .ambiguous:
            return self.framing.isEmpty
                && (self.exchange.method.isIdempotent || policy?.methods == .any)
        case .answered: return false
        }
    }
}

@available(*, unavailable) extension ProxiedExchange: Sendable {}

// MARK: - Waiting until a target can be reached

extension ProxiedExchange: PoolWaiter, TimerTarget {
    /// Waits, if the pool says so and has no target that could be tried; nothing of the request was sent.
    private func waitForTarget(after failed: UpstreamRequest?) -> Bool {
        guard self.exchange.loop.now < self.waitEnd, !self.pool.isUsable else { return false }
        if failed?.isBodyOpen ?? !self.framing.isEmpty { self.pauseBody() }
        let timer = self.exchange.loop.arm(self, tag: 0, at: self.waitEnd)
        self.waiting = Waiting(timer: timer, failed: failed)
        self.pool.wait(self)
        return true
    }

    /// A target may be reachable again: all of them count as not tried.
    func poolMayBeUsable(_ pool: UpstreamPool) {
        guard let waiting = self.waiting else { return }
        // The pool calls once and has forgotten this waiter.
        self.exchange.loop.cancel(waiting.timer)
        self.waiting = nil
        self.tried = TargetSet()
        self.attempts = 0
        if let target = self.pool.pickTarget(excluding: self.tried, key: self.balanceKey) {
            if let failed = waiting.failed {
                self.repeat(failed, at: target)
            } else {
                self.begin(at: target)
            }
        } else if !self.waitForTarget(after: waiting.failed) {
            self.refuse(as: .unreachable)
        }
    }

    /// The time to wait is over; called by the loop.
    func timerElapsed(_ tag: UInt32) {
        guard self.waiting != nil else { return }
        self.waiting = nil
        self.pool.cancelWait(self)
        self.refuse(as: .unreachable)
    }

    private func endWaiting() {
        guard let waiting = self.waiting else { return }
        self.waiting = nil
        self.exchange.loop.cancel(waiting.timer)
        self.pool.cancelWait(self)
    }
}

extension UpstreamFailure.Kind {
    /// What a retry policy calls it; nil: nothing that another target would cure.
    fileprivate var condition: RetryPolicyConfiguration.Condition? {
        switch self {
        case .unreachable: .connect
        case .reset: .reset
        case .timedOut: .timeout
        case .noCapacity, .malformed, .cancelled: nil
        }
    }

    /// What the client hears of it.
    fileprivate var problem: Problem {
        switch self {
        case .unreachable, .noCapacity: Problem(status: 503)
        case .reset, .malformed, .cancelled: Problem(status: 502)
        case .timedOut: Problem(status: 504)
        }
    }

    fileprivate var detail: String {
        switch self {
        case .unreachable: "No target of the service can be reached at the moment."
        case .noCapacity: "The service has no free connection at the moment."
        case .reset, .cancelled: "The service has broken off before it answered."
        case .malformed: "The service's answer was not understood."
        case .timedOut: "The service has not answered in time."
        }
    }
}

extension Method {
    /// Whether asking twice is the same as asking once (RFC 9110 section 9.2.2).
    fileprivate var isIdempotent: Bool {
        switch self {
        case .get, .head, .options, .trace, .put, .delete: true
        case .post, .patch, .connect, .other: false
        }
    }
}

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
/// **Life**: an attempt goes to one target. If it brings no answer, or one that the pool's retry policy names, and
/// the request may be repeated, another follows (`RetryState`); else the client hears why, or gets the last answer
/// that there was. Once a response was begun, a failure ends the client's connection, so that what is not whole does
/// not look whole. A client that goes away ends the attempt. While no target can be reached the request waits, as
/// long as its pool says (`wait`), and the rest of its body with the client.
///
/// Bound to its loop.
final class ProxiedExchange: ExchangeHandler, UpstreamHandler {
    let exchange: Exchange
    let pool: UpstreamPool
    private var head: ProxiedHead
    private let buffers: HeadBuffers
    private let framing: BodyFraming
    /// What the choice of a target by hash goes by.
    let balanceKey: BalanceKey?
    /// Whether a target may be asked twice, as far as the head tells.
    private let isRepeatable: Bool
    /// Whether the whole body will be in memory, as far as the head tells.
    private let isBodyKept: Bool
    /// How long all attempts together may take to the head of the response, from the end of the request.
    private let timeout: Duration?
    /// The time of that, once the request is complete.
    var headDeadline: MonotonicTime = .never

    /// The attempt under way.
    var attempt: UpstreamRequest?
    /// How the attempts went.
    var retries = RetryState()
    /// The targets that were tried in this round.
    var tried = TargetSet()
    /// Whether it has one of the pool's places for requests that are tried again.
    private var holdsRetry = false
    /// The answer of the attempt under way, while it is kept back.
    private var keeping: KeptAnswer?
    /// The last whole answer that was kept back.
    private var kept: KeptAnswer?
    /// Whether the client's body is paused until the target takes more.
    private var isBodyPaused = false
    /// Until when the request waits for a target.
    let waitEnd: MonotonicTime
    /// What it waits for between two attempts.
    var waiting: Waiting?
    /// The tunnel that it has become.
    var tunnel: Tunnel?

    /// Passes the request of `exchange` on to a target of `pool`, once `start` was called.
    ///
    /// `timeout` is the rule's.
    init(
        _ exchange: Exchange,
        _ request: Request,
        _ bytes: Span<UInt8>,
        to pool: UpstreamPool,
        timeout: Duration?,
        buffers: HeadBuffers
    ) {
        self.buffers = buffers
        self.exchange = exchange
        self.pool = pool
        self.timeout = timeout
        let framing = request.head.framing
        self.framing = framing
        let policy = pool.configuration.requestRetry
        self.isRepeatable =
            policy.attemptsMax != 1 && (exchange.method.isIdempotent || policy.methods == .any)
        self.isBodyKept =
            switch framing {
            case .none: true
            case .length(let length): length <= UInt64(pool.configuration.retryBufferBytes)
            case .chunked, .untilClose: false
            }
        self.waitEnd = exchange.loop.now + pool.configuration.wait
        self.balanceKey = BalanceKey(pool.configuration.balance, exchange, request, bytes)
        exchange.asksForTunnel = request.asksForTunnel(bytes)
        var buffer = buffers.take()
        self.head = ProxiedHead(
            of: exchange,
            request,
            bytes,
            passesHost: pool.configuration.host == .pass,
            in: &buffer
        )
        if framing.isEmpty { self.requestCompleted() }
        pool.shared.retryBudget.requestBegan(loop: exchange.loop.index)
    }

    /// Sends the first attempt, or waits for a target; false, and an answer was given, if there is none.
    func start() -> Bool {
        if let target = self.pool.pickTarget(excluding: self.tried, key: self.balanceKey) {
            self.begin(at: target, after: nil)
            return true
        }
        if self.waitForTarget(after: nil) { return true }
        self.pool.shared.retryBudget.requestEnded(loop: self.exchange.loop.index)
        self.refuse(as: .unreachable)
        return false
    }

    /// Sends an attempt, with what the one before, which has failed, has kept of the body.
    func begin(
        at target: Int,
        after failed: UpstreamRequest?,
        freshness: UpstreamRequest.Freshness = .any
    ) {
        let request = UpstreamRequest(handler: self, target: target, method: self.exchange.method)
        request.completeHead = self.head.bytes(
            prefix: self.pool.pathPrefix(of: target),
            hostLine: self.pool.hostLine(of: target)
        )
        request.isBodyChunked = self.framing == .chunked
        request.asksForTunnel = self.exchange.asksForTunnel
        request.freshness = self.isRepeatable && self.isBodyKept ? freshness : .recent
        let configuration = self.pool.configuration
        request.bodyBytesKeptMax = self.isRepeatable ? configuration.retryBufferBytes : 0
        if let failed {
            request.takeBody(of: failed)
        } else {
            request.isBodyOpen = !self.framing.isEmpty
        }
        request.isAwaitingRoom = self.isBodyPaused
        self.limit(request)
        self.retries.attemptBegan()
        self.tried.insert(target)
        self.attempt = request
        self.pool.start(request)
    }

    /// Sets how long the attempt may take.
    ///
    /// What the client still owes of its body is not the target's time, so a limit from the beginning on is only for
    /// what is complete.
    private func limit(_ request: UpstreamRequest) {
        let configuration = self.pool.configuration
        let perTry = configuration.retry?.perTryTimeout
        let headTimeout = min(
            configuration.responseTimeout,
            perTry ?? configuration.responseTimeout
        )
        request.headTimeout = headTimeout
        request.stallTimeout = configuration.stallTimeout
        request.queueTimeout = headTimeout
        guard !request.isBodyOpen else { return }
        let time = min(self.headDeadline, perTry.map { self.exchange.loop.now + $0 } ?? .never)
        if time != .never { request.headDeadline = time }
    }

    /// The rest of the time is the targets'.
    private func requestCompleted() {
        guard let timeout = self.timeout, self.headDeadline == .never else { return }
        self.headDeadline = self.exchange.loop.now + timeout
    }

    // MARK: The client

    func bodyReceived(_ exchange: Exchange, _ bytes: Span<UInt8>) {
        self.tunnel?.lastByteAt = exchange.loop.now
        guard let attempt = self.attempt, !self.pool.writeBody(attempt, bytes) else { return }
        self.pauseBody()
    }

    private func pauseBody() {
        self.isBodyPaused = true
        self.exchange.pauseBody()
    }

    func requestEnded(_ exchange: Exchange) {
        if self.tunnel != nil { return self.tunnelInputEnded() }
        self.requestCompleted()
        guard let attempt = self.attempt, attempt.isBodyOpen else { return }
        if self.headDeadline != .never { attempt.headDeadline = self.headDeadline }
        self.pool.endBody(attempt)
    }

    func clientHungUp(_ exchange: Exchange) {}

    func responseWritable(_ exchange: Exchange) {
        if let attempt = self.attempt { self.pool.resumeResponse(attempt) }
    }

    func exchangeEnded(_ exchange: Exchange) {
        let budget = self.pool.shared.retryBudget
        if self.holdsRetry { budget.giveBack() }
        budget.requestEnded(loop: exchange.loop.index)
        self.endWaiting()
        self.head.giveBuffer(to: self.buffers)
        if let tunnel = self.tunnel { exchange.loop.cancel(tunnel.timer) }
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

    func interimReceived(
        _ request: UpstreamRequest,
        _ head: borrowing ResponseHead,
        _ bytes: Span<UInt8>
    ) {
        // Who waits for 100 has it from relay, or will.
        guard self.attempt === request, head.status != 100 else { return }
        var fields: [UInt8] = []
        ProxiedFields.appendResponse(of: self.exchange, head, bytes, to: &fields)
        self.exchange.inform(status: head.status, fields: fields.span)
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
        var fields = self.buffers.take()
        defer { self.buffers.giveBack(&fields) }
        fields.reserveCapacity(bytes.count)
        ProxiedFields.appendResponse(of: self.exchange, head, bytes, to: &fields)
        if head.status == 101 {
            self.beginTunnel(request, head, bytes, fields: &fields)
        } else if self.mayTryAgain(behind: head.status, of: request) {
            self.keeping = KeptAnswer(status: head.status, fields: fields, length: length)
            // It is an attempt's time that its body takes, too.
            request.deadline = request.headDeadline
        } else {
            self.exchange.beginResponse(status: head.status, fields: fields.span, length: length)
        }
    }

    func responseBodyReceived(_ request: UpstreamRequest, _ bytes: Span<UInt8>) {
        guard self.attempt === request else { return }
        self.tunnel?.lastByteAt = self.exchange.loop.now
        var hasRoom = true
        if self.keeping != nil {
            if self.keeping?.keep(bytes, max: self.pool.configuration.retryBufferBytes) ?? false {
                return
            }
            // Too large to be kept: it is passed on.
            request.deadline = nil
            hasRoom = self.keeping.take()?.begin(on: self.exchange) ?? true
        }
        if !self.exchange.writeBody(bytes) || !hasRoom { self.pool.pauseResponse(request) }
    }

    func responseEnded(_ request: UpstreamRequest) {
        guard self.attempt === request else { return }
        self.attempt = nil
        guard let answer = self.keeping.take() else { return self.exchange.endBody() }
        self.kept = answer
        if self.isRepeatable(request) {
            self.tryAnother(after: request, as: nil)
        } else {
            self.giveUp(as: nil)
        }
    }

    func requestFailed(_ request: UpstreamRequest, _ failure: UpstreamFailure) {
        guard self.attempt === request else { return }
        self.attempt = nil
        self.keeping = nil
        if self.exchange.isAnswered { return self.exchange.abort() }
        switch self.step(after: failure, of: request) {
        case .trySame: self.begin(at: request.target, after: request, freshness: .recent)
        case .tryAnother: self.tryAnother(after: request, as: failure.kind)
        case .giveUp:
            if failure.kind == .unreachable, self.waitForTarget(after: request) { return }
            self.giveUp(as: failure.kind)
        }
    }
}

@available(*, unavailable) extension ProxiedExchange: Sendable {}

// MARK: - Trying again

extension ProxiedExchange {
    private func step(
        after failure: UpstreamFailure,
        of request: UpstreamRequest
    ) -> RetryState.Step {
        guard self.exchange.loop.now < self.headDeadline else { return .giveUp }
        let step = self.retries.attemptFailed(
            failure,
            isRepeatable: self.isRepeatable(request),
            by: self.pool.configuration.requestRetry
        )
        // What was not sent is no work that a target does again.
        if step != .giveUp, failure.outcome != .notSent, !self.takeRetry() { return .giveUp }
        return step
    }

    private func mayTryAgain(behind status: UInt16, of request: UpstreamRequest) -> Bool {
        status >= 400
            && self.retries.mayFollow(
                status,
                isRepeatable: self.isRepeatable(request),
                by: self.pool.configuration.requestRetry
            )
            && self.exchange.loop.now < self.headDeadline && self.takeRetry()
    }

    /// Whether the target may be asked twice, and all that has come of the body is still there.
    ///
    /// What comes before the head is on its way is kept whatever its size, but counts here all the same.
    private func isRepeatable(_ request: UpstreamRequest) -> Bool {
        self.isRepeatable && request.isBodyWhole
            && request.bodyRange.count <= self.pool.configuration.retryBufferBytes
    }

    /// Takes a place among the retries of the pool, which it keeps.
    private func takeRetry() -> Bool {
        if self.holdsRetry { return true }
        let percent = self.pool.configuration.requestRetry.budgetPercent
        self.holdsRetry = self.pool.shared.retryBudget.take(percent: percent)
        return self.holdsRetry
    }

    /// Sends the request to a target that was not tried; if all were, again to any of them after a pause.
    ///
    /// `kind` is what the last attempt has failed by; nil if it was answered.
    private func tryAnother(after failed: UpstreamRequest, as kind: UpstreamFailure.Kind?) {
        if let target = self.pool.pickTarget(excluding: self.tried, key: self.balanceKey) {
            self.begin(at: target, after: failed)
        } else if self.pool.isUsable {
            self.waitForNextRound(after: failed)
        } else if kind != .unreachable || !self.waitForTarget(after: failed) {
            self.giveUp(as: kind)
        }
    }

    /// Passes on the last answer that there was; without one, says what happened.
    func giveUp(as kind: UpstreamFailure.Kind?) {
        if let kept = self.kept.take() {
            // All of it is small enough to be with the connection whatever that says.
            _ = kept.begin(on: self.exchange)
            self.exchange.endBody()
        } else {
            self.refuse(as: kind ?? .reset)
        }
    }

    /// The time by which a wait between two attempts must be over.
    func waitLimit(_ time: MonotonicTime) -> MonotonicTime { min(time, self.headDeadline) }

    /// Stops the client's body, of which `failed` has kept what came.
    func pauseBody(after failed: UpstreamRequest?) {
        if failed?.isBodyOpen ?? !self.framing.isEmpty { self.pauseBody() }
    }

    private func refuse(as kind: UpstreamFailure.Kind) {
        self.exchange.respond(kind.problem, detail: kind.detail)
    }
}

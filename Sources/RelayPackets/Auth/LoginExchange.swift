import Logging
import RelayConfig
import RelayEngine
import RelayHTTP
import RelayObservation
import RelayPipeline
import RelayStore
import RelayUpstream

/// One login or registration: collects what the client sends, asks a backend, stores the session, and
/// only then lets the client know.
///
/// What it keeps of the body is within the listener's `buffered`.
final class LoginExchange: ExchangeHandler, UpstreamHandler, PoolWaiter, TimerTarget {
    private let stage: AuthStage
    private let handle: ExchangeHandle
    private let listener: ListenerContext

    /// The field lines that go to the backend.
    private let fields: [UInt8]

    /// Whether the client asks for the permission of debug servers.
    private let asksForDebugging: Bool

    private var body: [UInt8] = []
    private var reserved = 0
    private var attempts = LoginAttempts()
    private var answer = LoginAnswer()
    private var request: UpstreamRequest?
    private var deadline = MonotonicTime.never
    private var waitEnd = MonotonicTime.never
    private var timer = TimerHandle.none
    private var state = State.receiving
    private var isDebugServer = false

    /// How far the login is.
    private enum State {
        /// The request is not complete.
        case receiving
        /// A target was asked.
        case asking
        /// No target can be reached; the pool will call.
        case waitingForPool
        /// The store has the session and has not confirmed it.
        case storing
        /// Answered, or nobody is there to be answered.
        case over
    }

    /// A login with these fields.
    init(
        _ stage: AuthStage,
        handle: ExchangeHandle,
        listener: ListenerContext,
        fields: [UInt8],
        asksForDebugging: Bool
    ) {
        self.stage = stage
        self.handle = handle
        self.listener = listener
        self.fields = fields
        self.asksForDebugging = asksForDebugging
    }

    deinit {
        if self.reserved > 0 { self.listener.shared.release(self.reserved) }
    }

    private var owner: PacketLoop { self.stage.owner }

    private var exchange: Exchange? { self.owner.exchanges[self.handle] }

    // MARK: The request

    func bodyReceived(_ exchange: Exchange, _ bytes: Span<UInt8>) {
        guard self.state == .receiving else { return }
        let missing = self.body.count + bytes.count - self.reserved
        if missing > 0 {
            let limits = self.listener.configuration.limits
            guard self.listener.shared.reserve(missing, max: limits.bufferedBytesMax) else {
                self.refuse(.tooManyBodies)
                return
            }
            self.reserved += missing
        }
        self.body.append(bytes)
    }

    func requestEnded(_ exchange: Exchange) {
        guard self.state == .receiving else { return }
        self.deadline = self.owner.loop.now + self.stage.configuration.timeout
        self.waitEnd = min(self.deadline, self.owner.loop.now + self.stage.pool.wait)
        self.pickTarget()
    }

    func clientHungUp(_ exchange: Exchange) {}

    func exchangeEnded(_ exchange: Exchange) {
        // A session that is being stored is stored; the client did not hear of its token.
        self.endWaiting()
        if let request { self.stage.targets.cancel(request) }
        self.request = nil
        // Nobody will hear that it is stored, and who becomes a debug server is never kept quiet.
        if self.state == .storing, self.isDebugServer { self.logDebugServer(exchange) }
        self.state = .over
    }

    // MARK: Asking

    private func pickTarget() {
        self.state = .asking
        self.perform(
            self.attempts.targetPicked(
                self.stage.targets.pickTarget(excluding: self.attempts.tried, key: nil),
                mayWait: self.owner.loop.now < self.waitEnd
            )
        )
    }

    private func perform(_ action: LoginAttempts.Action) {
        switch action {
        case .send(let target):
            self.start(on: target)
        case .tryAnother:
            self.pickTarget()
        case .waitForPool:
            self.waitForPool()
        case .refuse(let problem):
            self.refuse(problem)
        case .passOn:
            self.passOn()
        case .logIn:
            self.logIn()
        }
    }

    private func start(on target: Int) {
        let request = UpstreamRequest(handler: self, target: target, method: .post)
        request.fields = self.fields
        request.body = self.body
        request.bodyRange = 0..<self.body.count
        request.freshness = .recent
        request.deadline = self.deadline
        request.responseBytesMax = self.stage.answerBytesMax
        self.request = request
        self.stage.targets.start(request)
    }

    func responseReceived(
        _ request: UpstreamRequest,
        _ head: borrowing ResponseHead,
        _ bytes: Span<UInt8>
    ) {
        self.answer.begin(head, bytes, kept: self.stage.kept, at: self.owner.now)
    }

    func responseBodyReceived(_ request: UpstreamRequest, _ bytes: Span<UInt8>) {
        self.answer.append(bytes)
    }

    func responseEnded(_ request: UpstreamRequest) {
        self.request = nil
        guard self.state == .asking else { return }
        // Before the login: a backend may end the sessions of the very client that it lets in.
        self.owner.endSessions(of: self.answer.endedSessions, in: self.stage.realm)
        let verdict = self.answer.verdict
        if case .unusable(let reason) = verdict { self.log(reason, target: request.target) }
        self.perform(
            self.attempts.answered(verdict, retryAfterSeconds: self.answer.retryAfterSeconds)
        )
    }

    func requestFailed(_ request: UpstreamRequest, _ failure: UpstreamFailure) {
        self.request = nil
        guard self.state == .asking else { return }
        self.log(failure.reason, target: request.target)
        self.perform(self.attempts.failed(failure))
    }

    // MARK: Waiting until a target can be reached (`wait` of the pool)

    private func waitForPool() {
        self.state = .waitingForPool
        self.timer = self.owner.loop.arm(self, tag: 0, at: self.waitEnd)
        self.stage.targets.wait(self)
    }

    func poolMayBeUsable(_ pool: UpstreamPool) { self.mayBeUsable() }

    /// A target may be reachable again.
    func mayBeUsable() {
        guard self.state == .waitingForPool else { return }
        // The pool calls once and has forgotten this waiter.
        self.owner.loop.cancel(self.timer)
        self.attempts.poolMayBeUsable()
        self.pickTarget()
    }

    func timerElapsed(_ tag: UInt32) {
        guard self.state == .waitingForPool else { return }
        self.stage.targets.cancelWait(self)
        self.state = .asking
        self.refuse(.backendUnreachable(retryAfterSeconds: 1))
    }

    private func endWaiting() {
        guard self.state == .waitingForPool else { return }
        self.owner.loop.cancel(self.timer)
        self.stage.targets.cancelWait(self)
    }

    // MARK: Answering

    private func logIn() {
        guard case .granted(let client, let token) = self.answer.verdict else { return }
        self.state = .storing
        self.isDebugServer =
            self.stage.configuration.debugServers
            && (self.answer.grantsDebugging ?? self.asksForDebugging)
        let login = Login(
            realm: self.stage.realm,
            name: client,
            token: Array(self.answer.body[token]),
            tokenTTL: self.stage.configuration.tokenTTL,
            isDebugServer: self.isDebugServer
        )
        let ticket = Ticket(loop: self.owner.index, handle: self.handle.rawValue)
        self.owner.operate { store, now, effects in
            _ = store.logIn(login, ticket: ticket, at: now, &effects)
        }
    }

    /// The session is stored: the client may hear of it.
    func loggedIn() {
        guard self.state == .storing else { return }
        self.owner.counters.logins.add(loop: Int(self.owner.index))
        if self.isDebugServer { self.logDebugServer(self.exchange) }
        self.passOn()
    }

    /// The session was not stored.
    func refused(_ refusal: Refusal) {
        guard self.state == .storing else { return }
        if refusal == .tokenTaken { self.log("token of another client", target: nil) }
        self.refuse(PacketProblem(refusal))
    }

    private func passOn() {
        self.state = .over
        guard let exchange else { return }
        let answer = self.answer
        self.owner.withFields { fields in
            if answer.status == 200 {
                fields.append("Content-Type: text/plain; charset=utf-8\r\n")
            }
            fields.append("Cache-Control: no-store\r\n")
            if let client = answer.client { fields.appendField(.clientID, client.bytes.span) }
            CarriedFields.appendDelivered(
                exchange.responseFilters,
                stored: answer.fields.span,
                to: &fields
            )
            exchange.respond(
                status: answer.status,
                fields: fields.span,
                body: answer.body.span
            )
        }
    }

    private func refuse(_ problem: PacketProblem) {
        self.state = .over
        if let exchange { problem.answer(exchange) }
    }

    // MARK: Log; never a token, a body or a field

    private func log(_ reason: String, target: Int?) {
        guard self.owner.logger.logLevel <= .warning else { return }
        var metadata = self.metadata(of: self.exchange)
        metadata["reason"] = "\(reason)"
        if let target, self.stage.pool.targets.indices.contains(target) {
            metadata["target"] = "\(self.stage.pool.targets[target].url.text)"
        }
        self.owner.logger.warning("login failed at the backend", metadata: metadata)
    }

    private func logDebugServer(_ exchange: Exchange?) {
        guard case .granted(let client, _) = self.answer.verdict else { return }
        var metadata = self.metadata(of: exchange)
        metadata["client"] = "\(client)"
        self.owner.logger.notice("client is a debug server now", metadata: metadata)
    }

    private func metadata(of exchange: Exchange?) -> Logger.Metadata {
        var metadata: Logger.Metadata = [
            "pool": "\(self.stage.pool.name)",
            "realm": "\(self.stage.configuration.realm)",
        ]
        if let exchange {
            metadata["address"] = "\(exchange.clientAddress.logText)"
            metadata["request_id"] = "\(exchange.requestID.logText)"
        }
        return metadata
    }
}

@available(*, unavailable) extension LoginExchange: Sendable {}

import DequeModule
package import Logging
package import RelayConfig
package import RelayEngine
import RelayHTTP
import RelayObservation

/// A pool on one event loop: its targets, and this loop's connections to them.
///
/// Kept across reloads where its configuration did not change (`SharedPool.serves`); `retire` otherwise, without
/// which its idle connections keep it. Bound to its loop; what the loops share (permits, health) stands in
/// `shared`.
package final class UpstreamPool {
    /// What relay.yaml says.
    package let configuration: PoolConfiguration
    /// The loop.
    package let loop: EventLoop
    /// What all loops share.
    package let shared: SharedPool
    /// How many requests are under way on this loop.
    package private(set) var requestsUnderWay = 0

    /// Looks the targets' names up.
    let resolver: Resolver
    /// For what a person may have to act on: targets that come and go.
    let logger: Logger
    /// Chance, for jitter.
    package var random: LoopRandom
    /// Whether no new requests will come.
    private(set) var isRetired = false
    /// Where the head of a response is parsed into, one at a time.
    var responseHead = ResponseHead()
    /// Where the head of a request is written, one at a time.
    private var requestHead: [UInt8] = []

    private(set) var targets: [UpstreamTarget] = []
    /// Chooses among them.
    var balancer: Balancer
    private var waiting = PoolWaiters()
    /// Those that this loop does.
    private var healthChecks: [HealthCheck] = []

    /// A pool's part on one loop.
    package init(shared: SharedPool, loop: EventLoop, resolver: Resolver, logger: Logger) {
        self.configuration = shared.configuration
        self.loop = loop
        self.shared = shared
        self.resolver = resolver
        self.logger = logger
        self.random = LoopRandom(loop.system)
        self.balancer = Balancer(
            shared.configuration.balance,
            targets: shared.configuration.targets,
            random: LoopRandom(loop.system)
        )
        self.targets = shared.configuration.targets.indices.map { UpstreamTarget($0, pool: self) }
        for target in self.targets { target.open() }
        self.healthChecks = self.makeHealthChecks()
    }

    deinit {
        for target in self.targets { target.close() }
    }

    /// How many targets it has.
    package var targetCount: Int { self.configuration.targets.count }

    // MARK: Requests

    /// Sends a request: over an idle connection that will do, or a new one if there is a permit, or once a permit comes.
    ///
    /// On a reused connection that ends before the first byte of a response, and if nothing of the request
    /// can have been seen, it is sent again on a new one.
    package func start(_ request: UpstreamRequest) {
        self.loop.assertOnLoop()
        assert(
            request.method != .other || !request.completeHead.isEmpty,
            "relay asks with methods that it knows"
        )
        guard case .new = request.stage else { preconditionFailure("a request is started once") }
        let target = self.targets[request.target]
        request.pool = self
        self.requestsUnderWay += 1
        if !request.isHealthCheck { target.shared.requestBegan(loop: self.loop.index) }
        if let deadline = request.deadline, deadline <= self.loop.now {
            self.failLater(request, .init(.timedOut, .notSent, reason: "the deadline had passed"))
        } else {
            target.start(request)
        }
    }

    /// Gives a request up: `requestFailed(.cancelled)` does not come any more; its connection is closed if it was sent.
    package func cancel(_ request: UpstreamRequest) {
        self.loop.assertOnLoop()
        switch request.stage {
        case .new, .over: return
        case .failing: break
        case .queued: self.targets[request.target].removeFromQueue(request)
        case .connecting(let attempt): attempt.request = nil
        case .sent(let connection): connection.requestCancelled()
        }
        self.requestEnded(request)
    }

    /// No new requests will come: idle connections close, those under way finish.
    package func retire() {
        self.loop.assertOnLoop()
        self.isRetired = true
        for check in self.healthChecks { check.stop() }
        self.healthChecks = []
        for target in self.targets { target.retire() }
    }

    // MARK: Targets

    /// Has `waiter.poolMayBeUsable` called, once, when a target has become usable or is due for a probe.
    ///
    /// For who got no target though it had tried none. In a later turn, or at the end of this one.
    package func wait(_ waiter: any PoolWaiter) {
        self.loop.assertOnLoop()
        self.waiting.append(waiter)
        self.watchTargets()
    }

    /// Takes a waiter out that has not been called.
    package func cancelWait(_ waiter: any PoolWaiter) {
        self.loop.assertOnLoop()
        self.waiting.remove(waiter)
    }
}

@available(*, unavailable) extension UpstreamPool: Sendable {}

// MARK: - For its parts

extension UpstreamPool {
    /// Shows the head of a request to `write`.
    func withHead(
        of request: UpstreamRequest,
        to target: UpstreamTarget,
        _ write: (Span<UInt8>) -> Void
    ) {
        guard request.completeHead.isEmpty else {
            let head = request.completeHead
            write(head.span)
            return
        }
        // Taken out and put back, so that filling it copies nothing.
        var head: [UInt8] = []
        swap(&head, &self.requestHead)
        if request.method == .post, request.path == nil {
            head.append(contentsOf: target.postStart)
        } else {
            let path = request.path ?? target.path
            head.appendRequestLine(request.method, target: path.span)
            head.append(contentsOf: target.hostLine)
        }
        head.append(contentsOf: request.fields)
        // Whoever sends no body with a method that usually has one says so (RFC 9110 section 8.6).
        if !request.bodyRange.isEmpty || request.method.usuallyHasBody {
            head.appendField(.contentLength, UInt64(request.bodyRange.count))
        }
        head.appendEndOfHead()
        write(head.span)
        head.removeAll(keepingCapacity: true)
        swap(&head, &self.requestHead)
    }

    /// Tells the handler that there is no response.
    func fail(_ request: UpstreamRequest, _ failure: UpstreamFailure) {
        if !request.isHealthCheck {
            self.shared.targets[request.target].failures.add(loop: self.loop.index)
        }
        if let ejection = self.shared.ejection, failure.isOfTarget(request) {
            self.targetFailed(request.target, ejection, reason: failure.reason)
        }
        self.requestEnded(request)
        request.handler.requestFailed(request, failure)
    }

    /// The same at the end of the turn, so that it does not happen inside `start`.
    func failLater(_ request: UpstreamRequest, _ failure: UpstreamFailure) {
        request.stage = .failing
        self.loop.atEndOfTurn {
            // It may have been cancelled meanwhile.
            if case .failing = request.stage { self.fail(request, failure) }
        }
    }

    /// A response's head has come: some statuses say that the target fails.
    func statusReceived(_ status: UInt16, for request: UpstreamRequest) {
        guard let ejection = self.shared.ejection, 502...504 ~= status, !request.isHealthCheck
        else { return }
        self.targetFailed(request.target, ejection, reason: "status \(status)")
    }

    private func targetFailed(_ target: Int, _ ejection: Ejection, reason: String) {
        guard ejection.failed(target, at: self.loop.now) else { return }
        self.logger.warning(
            "target fails too often and is ejected for a while",
            metadata: [
                "pool": "\(self.configuration.name)",
                "target": "\(self.configuration.targets[target].url.text)",
                "reason": "\(reason)",
            ]
        )
    }

    /// A request is over.
    func requestEnded(_ request: UpstreamRequest) {
        request.disarmDeadline()
        request.stage = .over
        request.pool = nil
        // Whoever has written the head may use its buffer again.
        request.completeHead = []
        self.requestsUnderWay -= 1
        if !request.isHealthCheck {
            self.shared.targets[request.target].requestEnded(loop: self.loop.index)
        }
    }

    /// The deadline of a request has come that is on no connection.
    func deadlineReached(_ request: UpstreamRequest) {
        switch request.stage {
        case .queued:
            self.targets[request.target].removeFromQueue(request)
            self.fail(request, .init(.noCapacity, .notSent, reason: "no free connection in time"))
        case .connecting(let attempt):
            attempt.request = nil
            self.fail(request, .init(.timedOut, .notSent, reason: "not connected in time"))
        case .new, .failing, .sent, .over:
            break
        }
    }
}

// MARK: - Waiting for a usable target

extension UpstreamPool: TimerTarget {
    /// A target has come up, perhaps on another loop.
    func becameUsable() {
        self.waiting.isRegistered = false
        self.notifyWaiters()
    }

    /// A target is due for a probe; called by the loop.
    package func timerElapsed(_ tag: UInt32) {
        self.waiting.timer = .none
        self.notifyWaiters()
    }

    private var mayPick: Bool {
        let now = self.loop.now
        return self.shared.targets.contains { $0.isUsable || $0.probeAt.map { $0 <= now } ?? false }
    }

    /// Calls waiters for as long as there is something for them; of those who wait for a probe, only as
    /// many as get one.
    private func notifyWaiters() {
        // Not those who wait again, and not so many that the loop's connections starve.
        var calls = min(self.waiting.count, PoolWaiters.callsInTurnMax)
        while calls > 0, self.mayPick, let waiter = self.waiting.popFirst() {
            calls -= 1
            waiter.poolMayBeUsable(self)
        }
        if self.waiting.count > 0 { self.watchTargets() }
    }

    /// Sees to it that the waiters will be called.
    private func watchTargets() {
        if !self.waiting.isRegistered {
            self.waiting.isRegistered = true
            self.shared.addUsabilityWaiter(LoopReference(self, loop: self.loop))
        }
        // Behind the registration: what has come up before it is seen here.
        if self.mayPick {
            self.notifyAtEndOfTurn()
            return
        }
        let due = self.shared.targets.compactMap(\.probeAt).min() ?? .never
        guard due != .never else { return }
        if !self.loop.rearm(self.waiting.timer, at: due) {
            self.waiting.timer = self.loop.arm(self, tag: 0, at: due)
        }
    }

    private func notifyAtEndOfTurn() {
        guard !self.waiting.isNotifying else { return }
        self.waiting.isNotifying = true
        self.loop.atEndOfTurn {
            self.waiting.isNotifying = false
            self.notifyWaiters()
        }
    }
}

extension Method {
    /// Whether a request with this method tells its length also if that is 0.
    fileprivate var usuallyHasBody: Bool {
        switch self {
        case .post, .put, .patch: true
        case .get, .head, .delete, .connect, .options, .trace, .other: false
        }
    }
}

import Logging
import RelayConfig
import RelayEngine
import RelayHTTP
import RelayObservation
import RelayPipeline
import RelayStore
import RelayUpstream

/// Keeps one fetch outstanding at one target: asks whether there are packets, again and again.
///
/// While a fetch is under way its request keeps this object, also when it was stopped: what arrives
/// is stored, by the rules of the generation that asked.
final class Fetcher: UpstreamHandler, TimerTarget {
    private unowned let owner: PacketLoop

    /// The pool, as of the newest generation that has it.
    var pool: PacketPool

    /// Which of the pool's targets it asks.
    let target: Int

    /// What every fetch says, shared by all of them.
    private static let fields = Array("Type: Packet\r\n".utf8)

    private var schedule = FetchSchedule()
    private var answer = BackendAnswer()
    private var timer = TimerHandle.none
    private var phase = Phase.idle
    private var isStopped = false

    /// Where the fetch is.
    private enum Phase {
        /// Not begun, or over.
        case idle
        /// A request is under way.
        case asking
        /// The next one is for later.
        case waiting
        /// The outboxes are full; the store will say when there is room.
        case waitingForRoom
    }

    /// Fetches from `target`, once `start` was called.
    init(_ owner: PacketLoop, pool: PacketPool, target: Int) {
        self.owner = owner
        self.pool = pool
        self.target = target
    }

    /// Sends a fetch.
    func start() {
        guard !self.isStopped else { return }
        guard self.owner.store.acceptsReplies else {
            self.phase = .waitingForRoom
            return
        }
        let request = UpstreamRequest(handler: self, target: self.target, method: .post)
        request.fields = Self.fields
        request.timeout = self.pool.configuration.fetch.timeout
        request.expectsLongHold = true
        self.phase = .asking
        self.owner.fetchesUnderWay += 1
        self.schedule.sent(at: self.owner.loop.now)
        self.pool.targets.start(request)
    }

    /// Begins nothing any more.
    func stop() {
        self.isStopped = true
        if self.phase == .waiting { self.owner.loop.cancel(self.timer) }
        if self.phase != .asking { self.phase = .idle }
    }

    /// Sends the next fetch now if it is for later.
    ///
    /// - Returns: whether it was.
    func hurry() -> Bool {
        guard self.phase == .waiting, self.schedule.failures == 0 else { return false }
        self.owner.loop.cancel(self.timer)
        self.timer = .none
        self.start()
        return true
    }

    /// There is room in the outboxes again.
    func repliesAccepted() {
        if self.phase == .waitingForRoom { self.start() }
    }

    func timerElapsed(_ tag: UInt32) {
        self.timer = .none
        if self.phase == .waiting { self.start() }
    }

    // MARK: UpstreamHandler

    func responseReceived(
        _ request: UpstreamRequest,
        _ head: borrowing ResponseHead,
        _ bytes: Span<UInt8>
    ) {
        self.answer.begin(head, bytes, pool: self.pool, owner: self.owner)
    }

    func responseBodyReceived(_ request: UpstreamRequest, _ bytes: Span<UInt8>) {
        self.answer.append(bytes)
    }

    func responseEnded(_ request: UpstreamRequest) {
        guard self.answer.isSuccess else {
            self.failed(
                "status \(self.answer.status)",
                hint:
                    "; a backend that wants From on every request needs 'fetch: { mode: client }'",
                atLeastSeconds: self.answer.retryAfterSeconds
            )
            return
        }
        if !self.pool.targetsFailingFetches.isEmpty {
            self.pool.targetsFailingFetches.remove(self.target)
        }
        let reply = self.owner.usableReply(&self.answer, of: self.pool)
        if let reply { self.store(reply) }
        // A body that is for nobody counts as no packet here: an endpoint that says 'ok' to everything
        // would be asked without a pause.
        self.next(
            at: self.schedule.answered(
                hasPacket: reply != nil,
                announcesMore: self.answer.announcesMore,
                interval: self.pool.configuration.fetch.interval,
                at: self.owner.loop.now
            )
        )
    }

    func requestFailed(_ request: UpstreamRequest, _ failure: UpstreamFailure) {
        guard failure.kind != .timedOut else {
            // Held until `fetch.timeout`: there was no packet.
            self.next(
                at: self.schedule.answered(
                    hasPacket: false,
                    interval: self.pool.configuration.fetch.interval,
                    at: self.owner.loop.now
                )
            )
            return
        }
        self.failed(failure.reason, isKnown: failure.kind == .unreachable)
    }

    private func store(_ reply: Reply) {
        self.owner.operate { store, now, effects in
            _ = store.append(
                reply,
                in: self.pool.realm,
                ticket: Ticket(loop: self.owner.index, handle: ExchangeHandle.none.rawValue),
                at: now,
                &effects
            )
        }
    }

    /// A fetch has failed; `isKnown` if the pool has said why already.
    ///
    /// - Parameter hint: what the line of the first failure says besides.
    private func failed(
        _ reason: String,
        hint: String = "",
        isKnown: Bool = false,
        atLeastSeconds seconds: UInt32? = nil
    ) {
        self.owner.counters.fetchesFailed.add(loop: Int(self.owner.index))
        let retry = self.schedule.failed()
        // Once for all fetches of the target, which this loop has to itself.
        let isFirst = self.pool.targetsFailingFetches.insert(self.target).inserted
        self.owner.logger.log(
            level: isFirst && !isKnown ? .warning : .debug,
            isFirst ? "fetch failed\(hint)" : "fetch failed",
            metadata: [
                "pool": "\(self.pool.name)",
                "target": "\(self.targetText)",
                "reason": "\(reason)",
            ]
        )
        let delay = self.pool.backoff.delay(
            beforeAttempt: retry,
            using: &self.owner.generator
        )
        self.next(at: self.owner.loop.now + max(delay, .seconds(Int64(seconds ?? 0))))
    }

    /// The one under way is over; the next one follows at `time`.
    private func next(at time: MonotonicTime) {
        self.phase = .idle
        self.owner.fetchesUnderWay -= 1
        guard !self.isStopped else {
            self.owner.finishDrainIfIdle()
            return
        }
        guard time > self.owner.loop.now else {
            self.start()
            return
        }
        self.phase = .waiting
        self.timer = self.owner.loop.arm(self, tag: 0, at: time)
    }

    private var targetText: String {
        let targets = self.pool.configuration.targets
        return targets.indices.contains(self.target) ? targets[self.target].url.text : ""
    }
}

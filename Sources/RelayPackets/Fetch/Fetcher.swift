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
    /// Strong both ways, as with the lanes; the loop lets go of what it has stopped.
    private let owner: PacketLoop

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

    /// The keys that the fetch under way says are stored.
    private var saidKeys: [[UInt8]] = []

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
        let owner = self.owner
        guard owner.store.acceptsReplies else {
            self.phase = .waitingForRoom
            return
        }
        let pool = self.pool
        let request = UpstreamRequest(handler: self, target: self.target, method: .post)
        request.fields = Self.fields
        self.saidKeys = owner.sayStoredKeys(in: request, of: pool)
        request.timeout = pool.configuration.fetch.timeout
        request.expectsLongHold = true
        self.phase = .asking
        owner.fetchesUnderWay += 1
        self.schedule.sent(at: owner.loop.now)
        pool.targets.start(request)
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
        self.answer.readKey(head, bytes)
    }

    func responseBodyReceived(_ request: UpstreamRequest, _ bytes: Span<UInt8>) {
        self.answer.append(bytes)
    }

    func responseEnded(_ request: UpstreamRequest) {
        let owner = self.owner
        let pool = self.pool
        let said = self.saidKeys
        owner.answered(
            by: self.target,
            of: pool,
            endedSessions: self.answer.endedSessions,
            said: said
        )
        guard self.answer.isSuccess else {
            self.failed(
                "status \(self.answer.status)",
                hint:
                    "; a backend that wants From on every request needs 'fetch: { mode: client }'",
                atLeastSeconds: self.answer.retryAfterSeconds
            )
            return
        }
        let hasPacket = owner.storeFetched(
            &self.answer,
            of: pool,
            from: self.target,
            said: said
        )
        self.next(
            at: self.schedule.answered(
                hasPacket: hasPacket,
                announcesMore: self.answer.announcesMore,
                interval: pool.configuration.fetch.interval,
                at: owner.loop.now
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

    /// A fetch has failed; `isKnown` if the pool has said why already.
    ///
    /// - Parameter hint: what the line of the first failure says besides.
    private func failed(
        _ reason: String,
        hint: String = "",
        isKnown: Bool = false,
        atLeastSeconds seconds: UInt32? = nil
    ) {
        self.owner.logFailedFetch(
            of: self.pool,
            from: self.target,
            reason: reason,
            hint: hint,
            isKnown: isKnown
        )
        let retry = self.schedule.failed()
        let delay = self.pool.backoff.delay(
            beforeAttempt: retry,
            using: &self.owner.generator
        )
        self.next(at: self.owner.loop.now + max(delay, .seconds(Int64(seconds ?? 0))))
    }

    /// The one under way is over; the next one follows at `time`.
    private func next(at time: MonotonicTime) {
        let owner = self.owner
        self.phase = .idle
        owner.fetchesUnderWay -= 1
        guard !self.isStopped else {
            owner.finishDrainIfIdle()
            return
        }
        guard time > owner.loop.now else {
            self.start()
            return
        }
        self.phase = .waiting
        self.timer = owner.loop.arm(self, tag: 0, at: time)
    }
}

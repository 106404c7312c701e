import Logging
import RelayConfig
import RelayEngine
import RelayHTTP
import RelayObservation
import RelayPipeline
import RelayStore
import RelayUpstream

/// Sends the packets of one lane, one by one, and tells the store what became of each.
///
/// Made for a lane that this loop has come to own; gone with its last packet, or when the lane is
/// given up.
final class LaneSender: UpstreamHandler, PoolWaiter, TimerTarget {
    private let owner: PacketLoop

    /// The lane.
    private let lane: LaneHandle

    /// The pool as of the generation that the attempt began in.
    private var pool: PacketPool

    private var packet: Packet
    private var attempts = LaneAttempts()
    private var answer = BackendAnswer()
    private var timer = TimerHandle.none
    private var phase = Phase.idle

    /// The keys of fetched packets that the attempt under way says are stored.
    private var saidKeys: [[UInt8]] = []

    /// How far the packet is.
    private enum Phase {
        /// Between two steps.
        case idle
        /// A request with the packet is under way.
        case sending
        /// The packet waits out its backoff.
        case backingOff
        /// No target is usable; the pool will call.
        case waitingForPool
        /// The outboxes are full; the store will say when there is room.
        case waitingForRoom
        /// The backend took the packet; the store has been told.
        case completing
    }

    /// A sender for `lane`; call `send` next.
    init(_ owner: PacketLoop, _ send: LaneSend, pool: PacketPool) {
        self.owner = owner
        self.lane = send.lane
        self.pool = pool
        self.packet = send.packet
    }

    /// Whether a request is under way or its outcome is being stored.
    var isUnderWay: Bool {
        switch self.phase {
        case .sending, .completing: true
        case .idle, .backingOff, .waitingForPool, .waitingForRoom: false
        }
    }

    // MARK: What to send

    /// The lane's first packet is to be sent: a new one, or the same again.
    func send(_ packet: Packet, to pool: PacketPool) {
        self.endWaiting()
        if packet.number != self.packet.number { self.attempts = LaneAttempts() }
        self.packet = packet
        self.pool = pool
        guard self.owner.store.acceptsReplies else {
            // A 2xx may carry a reply, which would have no place.
            self.suspend(.waitingForRoom)
            return
        }
        let target = pool.targets.pickTarget(
            excluding: self.attempts.tried,
            key: self.balanceKey(for: pool)
        )
        self.perform(self.attempts.targetPicked(target))
    }

    /// What the choice of a target by hash goes by; nil if the pool chooses otherwise.
    private func balanceKey(for pool: PacketPool) -> BalanceKey? {
        guard case .hash = pool.configuration.balance, let client = self.packet.from else {
            return nil
        }
        let name = client.bytes
        return BalanceKey(name.span)
    }

    /// There is room in the outboxes again.
    func repliesAccepted() {
        if self.phase == .waitingForRoom { self.resume() }
    }

    /// A reload: the lane's pool is `pool` now.
    ///
    /// - Returns: false if the lane has to be given up, because it waits for a pool that is gone.
    func poolReplaced(by pool: PacketPool?) -> Bool {
        switch self.phase {
        case .idle, .sending, .completing:
            return true
        case .backingOff, .waitingForRoom:
            return pool != nil
        case .waitingForPool:
            guard let pool else { return false }
            if pool.targets !== self.pool.targets { self.resumeElsewhere() }
            return true
        }
    }

    private func perform(_ action: LaneAttempts.Action) {
        switch action {
        case .send(let target):
            self.start(on: target)
        case .waitForPool:
            self.suspend(.waitingForPool)
            self.pool.targets.wait(self)
        case .wait(let retry, let seconds):
            self.backOff(retry: retry, atLeastSeconds: seconds)
        case .tryAnother(let isCounted):
            self.tryAnother(isCounted: isCounted)
        case .consume:
            self.consumed()
        case .reject(let status):
            self.rejected(.rejected(status: status))
        case .giveUp:
            self.rejected(.attemptsExhausted)
        }
    }

    private func start(on target: Int) {
        let request = UpstreamRequest(handler: self, target: target, method: .post)
        let contents = self.packet.contents
        request.fields.reserveCapacity(contents.headerCount + 64 + 255)
        request.fields.append("Type: Packet\r\n")
        if let from = self.packet.from { request.fields.appendField(.from, from.bytes.span) }
        PacketIdentity.appendFields(of: self.packet, to: &request.fields)
        request.fields.appendField(.attempt, UInt64(self.packet.attempts) + 1)
        if !self.owner.storedKeys.isEmpty || !self.saidKeys.isEmpty {
            self.saidKeys = self.owner.sayStoredKeys(in: request, of: self.pool)
        }
        request.body = contents.bytes
        request.bodyRange = contents.headerCount..<contents.bytes.count
        request.timeout = self.pool.packetTimeout
        self.phase = .sending
        self.pool.targets.start(request)
    }

    private func backOff(retry: Int, atLeastSeconds seconds: UInt32) {
        let delay = self.pool.backoff.delay(
            beforeAttempt: retry,
            using: &self.owner.generator
        )
        self.suspend(.backingOff)
        self.timer = self.owner.loop.arm(
            self,
            tag: 0,
            at: self.owner.loop.now + max(delay, .seconds(Int64(seconds)))
        )
    }

    // MARK: Waiting

    /// The packet waits in the store, where it may expire; it was not sent.
    ///
    /// If it has expired already, the effects end the waiting that begins here.
    private func suspend(_ phase: Phase) {
        self.phase = phase
        self.owner.operate { store, now, effects in
            store.attemptFailed(
                self.lane,
                self.packet.number,
                isCounted: false,
                loop: self.owner.index,
                at: now,
                &effects
            )
        }
    }

    func timerElapsed(_ tag: UInt32) {
        self.timer = .none
        if self.phase == .backingOff { self.resume() }
    }

    func poolMayBeUsable(_ pool: UpstreamPool) { self.mayBeUsable(pool) }

    /// These targets may be usable; those of an older pool are of no interest.
    func mayBeUsable(_ targets: any TargetPool) {
        guard self.phase == .waitingForPool, targets === self.pool.targets else { return }
        // It calls once and has forgotten this waiter.
        self.phase = .idle
        self.nextAttempt()
    }

    private func resume() {
        self.endWaiting()
        self.nextAttempt()
    }

    /// The pool waited for is replaced.
    ///
    /// It keeps this waiter, and its call is ignored: taking thousands of waiters out of a list, one by
    /// one, would hold the loop up.
    private func resumeElsewhere() {
        self.phase = .idle
        self.nextAttempt()
    }

    /// The lane is given up, in a moment when many may be.
    func abandon() {
        if self.phase == .backingOff { self.owner.loop.cancel(self.timer) }
        self.phase = .idle
    }

    /// Neither a timer nor the pool will call any more.
    func endWaiting() {
        switch self.phase {
        case .backingOff:
            self.owner.loop.cancel(self.timer)
            self.timer = .none
        case .waitingForPool:
            self.pool.targets.cancelWait(self)
        case .idle, .sending, .waitingForRoom, .completing:
            break
        }
        self.phase = .idle
    }

    /// Has the store count the attempt and judge the packet's age, then give it back at once.
    private func tryAnother(isCounted: Bool) {
        self.phase = .idle
        self.owner.operate { store, now, effects in
            store.attemptFailed(
                self.lane,
                self.packet.number,
                isCounted: isCounted,
                loop: self.owner.index,
                at: now,
                &effects
            )
            store.nextAttempt(self.lane, loop: self.owner.index, at: now, &effects)
        }
    }

    private func nextAttempt() {
        self.owner.operate { store, now, effects in
            store.nextAttempt(self.lane, loop: self.owner.index, at: now, &effects)
        }
    }

    // MARK: What became of it

    private func consumed() {
        self.phase = .completing
        self.owner.counters.consumed.add(loop: Int(self.owner.index))
        let reply = self.owner.usableReply(&self.answer, of: self.pool)
        self.owner.operate { store, now, effects in
            _ = store.consumed(
                self.lane,
                self.packet.number,
                reply: reply,
                loop: self.owner.index,
                at: now,
                &effects
            )
        }
    }

    private func rejected(_ reason: DeadLetter.Reason) {
        self.phase = .completing
        self.owner.operate { store, now, effects in
            store.rejected(
                self.lane,
                self.packet.number,
                reason: reason,
                loop: self.owner.index,
                at: now,
                &effects
            )
        }
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
        self.owner.answered(
            by: request.target,
            of: self.pool,
            endedSessions: self.answer.endedSessions,
            said: self.saidKeys
        )
        let action = self.attempts.answered(
            status: self.answer.status,
            isRejected: !self.answer.isSuccess && self.pool.rejects(self.answer.status),
            retryAfterSeconds: self.answer.retryAfterSeconds,
            counted: self.packet.attempts,
            attemptsMax: self.pool.attemptsMax
        )
        if action == .consume {
            self.logRecovery()
            if self.answer.announcesMore { self.fetchAtOnce(from: request.target) }
        } else {
            self.noteFailure("status \(self.answer.status)")
            self.logRefusal(by: request.target)
        }
        self.perform(action)
    }

    /// The backend has more than the packet in its answer.
    private func fetchAtOnce(from target: Int) {
        switch self.pool.configuration.fetch.mode {
        case .pool:
            self.owner.fetchAtOnce(self.pool, from: target)
        case .client:
            guard let client = self.packet.from else { return }
            self.owner.moreAnnounced(by: self.pool, client)
        case .off:
            break
        }
    }

    func requestFailed(_ request: UpstreamRequest, _ failure: UpstreamFailure) {
        let action = self.attempts.failed(
            failure,
            counted: self.packet.attempts,
            attemptsMax: self.pool.attemptsMax
        )
        self.noteFailure(failure.reason)
        self.logFailure(failure, of: request.target)
        self.perform(action)
    }

    // MARK: Log

    /// If the packet becomes a dead letter by what failed now, its line says why.
    private func noteFailure(_ reason: String) {
        self.owner.lastFailure = (self.packet.number, reason)
    }

    /// A pool that takes packets again after it had failed to is worth a line, one for all packets.
    private func logRecovery() {
        guard self.pool.isFailing else { return }
        self.pool.isFailing = false
        self.owner.logger.notice(
            "packets are taken again",
            metadata: ["pool": "\(self.pool.name)"]
        )
    }

    private func logRefusal(by target: Int) {
        self.owner.counters.attemptsFailed.add(loop: Int(self.owner.index))
        if self.attempts.hint != nil {
            self.owner.counters.refusedRepeatedly.add(loop: Int(self.owner.index))
        }
        if let status = self.attempts.hint, self.owner.relay?.claimHint(for: self.lane) == true {
            self.owner.logger.warning(
                "packet is refused again and again; name the status under 'reject' to give such packets up",
                metadata: self.metadata(["status": "\(status)"])
            )
        } else {
            self.logAttempt(on: target, reason: "status \(self.answer.status)")
        }
    }

    private func logFailure(_ failure: UpstreamFailure, of target: Int) {
        self.owner.counters.attemptsFailed.add(loop: Int(self.owner.index))
        if failure.kind == .timedOut, failure.outcome != .notSent {
            self.owner.logger.warning(
                "no answer to a packet in time; the backend may see it twice",
                metadata: self.metadata(["reason": "\(failure.reason)"])
            )
        } else if failure.outcome == .notSent {
            // That a target cannot be reached is logged once, by its pool.
            guard self.owner.logger.logLevel <= .debug else { return }
            self.owner.logger.debug(
                "packet could not be sent",
                metadata: self.metadata(["reason": "\(failure.reason)"])
            )
        } else {
            self.logAttempt(on: target, reason: failure.reason)
        }
    }

    /// The first failure after a success is for the operator, all others only for who looks for them: a backend
    /// that fails every packet would fill the log.
    private func logAttempt(on target: Int, reason: @autoclosure () -> String) {
        let isFirst = !self.pool.isFailing
        self.pool.isFailing = true
        guard isFirst || self.owner.logger.logLevel <= .debug else { return }
        let targets = self.pool.configuration.targets
        let url = targets.indices.contains(target) ? targets[target].url.text : ""
        self.owner.logger.log(
            level: isFirst ? .warning : .debug,
            isFirst
                ? "a target fails packets; further failures are logged at level debug"
                : "packet failed",
            metadata: self.metadata(["target": "\(url)", "reason": "\(reason())"])
        )
    }

    private func metadata(_ facts: Logger.Metadata) -> Logger.Metadata {
        var metadata = facts
        metadata["pool"] = "\(self.pool.name)"
        metadata["packet"] = "\(self.packet.number)"
        metadata["attempt"] = "\(UInt64(self.packet.attempts) + 1)"
        if let client = self.packet.from { metadata["client"] = "\(client)" }
        return metadata
    }
}

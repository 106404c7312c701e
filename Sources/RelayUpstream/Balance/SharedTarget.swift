import DequeModule
import RelayConfig
import RelayEngine
import RelayObservation
import Synchronization

/// What the loops share of one target: permits and health as atomics, who waits for a permit, counts.
///
/// From any thread. What is read for every request and seldom written stands between paddings, so that
/// nothing else shares its cache lines (a class cannot be aligned without unsafe memory).
final class SharedTarget: Sendable {
    private let paddingBefore = InlineArray<8, UInt64>(repeating: 0)
    private let permits: Atomic<UInt64>
    private let healthWord = Atomic<UInt64>(TargetHealth.usable.word)
    /// Whether its active checks say that it is unwell.
    private let failsChecks = Atomic<Bool>(false)
    /// When it came up again, in nanoseconds of the monotonic clock; 0: it never was down.
    private let upSinceNanoseconds = Atomic<Int64>(0)
    /// Requests that wait for a connection, over all loops.
    private let pending = Atomic<Int>(0)
    private let paddingBehind = InlineArray<8, UInt64>(repeating: 0)

    /// Who waits for a permit, longest first; as many as `permits` says, which changes under this lock
    /// where waiters are concerned.
    private let waiting = Mutex<Deque<TargetPort>>([])
    /// The loops that use the target.
    private let ports = Mutex<[TargetPort]>([])

    private let connectionsMax: Int
    private let pendingMax: Int
    private let connectTimeout: Duration
    private let backoff: Backoff

    /// Requests that were sent to the target or tried to be.
    let requests: Counter
    /// Requests that have no complete response, cancelled ones not counted.
    let failures: Counter
    /// Requests under way.
    let underWay: Gauge

    /// A target that has not been used, by loops with an index below `loops`.
    init(
        connections: ConnectionsConfiguration,
        connectTimeout: Duration,
        backoff: Backoff,
        loops: Int
    ) {
        self.permits = Atomic(PermitCount(permits: connections.max).word)
        self.connectionsMax = connections.max
        self.pendingMax = connections.pendingMax
        self.connectTimeout = connectTimeout
        self.backoff = backoff
        self.requests = Counter(loops: loops)
        self.failures = Counter(loops: loops)
        self.underWay = Gauge(loops: loops)
    }

    // MARK: The loops

    /// A loop begins to use the target.
    func add(_ port: TargetPort) {
        self.ports.withLock { $0.append(port) }
    }

    /// A loop uses it no more; a permit that is granted to it all the same comes back.
    func remove(_ port: TargetPort) {
        self.ports.withLock { $0.removeAll { $0 === port } }
    }

    // MARK: Requests

    /// A request for the target comes under way; on the loop with this index.
    func requestBegan(loop: Int) {
        self.requests.add(loop: loop)
        self.underWay.add(1, loop: loop)
    }

    /// It is over.
    func requestEnded(loop: Int) {
        self.underWay.add(-1, loop: loop)
    }

    // MARK: Permits

    /// Connections that are open or about to be.
    var connectionsOpen: Int { self.connectionsMax - self.permitCount.free }

    /// Whether a loop waits for a permit; in one order with `TargetPort.hasIdle`, see there.
    var hasPermitWaiters: Bool { self.permitCount.waiters > 0 }

    /// Puts `port`, if it waits, behind everybody else who does; whether there is anybody else.
    func letOthersGoFirst(_ port: TargetPort) -> Bool {
        self.waiting.withLock { waiting in
            guard waiting.contains(where: { $0 !== port }) else { return false }
            if let index = waiting.firstIndex(where: { $0 === port }) {
                waiting.append(waiting.remove(at: index))
            }
            return true
        }
    }

    /// Takes a permit to open a connection; false if there is none.
    func takePermit() -> Bool {
        self.update { $0.take() }
    }

    /// Takes a permit, or puts `port` behind those who wait for one: `permitGranted` will follow, once.
    func takePermitOrWait(_ port: TargetPort) -> Bool {
        self.waiting.withLock { waiting in
            let isTaken = self.update { $0.takeOrWait() }
            if !isTaken { waiting.append(port) }
            return isTaken
        }
    }

    /// Gives a permit back: to the first who waits, by a message, or to the free ones.
    func giveBackPermit() {
        if self.giveBackUnlessAwaited() { return }
        let granted = self.waiting.withLock { waiting in
            self.update { $0.giveBack() } ? waiting.popFirst() : nil
        }
        granted?.target.post { [self] target in
            if let target { target.permitGranted() } else { self.giveBackPermit() }
        }
    }

    /// Asks every other loop that has an idle connection to close one, so that its permit gets about.
    func askForIdleConnection(from asking: TargetPort) {
        let ports = self.ports.withLock { $0 }
        for port in ports where port !== asking {
            guard port.hasIdle.load(ordering: .sequentiallyConsistent) else { continue }
            port.target.post { $0?.closeIdleForWaiters() }
        }
    }

    private var permitCount: PermitCount {
        PermitCount(word: self.permits.load(ordering: .sequentiallyConsistent))
    }

    /// Gives a permit back without a lock while nobody waits; false if somebody does.
    private func giveBackUnlessAwaited() -> Bool {
        self.update { count in
            guard count.waiters == 0 else { return false }
            return !count.giveBack()
        }
    }

    private func update(_ change: (inout PermitCount) -> Bool) -> Bool {
        var seen = self.permits.load(ordering: .sequentiallyConsistent)
        while true {
            var count = PermitCount(word: seen)
            let result = change(&count)
            let (exchanged, original) = self.permits.compareExchange(
                expected: seen,
                desired: count.word,
                ordering: .sequentiallyConsistent
            )
            if exchanged { return result }
            seen = original
        }
    }

    // MARK: Requests that wait

    /// Counts a request in that waits for a connection; false if too many do.
    func addPending() -> Bool {
        let count = self.pending.wrappingAdd(1, ordering: .relaxed).newValue
        if count <= self.pendingMax { return true }
        self.removePending()
        return false
    }

    /// Counts a request out that waited.
    func removePending() {
        self.pending.wrappingSubtract(1, ordering: .relaxed)
    }

    // MARK: Health

    /// Whether it can be connected to, as far as is known.
    var health: TargetHealth { TargetHealth(word: self.healthWord.load(ordering: .relaxed)) }

    /// Whether requests may go to it: it can be connected to and passes its checks, as far as is known.
    var isUsable: Bool { self.health.isUsable && !self.failsChecks.load(ordering: .relaxed) }

    /// When one request may probe whether it can be connected to; nil if there is no need.
    ///
    /// A target that fails its checks is probed by them alone.
    var probeAt: MonotonicTime? {
        self.failsChecks.load(ordering: .relaxed) ? nil : self.health.probeAt
    }

    /// The checks have found that it is well again, or is not any more.
    func checksChanged(isPassing: Bool, at now: MonotonicTime) {
        if isPassing { self.upSinceNanoseconds.store(now.nanoseconds, ordering: .relaxed) }
        self.failsChecks.store(!isPassing, ordering: .relaxed)
    }

    /// Whether the caller is the one who may probe now; if so, no other may for a while.
    func claimProbe(at now: MonotonicTime) -> Bool {
        let seen = self.health
        guard seen.isProbeDue(at: now), !self.failsChecks.load(ordering: .relaxed) else {
            return false
        }
        let claimed = seen.probing(
            at: now,
            connectTimeout: self.connectTimeout,
            backoff: self.backoff
        )
        return self.exchange(seen, for: claimed)
    }

    /// A connect failed that began when the health was `seen`; whether the target went down by it.
    func connectFailed(seen: TargetHealth, at now: MonotonicTime) -> Bool {
        self.exchange(seen, for: seen.failed(at: now, backoff: self.backoff)) && seen.isUsable
    }

    /// A connect succeeded; whether the target came up by it.
    func connectSucceeded(at now: MonotonicTime) -> Bool {
        guard !self.health.isUsable else { return false }
        // Before it is usable, so that nobody takes it for one that was up all the time.
        self.upSinceNanoseconds.store(now.nanoseconds, ordering: .relaxed)
        let before = self.healthWord.exchange(TargetHealth.usable.word, ordering: .relaxed)
        return !TargetHealth(word: before).isUsable
    }

    /// When it came up again; nil if it never was down.
    var upSince: MonotonicTime? {
        let nanoseconds = self.upSinceNanoseconds.load(ordering: .relaxed)
        return nanoseconds == 0 ? nil : MonotonicTime(nanoseconds: nanoseconds)
    }

    private func exchange(_ seen: TargetHealth, for new: TargetHealth) -> Bool {
        self.healthWord.compareExchange(
            expected: seen.word,
            desired: new.word,
            ordering: .relaxed
        ).exchanged
    }
}

/// A loop's part of a target, as the other loops see it.
final class TargetPort: Sendable {
    private let paddingBefore = InlineArray<8, UInt64>(repeating: 0)
    /// Whether the loop has idle connections to the target.
    ///
    /// Who parks a connection sets it and then looks for waiters; who begins to wait enters itself and
    /// then looks at it. Both are sequentially consistent, so at least one of two sees the other.
    let hasIdle = Atomic<Bool>(false)
    private let paddingBehind = InlineArray<8, UInt64>(repeating: 0)
    /// The part itself.
    let target: LoopReference<UpstreamTarget>

    /// The part of `target`'s loop.
    init(_ target: UpstreamTarget, loop: EventLoop) {
        self.target = LoopReference(target, loop: loop)
    }
}

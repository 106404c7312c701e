import RelayConfig
import RelayEngine
import RelayHTTP
import RelayPipeline
import RelayStore
import RelayUpstream

/// The fetches of a pool in `mode: client`: asks its targets for the packets of one client after the other.
///
/// All of a pool are on one loop, which the others tell of the polls that they hold.
final class ClientFetches: PoolWaiter, TimerTarget {
    fileprivate unowned let owner: PacketLoop

    /// The pool, as of the newest generation; nil while none has it in this mode.
    private(set) var pool: PacketPool?

    private var turns = ClientTurns()

    /// Fetches under way to each target of the pool.
    private var underWay: [Int] = []

    private var timer = TimerHandle.none
    private var isWaitingForPool = false

    /// The fetches of a pool that is set later.
    init(_ owner: PacketLoop) { self.owner = owner }

    /// Whether it is of no use.
    var isIdle: Bool { self.pool == nil && self.turns.isEmpty }

    // MARK: What it is told

    /// A generation has the pool in this mode, or has it no more.
    ///
    /// What is under way goes on by the rules of the generation that asked.
    func poolReplaced(by pool: PacketPool?) {
        if pool?.targets !== self.pool?.targets {
            if self.isWaitingForPool { self.pool?.targets.cancelWait(self) }
            self.isWaitingForPool = false
            self.underWay = Array(repeating: 0, count: pool?.targets.targetCount ?? 0)
        }
        self.pool = pool
        self.advance()
    }

    /// A poll of the client is held.
    func pollHeld(_ client: ClientName) {
        self.turns.pollHeld(client, at: self.owner.loop.now)
        self.advance()
    }

    /// It is held no more.
    func pollReleased(_ client: ClientName) { self.turns.pollReleased(client) }

    /// The backend has more for the client than it said in its answer to a packet.
    func moreAnnounced(_ client: ClientName) {
        self.turns.moreAnnounced(client, at: self.owner.loop.now)
        self.advance()
    }

    func poolMayBeUsable(_ pool: UpstreamPool) { self.mayBeUsable() }

    /// A target may be usable again.
    func mayBeUsable() {
        self.isWaitingForPool = false
        self.advance()
    }

    func timerElapsed(_ tag: UInt32) {
        self.timer = .none
        self.advance()
    }

    /// Begins nothing any more.
    func stop() {
        self.owner.loop.cancel(self.timer)
        self.timer = .none
        self.poolReplaced(by: nil)
    }

    // MARK: Asking

    /// Asks for everybody who is due, as far as there is room.
    func advance() {
        let now = self.owner.loop.now
        guard let pool = self.pool else { return }
        while self.turns.isSomebodyDue(at: now) {
            // There is a call when there is room for what they bring.
            guard self.owner.store.acceptsReplies, let target = self.pickTarget(of: pool),
                let client = self.turns.takeNext(at: now)
            else { return }
            self.underWay[target] += 1
            self.owner.fetchesUnderWay += 1
            ClientFetch(self, pool: pool, client: client, target: target).start()
        }
        guard let dueAt = self.turns.nextDueAt else { return }
        if !self.owner.loop.rearm(self.timer, at: dueAt) {
            self.timer = self.owner.loop.arm(self, tag: 0, at: dueAt)
        }
    }

    /// A usable target with room for one more fetch; without one there is a call later.
    private func pickTarget(of pool: PacketPool) -> Int? {
        var full = TargetSet()
        for target in self.underWay.indices
        where self.underWay[target] >= pool.configuration.fetch.connections { full.insert(target) }
        if let target = pool.targets.pickTarget(excluding: full, key: nil) { return target }
        // Where one is full, the end of its next fetch calls.
        if full == TargetSet(), !self.isWaitingForPool {
            self.isWaitingForPool = true
            pool.targets.wait(self)
        }
        return nil
    }

    /// A fetch was answered, or held until its timeout.
    fileprivate func answered(_ fetch: ClientFetch, hasPacket: Bool, announcesMore: Bool) {
        self.turns.answered(
            fetch.client,
            hasPacket: hasPacket,
            announcesMore: announcesMore,
            interval: fetch.pool.configuration.fetch.interval,
            at: self.owner.loop.now
        )
        self.ended(fetch)
    }

    /// A fetch failed, or was answered with an error.
    fileprivate func failed(_ fetch: ClientFetch, atLeastSeconds seconds: UInt32) {
        self.turns.failed(fetch.client, at: self.owner.loop.now) { retry in
            let delay = fetch.pool.backoff.delay(
                beforeAttempt: retry,
                using: &self.owner.generator
            )
            return max(delay, .seconds(Int64(seconds)))
        }
        self.ended(fetch)
    }

    private func ended(_ fetch: ClientFetch) {
        self.owner.fetchesUnderWay -= 1
        if fetch.pool.targets === self.pool?.targets { self.underWay[fetch.target] -= 1 }
        self.owner.finishDrainIfIdle()
        self.advance()
    }
}

/// One fetch for one client.
private final class ClientFetch: UpstreamHandler {
    /// The pool as of the generation that asks.
    let pool: PacketPool
    let client: ClientName
    let target: Int
    private let owner: PacketLoop
    private let fetches: ClientFetches
    private var answer = BackendAnswer()

    /// The keys that it says are stored.
    private var saidKeys: [[UInt8]] = []

    init(
        _ fetches: ClientFetches,
        pool: PacketPool,
        client: ClientName,
        target: Int
    ) {
        self.owner = fetches.owner
        self.fetches = fetches
        self.pool = pool
        self.client = client
        self.target = target
    }

    func start() {
        let request = UpstreamRequest(handler: self, target: self.target, method: .post)
        request.fields.append("Type: Packet\r\n")
        let name = self.client
        request.fields.appendField(.from, name.bytes.span)
        self.saidKeys = self.owner.sayStoredKeys(in: request, of: self.pool)
        request.timeout = self.pool.configuration.fetch.timeout
        request.expectsLongHold = true
        self.pool.targets.start(request)
    }

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
        let said = self.saidKeys
        self.owner.answered(
            by: self.target,
            of: self.pool,
            endedSessions: self.answer.endedSessions,
            said: said
        )
        guard self.answer.isSuccess else {
            self.owner.logFailedFetch(
                of: self.pool,
                from: self.target,
                reason: "status \(self.answer.status)",
                hint: "; a backend that gives packets for anybody needs 'fetch: { mode: pool }'"
            )
            let seconds = self.answer.retryAfterSeconds ?? 0
            self.fetches.failed(self, atLeastSeconds: seconds)
            return
        }
        let hasPacket = self.owner.storeFetched(
            &self.answer,
            of: self.pool,
            from: self.target,
            said: said
        )
        self.fetches.answered(
            self,
            hasPacket: hasPacket,
            announcesMore: self.answer.announcesMore
        )
    }

    func requestFailed(_ request: UpstreamRequest, _ failure: UpstreamFailure) {
        guard failure.kind != .timedOut else {
            // Held until `fetch.timeout`: there was no packet.
            self.fetches.answered(self, hasPacket: false, announcesMore: false)
            return
        }
        self.owner.logFailedFetch(
            of: self.pool,
            from: self.target,
            reason: failure.reason,
            isKnown: failure.kind == .unreachable
        )
        self.fetches.failed(self, atLeastSeconds: 0)
    }
}

import RelayConfig
import RelayEngine
import RelayPipeline
import RelayUpstream

/// Waiting between two attempts: until a target can be reached, or until the pause of the backoff is over.
///
/// What is left of the client's body waits with the client.
extension ProxiedExchange: PoolWaiter, TimerTarget {
    /// A wait.
    struct Waiting {
        /// What ends it.
        enum Purpose {
            /// A target that can be reached, or `waitEnd`.
            case target
            /// The timer.
            case nextRound
        }

        /// What ends it.
        let purpose: Purpose
        /// Ends it.
        let timer: TimerHandle
        /// The attempt before, which keeps what has come of the body.
        let failed: UpstreamRequest?
    }

    /// Waits, if the pool says so and has no target that could be tried; nothing of the request was sent.
    func waitForTarget(after failed: UpstreamRequest?) -> Bool {
        let end = self.waitLimit(self.waitEnd)
        guard self.exchange.loop.now < end, !self.pool.isUsable else { return false }
        self.wait(for: .target, until: end, after: failed)
        self.pool.wait(self)
        return true
    }

    /// Waits until all targets may be tried again.
    func waitForNextRound(after failed: UpstreamRequest) {
        let backoff = Backoff(self.pool.configuration.requestRetry.backoff)
        let pause = backoff.fullyJitteredDelay(
            beforeAttempt: self.retries.roundEnded(),
            using: &self.pool.random
        )
        let end = self.waitLimit(self.exchange.loop.now + pause)
        self.wait(for: .nextRound, until: end, after: failed)
    }

    private func wait(
        for purpose: Waiting.Purpose,
        until end: MonotonicTime,
        after failed: UpstreamRequest?
    ) {
        self.pauseBody(after: failed)
        let timer = self.exchange.loop.arm(self, tag: TimerTag.wait, at: end)
        self.waiting = Waiting(purpose: purpose, timer: timer, failed: failed)
    }

    /// A target may be reachable again: all of them count as not tried.
    func poolMayBeUsable(_ pool: UpstreamPool) {
        guard let waiting = self.waiting, waiting.purpose == .target else { return }
        // The pool calls once and has forgotten this waiter.
        self.exchange.loop.cancel(waiting.timer)
        self.retries.waitEnded()
        self.goOn(after: waiting)
    }

    /// A time is over; called by the loop.
    func timerElapsed(_ tag: UInt32) {
        if tag == TimerTag.tunnel { self.tunnelTimerElapsed() } else { self.waitElapsed() }
    }

    private func waitElapsed() {
        guard let waiting = self.waiting else { return }
        switch waiting.purpose {
        case .target:
            self.waiting = nil
            self.pool.cancelWait(self)
            self.giveUp(as: .unreachable)
        case .nextRound:
            guard self.exchange.loop.now < self.headDeadline else {
                self.waiting = nil
                return self.giveUp(as: .timedOut)
            }
            self.goOn(after: waiting)
        }
    }

    private func goOn(after waiting: Waiting) {
        self.waiting = nil
        self.tried = TargetSet()
        if let target = self.pool.pickTarget(excluding: self.tried, key: self.balanceKey) {
            self.begin(at: target, after: waiting.failed)
        } else if !self.waitForTarget(after: waiting.failed) {
            self.giveUp(as: .unreachable)
        }
    }

    /// The exchange is over, and so is the wait.
    func endWaiting() {
        guard let waiting = self.waiting.take() else { return }
        self.exchange.loop.cancel(waiting.timer)
        if waiting.purpose == .target { self.pool.cancelWait(self) }
    }
}

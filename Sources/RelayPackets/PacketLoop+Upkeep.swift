import RelayConfig
import RelayEngine
import RelayObservation
package import RelayPipeline
import RelayStore

/// What happens by the clock: the sweep of the store, and the end.
extension PacketLoop: TimerTarget {
    /// Where the sweep is.
    struct Upkeep {
        var timer = TimerHandle.none
        /// The shard that is next.
        var shard = 0
    }

    /// A drain that has begun.
    struct Draining {
        var timer = TimerHandle.none
        /// How many polls each tick answers.
        var pollsPerTick = Int.max
        /// Called once, when nothing is under way.
        var whenIdle: (() -> Void)?
    }

    private static let sweepTag: UInt32 = 0
    private static let drainTag: UInt32 = 1

    /// How long between two answers to held polls that are spread over a grace.
    private static let drainTick: Duration = .milliseconds(50)

    package func timerElapsed(_ tag: UInt32) {
        if tag == Self.sweepTag { self.sweepNextShard() } else { self.answerNextPolls() }
    }

    // MARK: Sweep

    /// Begins the upkeep of the shards that are this loop's.
    package func start() {
        self.loop.assertOnLoop()
        self.upkeep.shard = Int(self.index)
        self.armSweep()
    }

    /// Ends the upkeep, so that nothing keeps the loop busy.
    package func stop() {
        self.loop.assertOnLoop()
        self.loop.cancel(self.upkeep.timer)
        self.stopFetches()
    }

    /// One shard, so that neither the loop nor the shard's other users wait for long.
    private func sweepNextShard() {
        let shard = self.upkeep.shard
        self.operate { store, now, effects in
            store.sweep(shard: shard, at: now, &effects)
            guard self.draining == nil else { return }
            // Lanes that a loop gave up, or that wait since before a reload.
            for pool in self.pools.keys {
                store.adoptLanes(of: pool, shard: shard, loop: self.index, at: now, &effects)
            }
        }
        self.upkeep.shard = shard + self.loopCount
        if self.upkeep.shard >= PacketStore.shardCount { self.upkeep.shard = Int(self.index) }
        self.armSweep()
    }

    private func armSweep() {
        guard self.upkeep.shard < PacketStore.shardCount else { return }
        let share = (PacketStore.shardCount + self.loopCount - 1) / self.loopCount
        self.upkeep.timer = self.loop.arm(
            self,
            tag: Self.sweepTag,
            at: self.loop.now + .seconds(1) / share
        )
    }

    // MARK: Held polls and drain

    /// Answers the held polls of the listeners that `isMeant` says, with no packet.
    package func answerHeldPolls(where isMeant: (ListenerContext) -> Bool) {
        self.loop.assertOnLoop()
        for poll in self.heldPolls { poll.endHold(where: isMeant) }
    }

    /// Finishes what is under way and begins nothing any more; `whenIdle` is called then, once.
    ///
    /// Held polls are answered empty, at once or spread over `grace`; a poll that comes later is
    /// answered at once.
    package func drain(grace: Duration, whenIdle: @escaping () -> Void) {
        self.loop.assertOnLoop()
        guard self.draining == nil else { return }
        var draining = Draining(whenIdle: whenIdle)
        let ticks = max(1, Int(clamping: grace.wholeNanoseconds / Self.drainTick.wholeNanoseconds))
        draining.pollsPerTick = (self.heldPolls.count + ticks - 1) / ticks
        self.draining = draining
        self.stopFetches()
        self.releaseWaitingLanes()
        if grace > .zero { self.answerNextPolls() } else { self.answerHeldPolls { _ in true } }
        self.finishDrainIfIdle()
    }

    /// Reports the end of a drain, once, when no request to a backend is under way.
    func finishDrainIfIdle() {
        guard let whenIdle = self.draining?.whenIdle, self.lanes.isEmpty,
            self.fetchesUnderWay == 0
        else { return }
        self.draining?.whenIdle = nil
        whenIdle()
    }

    private func answerNextPolls() {
        guard let count = self.draining?.pollsPerTick, !self.heldPolls.isEmpty else { return }
        for poll in self.heldPolls.prefix(count) { poll.endHold { _ in true } }
        self.draining?.timer = self.loop.arm(
            self,
            tag: Self.drainTag,
            at: self.loop.now + Self.drainTick
        )
    }

    // MARK: The list of held polls

    /// A poll is held now.
    func pollHeld(_ poll: PacketExchange) {
        poll.heldIndex = Int32(truncatingIfNeeded: self.heldPolls.count)
        self.heldPolls.append(poll)
        self.counters.heldPolls.add(1, loop: Int(self.index))
        if !self.clientFetchPools.isEmpty { self.tellFetches(poll.session, isHeld: true) }
    }

    /// A poll is not held any more.
    func pollReleased(_ poll: PacketExchange) {
        let index = Int(poll.heldIndex)
        guard index >= 0, let last = self.heldPolls.popLast() else { return }
        poll.heldIndex = -1
        if last !== poll {
            self.heldPolls[index] = last
            last.heldIndex = Int32(truncatingIfNeeded: index)
        }
        self.counters.heldPolls.add(-1, loop: Int(self.index))
        if !self.clientFetchPools.isEmpty { self.tellFetches(poll.session, isHeld: false) }
    }
}

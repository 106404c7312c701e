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

    /// How many clients a turn sweeps, rounded up to whole shards: some 100 microseconds of work.
    private static let clientsSweptAtOnce = 1024

    private static let sweepTag: UInt32 = 0
    private static let drainTag: UInt32 = 1

    /// How long between two answers to held polls that are spread over a grace.
    private static let drainTick: Duration = .milliseconds(50)

    package func timerElapsed(_ tag: UInt32) {
        if tag == Self.sweepTag { self.sweepNextShards() } else { self.answerNextPolls() }
    }

    // MARK: Sweep

    /// Begins the upkeep of the shards that are this loop's.
    package func start() {
        self.loop.assertOnLoop()
        self.upkeep.shard = Int(self.index)
        self.armSweep(behind: 1)
    }

    /// Ends the upkeep, so that nothing keeps the loop busy.
    package func stop() {
        self.loop.assertOnLoop()
        self.loop.cancel(self.upkeep.timer)
        self.stopFetches()
    }

    /// Few clients at once, so that neither the loop nor the shards' other users wait for long; but as many shards as
    /// have them, so that a loop with little to sweep seldom wakes up for it.
    private func sweepNextShards() {
        var clients = 0
        var shards = 0
        repeat {
            clients += self.sweepNextShard()
            shards += 1
        } while clients < Self.clientsSweptAtOnce && self.upkeep.shard != Int(self.index)
        self.armSweep(behind: shards)
    }

    /// Sweeps the loop's next shard; returns how many clients it has.
    private func sweepNextShard() -> Int {
        let shard = self.upkeep.shard
        var clients = 0
        self.operate { store, now, effects in
            clients = store.sweep(shard: shard, at: now, &effects)
            guard self.draining == nil else { return }
            // Lanes that a loop gave up, or that wait since before a reload.
            for pool in self.pools.keys {
                store.adoptLanes(of: pool, shard: shard, loop: self.index, at: now, &effects)
            }
        }
        self.upkeep.shard = shard + self.loopCount
        if self.upkeep.shard >= PacketStore.shardCount { self.upkeep.shard = Int(self.index) }
        return clients
    }

    /// Has the next shards swept when their time has come: each once a second.
    private func armSweep(behind shards: Int) {
        guard self.upkeep.shard < PacketStore.shardCount else { return }
        let share = (PacketStore.shardCount + self.loopCount - 1) / self.loopCount
        self.upkeep.timer = self.loop.arm(
            self,
            tag: Self.sweepTag,
            at: self.loop.now + .seconds(1) / share * shards
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

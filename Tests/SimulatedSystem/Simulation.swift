package import RelayEngine

/// A machine in virtual time with the loops that run on it, driven until a test has what it wants.
///
/// Everything happens on the calling thread. Of the loops that have something to do, chance says
/// which has the next turn; when none has, time moves on to the next event or timer.
///
/// ```
/// var generator = SeededGenerator(seed: seed)
/// let simulation = Simulation(seed: seed, network: .uneven(using: &generator))
/// let group = try simulation.makeLoops(2)
/// listener.start(on: group) { … }
/// let client = simulation.connect(to: listener.address)
/// client.send("GET / HTTP/1.1\r\n…")
/// try simulation.run { client.hasInputEnded }
/// ```
///
/// Unlike threads: turns overlap only where a loop reads from a socket, and then wholly (another loop
/// has its turn inside the call, if `MachineConditions.overlapChance` says so), and a loop is never asleep
/// when another one posts to it, so that wake-ups through the eventfd happen only on Linux.
package final class Simulation {
    /// What everything that happens by chance follows from.
    package let seed: UInt64
    /// The machine.
    package let system: SimulatedLinux
    /// Turns of all loops before a run fails.
    package var turnsMax = 2_000_000
    private var driven: [DrivenLoop] = []
    private var generator: SeededGenerator
    private var turns = 0
    private var idleTurns = 0
    private var progress = 0
    /// The places of the loops in a turn; more than one if turns overlap.
    private var turning: [Int] = []

    /// A loop, and its epoll once a turn has shown which that is.
    private struct DrivenLoop {
        let loop: EventLoop
        var epoll: SimulatedEpoll?
    }

    /// Turns in which nothing happened, one after the other, before a run fails.
    private static let idleTurnsMax = 10_000

    /// A simulation whose chances all follow from `seed`.
    package init(seed: UInt64, machine: MachineConditions = .calm, network: Conditions = .calm) {
        self.seed = seed
        var seeds = SeededGenerator(seed: seed)
        self.system = SimulatedLinux(seed: seeds.next(), conditions: machine, network: network)
        self.generator = seeds.fork()
        self.system.overlap = { [unowned self] in self.overlap() }
    }

    /// Lets go of the machine's memory, which loops that were never closed would keep.
    deinit { self.system.clear() }

    /// The virtual time.
    package var now: MonotonicTime { self.system.timeline.now }

    /// What happened so far.
    package var trace: Trace { self.system.trace }

    // MARK: The loops

    /// Makes `count` loops that the simulation drives.
    package func makeLoops(_ count: Int) throws(SystemError) -> EventLoopGroup {
        let group = try EventLoopGroup(count: count, system: self.system)
        self.drive(group)
        return group
    }

    /// Drives the loops of `group` from now on; they must be on `system` and not be started.
    package func drive(_ group: EventLoopGroup) {
        for loop in group.loops { self.driven.append(DrivenLoop(loop: loop)) }
    }

    // MARK: The world around

    /// How connections go that have no conditions of their own; those that stand stay as they are.
    package var networkConditions: Conditions {
        get { self.system.network.conditions }
        set { self.system.network.conditions = newValue }
    }

    /// How connections to `address` go from now on; nil: as all others.
    package func setConditions(_ conditions: Conditions?, to address: SocketAddress) {
        self.system.network.conditionsByAddress[address] = conditions
    }

    /// Has connecting to `address` fail from now on, whoever listens there; nil ends that.
    package func setUnreachable(_ reason: Unreachability?, _ address: SocketAddress) {
        self.system.network.unreachable[address] = reason
    }

    /// Has `action` happen `delay` from now, between the turns of the loops.
    package func after(_ delay: Duration, _ action: @escaping () -> Void) {
        self.system.timeline.schedule(after: delay, .foreground, action)
    }

    /// Adds a line of the test's own to the trace.
    package func note(_ line: String) {
        self.trace.add(line, at: self.now)
    }

    // MARK: Running

    /// Runs until `condition` holds; fails if that takes more than `limit` of virtual time.
    package func run(
        within limit: Duration = .seconds(60),
        until condition: () -> Bool
    )
        throws(SimulationFailure)
    {
        let end = self.now + limit
        while !condition() {
            guard try self.step(until: end) else {
                throw self.failure("not reached within \(limit)")
            }
        }
    }

    /// Runs for `duration` of virtual time.
    package func run(for duration: Duration) throws(SimulationFailure) {
        let end = self.now + duration
        while try self.step(until: end) {}
    }

    /// Runs until nothing is on its way and no loop has anything to do but wait for timers; fails if
    /// that takes more than `limit` of virtual time.
    package func runUntilQuiet(
        within limit: Duration = .seconds(600)
    ) throws(SimulationFailure) {
        let timeline = self.system.timeline
        try self.run(within: limit) {
            timeline.foregroundCount == 0 && self.readyLoops().isEmpty
        }
    }

    /// What to throw when a test finds that something is wrong: the seed and the trace with it.
    package func failure(_ reason: String) -> SimulationFailure {
        SimulationFailure(seed: self.seed, reason: reason, trace: self.trace.lines)
    }

    /// Does the next thing, at `end` at the latest; false if there is nothing to do before.
    private func step(until end: MonotonicTime) throws(SimulationFailure) -> Bool {
        let timeline = self.system.timeline
        timeline.advance(to: timeline.now)
        if timeline.now >= end { return false }
        if let index = self.readyLoops().randomElement(using: &self.generator) {
            try self.turn(index)
            return true
        }
        let wakeTimes = self.driven.compactMap { $0.loop.nextWakeTime }
        guard let next = (wakeTimes + [timeline.nextTime].compactMap { $0 }).min(), next < end
        else {
            timeline.advance(to: end)
            return false
        }
        timeline.advance(to: next)
        return true
    }

    /// The places of the loops that would not sleep.
    private func readyLoops() -> [Int] {
        self.driven.indices.filter { index in
            let entry = self.driven[index]
            if let wake = entry.loop.nextWakeTime, wake <= self.now { return true }
            return entry.epoll?.hasSomethingToReport ?? true
        }
    }

    /// Time passes within a turn, and a loop that has something to do then has its turn inside of that one.
    private func overlap() {
        let duration = self.generator.duration(in: self.system.conditions.turnDuration)
        self.system.timeline.advance(to: self.now + duration)
        let others = self.readyLoops().filter { !self.turning.contains($0) }
        guard let index = others.randomElement(using: &self.generator) else { return }
        self.makeTurn(of: index)
    }

    private func makeTurn(of index: Int) {
        let outer = self.system.epollLastWaitedOn
        self.turning.append(index)
        self.driven[index].loop.turn(waitingAtMost: .zero)
        self.turning.removeLast()
        // Of a loop whose turn was overlapped another one may have waited last.
        if self.driven[index].epoll == nil {
            self.driven[index].epoll = self.system.epollLastWaitedOn
        }
        if !self.turning.isEmpty { self.system.epollLastWaitedOn = outer }
    }

    private func turn(_ index: Int) throws(SimulationFailure) {
        self.makeTurn(of: index)
        self.turns += 1
        let progress = self.trace.count + self.system.timeline.happened
        self.idleTurns = progress == self.progress ? self.idleTurns + 1 : 0
        self.progress = progress
        if self.idleTurns > Self.idleTurnsMax {
            throw self.failure("livelock: loop \(index) turns and turns, and nothing happens")
        }
        if self.turns > self.turnsMax { throw self.failure("more than \(self.turnsMax) turns") }
        let duration = self.generator.duration(in: self.system.conditions.turnDuration)
        self.system.timeline.advance(to: self.now + duration)
    }
}

/// A simulation that went wrong, with what is needed to see it again.
package struct SimulationFailure: Error, CustomStringConvertible {
    /// The seed that shows it.
    package let seed: UInt64
    /// What went wrong.
    package let reason: String
    /// The last lines of the trace, the oldest first.
    package let trace: [String]

    /// The reason, the seed and the last lines of the trace.
    package var description: String {
        (["\(self.reason) (seed \(self.seed))"] + self.trace.suffix(200)).joined(separator: "\n")
    }
}

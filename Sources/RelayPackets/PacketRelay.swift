package import Logging
package import RelayConfig
package import RelayEngine
import RelayPipeline
package import RelayStore
import Synchronization

/// The packet relay of the process: the store, and a part on each event loop.
///
/// Made once; belongs to no generation. What each loop does with packets is in `PacketLoop`; here is
/// what concerns all of them. From any thread.
package final class PacketRelay: Sendable {
    /// Where sessions and packets are.
    package let store: PacketStore

    /// The parts, by the index of their event loop.
    package let loops: [PacketLoop]

    /// What is counted.
    package let counters: PacketCounters

    /// The lanes of which the log has said that their packets are refused again and again.
    private let hintedLanes = Mutex<Set<LaneHandle>>([])

    /// Who waits for dead letters that become packets again, by their ids.
    let retries = Mutex<[UInt64: @Sendable (PacketNumber) -> Void]>([:])

    /// How many lanes are remembered; a hint for more adds nothing to what the log says already.
    private static let hintedLanesMax = 1024

    /// A relay over `store` on these event loops, in the order of their index; before they serve
    /// anybody.
    package init(store: PacketStore, loops: [EventLoop], logger: Logger) {
        precondition(loops.indices.allSatisfy { loops[$0].index == $0 }, "tickets name loops")
        let counters = PacketCounters(loops: loops.count)
        self.store = store
        self.counters = counters
        self.loops = loops.map { loop in
            PacketLoop(
                loop: loop,
                store: store,
                loopCount: loops.count,
                counters: counters,
                logger: logger
            )
        }
        for loop in self.loops { loop.relay = self }
    }

    /// Begins the upkeep of the store: each loop sweeps its share of the shards, once a second.
    package func start() {
        for part in self.loops { part.loop.post { _ in part.start() } }
    }

    /// Has every loop finish what it sends and begin nothing; held polls are answered empty, at once
    /// or spread over `grace`.
    ///
    /// `whenIdle` is called once, on one of the loops, when no request to a backend is under way any
    /// more. There is no way back.
    package func drain(grace: Duration, whenIdle: @escaping @Sendable () -> Void) {
        let busy = Countdown(self.loops.count)
        for part in self.loops {
            part.loop.post { _ in
                part.drain(grace: grace) {
                    if busy.isLast() { whenIdle() }
                }
            }
        }
    }

    /// Answers the held polls of the listeners at these addresses empty: a reload has taken their `buffer` away.
    package func answerHeldPolls(at addresses: Set<BindAddress>) {
        for part in self.loops {
            part.loop.post { _ in
                part.answerHeldPolls { addresses.contains($0.configuration.bind) }
            }
        }
    }

    /// The packets that wait for pools other than these: nobody sends them until a reload brings
    /// their pool back.
    package func orphans(besides pools: Set<PoolID>) -> [(pool: String, backlog: Backlog)] {
        self.store.pools().compactMap { name, pool, backlog in
            pools.contains(pool) || backlog.packets == 0 ? nil : (name, backlog)
        }
    }

    /// Whether the log has not been told that this lane's client is refused by its pool; no other loop
    /// will be asked to tell.
    func claimHint(for lane: LaneHandle) -> Bool {
        self.hintedLanes.withLock { lanes in
            lanes.count < Self.hintedLanesMax && lanes.insert(lane.first).inserted
        }
    }

    /// Calls `body` with the part on loop `index`, in a turn to come.
    func perform(on index: Int, _ body: @escaping @Sendable (PacketLoop) -> Void) {
        guard self.loops.indices.contains(index) else { return }
        let part = self.loops[index]
        part.loop.post { _ in body(part) }
    }

    /// Has loop `index` perform effects, in a turn to come.
    func post(_ effects: [Effect], to index: Int) {
        guard self.loops.indices.contains(index) else { return }
        let part = self.loops[index]
        part.loop.post { _ in part.perform(effects) }
    }
}

extension PacketRelay: StoreEvents {
    package func committed(_ effects: [Effect], loop: UInt16?) {
        if let loop {
            self.post(effects, to: Int(loop))
            return
        }
        self.post(effects, to: 0)
        // Every loop has lanes and fetches of its own to begin again.
        for effect in effects {
            guard case .repliesAccepted = effect else { continue }
            for index in self.loops.indices.dropFirst() { self.post([effect], to: index) }
        }
    }
}

/// Counts to zero, from any thread.
private final class Countdown: Sendable {
    private let left: Atomic<Int>

    init(_ count: Int) { self.left = Atomic(count) }

    /// Counts; true for the last one.
    func isLast() -> Bool {
        self.left.wrappingSubtract(1, ordering: .acquiringAndReleasing).newValue == 0
    }
}

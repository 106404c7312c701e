package import RelayConfig
package import RelayEngine
import RelayObservation
import Synchronization

/// What the loops share of a pool.
///
/// Per target a cache line of atomics (permits, health), counts, and who waits for a permit; and who
/// waits for a usable target. From any thread.
///
/// Survives reloads for as long as `serves` holds for the pool's new configuration.
package final class SharedPool: Sendable {
    /// What relay.yaml says.
    package let configuration: PoolConfiguration
    /// Its targets, by index.
    let targets: [SharedTarget]
    /// How many requests are being tried again.
    package let retryBudget: RetryBudget
    /// Which of them are ejected; nil if none ever is.
    let ejection: Ejection?
    /// Over how many loops the idle connections are divided.
    let loopCount: Int
    /// The loops' pools that want to hear of a target that becomes usable.
    private let usabilityWaiters = Mutex<[LoopReference<UpstreamPool>]>([])

    /// A pool that has not been used; `loops` are those that will use it.
    package init(configuration: PoolConfiguration, loops: [EventLoop]) {
        self.configuration = configuration
        self.loopCount = max(loops.count, 1)
        self.ejection = configuration.health?.passive.map {
            Ejection($0, targets: configuration.targets.count)
        }
        let indexEnd = (loops.map(\.index).max() ?? 0) + 1
        self.retryBudget = RetryBudget(loops: indexEnd)
        self.targets = configuration.targets.map { _ in
            SharedTarget(
                connections: configuration.connections,
                connectTimeout: configuration.connectTimeout,
                backoff: Backoff(configuration.packetRetry.backoff),
                loops: indexEnd
            )
        }
    }

    /// Whether the pool, its connections included, may serve this configuration as well: they are equal.
    package func serves(_ configuration: PoolConfiguration) -> Bool {
        self.configuration == configuration
    }

    /// How a target does at the moment, for the status page.
    package func status(of target: Int) -> TargetStatus {
        let shared = self.targets[target]
        return TargetStatus(
            isUsable: shared.isUsable,
            requests: shared.requests.value,
            failures: shared.failures.value,
            requestsUnderWay: shared.underWay.value,
            connectionsOpen: shared.connectionsOpen
        )
    }

    /// What keeps requests from a target, if anything does.
    package func condition(of target: Int, at now: MonotonicTime) -> TargetCondition {
        let shared = self.targets[target]
        if !shared.health.isUsable { return .unreachable }
        if !shared.isUsable { return .failing }
        return self.ejection?.isEjected(target, at: now) ?? false ? .ejected : .up
    }

    /// Has `becameUsable` called on the pool's loop, once, when a target comes up.
    ///
    /// Who enters looks at the health once more behind it: a target that came up before is not told.
    func addUsabilityWaiter(_ pool: LoopReference<UpstreamPool>) {
        self.usabilityWaiters.withLock { $0.append(pool) }
    }

    /// A target has come up: tells the loops that wait for that.
    func targetCameUp() {
        let waiters = self.usabilityWaiters.withLock { waiters in
            let all = waiters
            waiters.removeAll()
            return all
        }
        for pool in waiters { pool.post { $0?.becameUsable() } }
    }
}

/// What keeps requests from a target, as the status says it.
package enum TargetCondition: String, Sendable {
    /// Nothing.
    case up
    /// It could not be connected to.
    case unreachable
    /// It fails its active checks.
    case failing
    /// Too many of its answers failed; it is used where all others are ejected, too.
    case ejected
}

/// How a target does.
package struct TargetStatus: Sendable, Hashable {
    /// Whether it can be connected to and passes its checks, as far as is known.
    package let isUsable: Bool
    /// Requests for it since the pool was made.
    package let requests: UInt64
    /// Those that have no complete response, cancelled ones not counted.
    package let failures: UInt64
    /// Those under way.
    package let requestsUnderWay: Int
    /// Connections that are open or about to be.
    package let connectionsOpen: Int
}

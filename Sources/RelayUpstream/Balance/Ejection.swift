import RelayConfig
import RelayEngine
import Synchronization

/// Which targets of a pool are ejected because too many of their answers failed (`health.passive`).
///
/// From any thread. A target that does not fail costs a look at one atomic when it is chosen.
final class Ejection: Sendable {
    private let configuration: PassiveHealthConfiguration

    /// Until when each target is ejected, in nanoseconds of the monotonic clock; 0: it never was.
    private let ends: [EjectionEnd]

    /// When the latest failures of each target were, oldest first.
    private let failures: Mutex<[[MonotonicTime]]>

    /// Nobody is ejected yet, of so many targets.
    init(_ configuration: PassiveHealthConfiguration, targets count: Int) {
        self.configuration = configuration
        self.ends = (0..<count).map { _ in EjectionEnd() }
        self.failures = Mutex(Array(repeating: [], count: count))
    }

    /// Whether it is better not to use the target.
    func isEjected(_ target: Int, at now: MonotonicTime) -> Bool {
        self.ends[target].time.load(ordering: .relaxed) > now.nanoseconds
    }

    /// When the target was readmitted; nil if it was never ejected, or still is.
    func readmitted(_ target: Int, at now: MonotonicTime) -> MonotonicTime? {
        let end = self.ends[target].time.load(ordering: .relaxed)
        return end == 0 || end > now.nanoseconds ? nil : MonotonicTime(nanoseconds: end)
    }

    /// The target failed; whether that ejects it.
    ///
    /// It does not if more than the allowed share of the targets were ejected then; the next failure
    /// tries again.
    func failed(_ target: Int, at now: MonotonicTime) -> Bool {
        self.failures.withLock { failures in
            guard failures.indices.contains(target), !self.isEjected(target, at: now) else {
                return false
            }
            failures[target].removeAll { now - $0 > self.configuration.within }
            failures[target].append(now)
            let excess = failures[target].count - self.configuration.failures
            guard excess >= 0 else { return false }
            failures[target].removeFirst(excess)
            let ejected = self.ends.indices.count { self.isEjected($0, at: now) }
            guard (ejected + 1) * 100 <= self.ends.count * self.configuration.maxEjectedPercent
            else { return false }
            failures[target] = []
            let end = now + self.configuration.ejectFor
            self.ends[target].time.store(end.nanoseconds, ordering: .relaxed)
            return true
        }
    }
}

/// An atomic in an array.
private final class EjectionEnd: Sendable {
    let time = Atomic<Int64>(0)
}

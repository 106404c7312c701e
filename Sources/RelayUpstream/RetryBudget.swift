import RelayObservation
import Synchronization

/// How many of a pool's requests may be tried again at a time, so that retries do not finish off targets that
/// have too much to do.
///
/// Counts requests that are passed on, not packets. From any thread.
package final class RetryBudget: Sendable {
    private let requests: Gauge
    private let retries = Atomic<Int>(0)

    /// However few requests are under way, so many may be tried again.
    package static let retriesAlwaysAllowed = 3

    /// A budget for loops with an index below `loops`.
    package init(loops: Int) {
        self.requests = Gauge(loops: loops)
    }

    /// A request comes under way; on the loop with this index.
    package func requestBegan(loop: Int) { self.requests.add(1, loop: loop) }

    /// It is over.
    package func requestEnded(loop: Int) { self.requests.add(-1, loop: loop) }

    /// Takes a place among the retries; false if so many of the requests under way, in percents, are taken.
    ///
    /// | requests | 20 % | 100 % |
    /// |---|---|---|
    /// | 4 | 3 | 4 |
    /// | 100 | 20 | 100 |
    package func take(percent: Int) -> Bool {
        let (product, overflow) = self.requests.value.multipliedReportingOverflow(by: percent)
        let share = overflow ? Int.max : product / 100
        let taken = self.retries.wrappingAdd(1, ordering: .relaxed).newValue
        if taken <= max(Self.retriesAlwaysAllowed, share) { return true }
        self.giveBack()
        return false
    }

    /// Gives a place back.
    package func giveBack() { self.retries.wrappingSubtract(1, ordering: .relaxed) }
}

import Synchronization

/// Counts to zero, from any thread.
final class Countdown: Sendable {
    private let left: Atomic<Int>

    /// A countdown of `count` steps, at least 1.
    init(_ count: Int) { self.left = Atomic(count) }

    /// Counts a step; true for the last one.
    func isLast() -> Bool {
        self.left.wrappingSubtract(1, ordering: .acquiringAndReleasing).newValue == 0
    }
}

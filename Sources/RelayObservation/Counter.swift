import Synchronization

/// A number that only grows, counted per event loop without contention and summed by who reads it.
package final class Counter: Sendable {
    /// A counter for `loops` event loops (and one cell for all other threads).
    package init(loops: Int) { fatalError() }

    /// Adds `amount` on the loop with index `loop`. Only that loop's thread may say so: it is a plain
    /// addition, not an atomic one.
    package func add(_ amount: UInt64 = 1, loop: Int) { fatalError() }

    /// Adds `amount` from any thread: an atomic addition.
    package func addFromAnyThread(_ amount: UInt64 = 1) { fatalError() }

    /// The sum; from any thread.
    package var value: UInt64 { fatalError() }
}

/// A number that rises and falls, counted like a `Counter`.
package final class Gauge: Sendable {
    /// A gauge for `loops` event loops (and one cell for all other threads).
    package init(loops: Int) { fatalError() }

    /// Adds `amount`, which may be negative, on the loop with index `loop`.
    package func add(_ amount: Int, loop: Int) { fatalError() }

    /// Adds `amount` from any thread.
    package func addFromAnyThread(_ amount: Int) { fatalError() }

    /// The sum; from any thread.
    package var value: Int { fatalError() }
}

import Synchronization

/// A number that only grows, counted per event loop without contention and summed by who reads it.
package final class Counter: Sendable {
    private let cells: LoopCells

    /// A counter for `loops` event loops (and one cell for all other threads).
    package init(loops: Int) {
        self.cells = LoopCells(loops: loops, width: 1)
    }

    /// Adds `amount` on the loop with index `loop`.
    ///
    /// Only that loop's thread may say so: it is a plain addition, not an atomic one.
    package func add(_ amount: UInt64 = 1, loop: Int) {
        self.cells.add(amount, row: loop, column: 0)
    }

    /// Adds `amount` from any thread: an atomic addition.
    package func addFromAnyThread(_ amount: UInt64 = 1) {
        self.cells.addFromAnyThread(amount, column: 0)
    }

    /// The sum; from any thread.
    package var value: UInt64 { self.cells.sum(column: 0) }
}

/// A number that rises and falls, counted like a `Counter`.
package final class Gauge: Sendable {
    private let cells: LoopCells

    /// A gauge for `loops` event loops (and one cell for all other threads).
    package init(loops: Int) {
        self.cells = LoopCells(loops: loops, width: 1)
    }

    /// Adds `amount`, which may be negative, on the loop with index `loop`, from that loop's thread.
    package func add(_ amount: Int, loop: Int) {
        self.cells.add(UInt64(bitPattern: Int64(amount)), row: loop, column: 0)
    }

    /// Adds `amount` from any thread.
    package func addFromAnyThread(_ amount: Int) {
        self.cells.addFromAnyThread(UInt64(bitPattern: Int64(amount)), column: 0)
    }

    /// The sum; from any thread.
    package var value: Int { Int(truncatingIfNeeded: self.cells.sum(column: 0)) }
}

/// How often values fell into which range, counted per event loop like a `Counter`.
package final class Histogram: Sendable {
    /// The upper ends of the ranges, inclusive, ascending; above the last one is one more range.
    package let bounds: [UInt64]

    /// A column per range, and one for the sum.
    private let cells: LoopCells

    /// A histogram over `bounds` (ascending, at least one) for `loops` event loops.
    package init(bounds: [UInt64], loops: Int) {
        precondition(!bounds.isEmpty, "a histogram has a bound")
        self.bounds = bounds
        self.cells = LoopCells(loops: loops, width: bounds.count + 2)
    }

    /// Counts `value` on the loop with index `loop`, from that loop's thread.
    package func record(_ value: UInt64, loop: Int) {
        self.cells.add(1, row: loop, column: self.range(of: value))
        self.cells.add(value, row: loop, column: self.bounds.count + 1)
    }

    /// Counts `value` from any thread.
    package func recordFromAnyThread(_ value: UInt64) {
        self.cells.addFromAnyThread(1, column: self.range(of: value))
        self.cells.addFromAnyThread(value, column: self.bounds.count + 1)
    }

    /// The counts so far; from any thread.
    package func snapshot() -> HistogramSnapshot {
        HistogramSnapshot(
            counts: (0...self.bounds.count).map { self.cells.sum(column: $0) },
            sum: self.cells.sum(column: self.bounds.count + 1)
        )
    }

    /// What latencies are counted in: 100 µs to 100 s in nanoseconds, three to a decade.
    package static let latencyBounds: [UInt64] =
        [100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000, 10_000_000_000]
        .flatMap { (decade: UInt64) in [decade, decade / 10 * 25, decade * 5] } + [100_000_000_000]

    private func range(of value: UInt64) -> Int {
        var low = 0
        var high = self.bounds.count
        while low < high {
            let middle = (low + high) / 2
            if value <= self.bounds[middle] {
                high = middle
            } else {
                low = middle + 1
            }
        }
        return low
    }
}

/// The counts of a histogram at one time.
package struct HistogramSnapshot: Hashable, Sendable {
    /// Values per range; one more than there are bounds.
    package var counts: [UInt64]
    /// The sum of all values.
    package var sum: UInt64
    /// How many values there were.
    package var count: UInt64 { self.counts.reduce(0, +) }
}

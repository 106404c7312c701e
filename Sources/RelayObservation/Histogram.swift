/// How often values fell into which range, counted per event loop like a `Counter`.
package final class Histogram: Sendable {
    /// The upper ends of the ranges, ascending; above the last one is one more range.
    package let bounds: [UInt64]

    /// A histogram over `bounds` (ascending, at least one) for `loops` event loops.
    package init(bounds: [UInt64], loops: Int) { fatalError() }

    /// Counts `value` on the loop with index `loop`, from that loop's thread.
    package func record(_ value: UInt64, loop: Int) { fatalError() }

    /// Counts `value` from any thread.
    package func recordFromAnyThread(_ value: UInt64) { fatalError() }

    /// The counts so far; from any thread.
    package func snapshot() -> HistogramSnapshot { fatalError() }

    /// 100 µs to 100 s in nanoseconds, three to a decade: what latencies are counted in.
    package static let latencyBounds: [UInt64] = [100_000]
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

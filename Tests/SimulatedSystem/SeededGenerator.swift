/// Numbers that follow from a seed (SplitMix64), for tests only.
package struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    /// A generator that gives the same numbers for the same `seed`.
    package init(seed: UInt64) {
        self.state = seed
    }

    package mutating func next() -> UInt64 {
        self.state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = self.state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    /// A generator of its own for one purpose, so that one part drawing more does not change another.
    package mutating func fork() -> SeededGenerator {
        SeededGenerator(seed: self.next())
    }

    /// True with probability `chance` (0 never, 1 always).
    ///
    /// Draws only if there is something to decide.
    package mutating func chance(_ chance: Double) -> Bool {
        if chance <= 0 { return false }
        if chance >= 1 { return true }
        return Double.random(in: 0..<1, using: &self) < chance
    }

    /// A duration in `range`, to the nanosecond.
    package mutating func duration(in range: ClosedRange<Duration>) -> Duration {
        let bounds = range.lowerBound.nanoseconds...range.upperBound.nanoseconds
        return .nanoseconds(Int64.random(in: bounds, using: &self))
    }

    /// A size up to `limit`, small ones as likely as large ones: 1, 2…3, 4…7, … equally often.
    package mutating func size(upTo limit: Int) -> Int {
        guard limit > 1 else { return max(limit, 0) }
        let bits = Int.bitWidth - limit.leadingZeroBitCount
        let chosen = Int.random(in: 0..<bits, using: &self)
        return min(limit, Int.random(in: (1 << chosen)..<(1 << (chosen + 1)), using: &self))
    }
}

extension Duration {
    /// Whole nanoseconds; for durations of a simulation, which are far below 292 years.
    var nanoseconds: Int64 {
        let (seconds, attoseconds) = self.components
        return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
    }
}

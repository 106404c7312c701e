/// A set of targets of one pool, by index; no allocation for the first 64.
package struct TargetSet: Sendable, Hashable {
    /// Targets 0 to 63, a bit each.
    private var first: UInt64 = 0
    /// The targets behind them, 64 a word; no word at the end is 0.
    private var rest: [UInt64] = []

    /// None.
    package init() {}

    /// Adds one, which is not negative.
    package mutating func insert(_ target: Int) {
        let bit: UInt64 = 1 << UInt64(target % 64)
        if target < 64 {
            self.first |= bit
            return
        }
        let word = target / 64 - 1
        while self.rest.count <= word { self.rest.append(0) }
        self.rest[word] |= bit
    }

    /// Whether it is in.
    package func contains(_ target: Int) -> Bool {
        let bit: UInt64 = 1 << UInt64(target % 64)
        if target < 64 { return self.first & bit != 0 }
        let word = target / 64 - 1
        return word < self.rest.count && self.rest[word] & bit != 0
    }
}

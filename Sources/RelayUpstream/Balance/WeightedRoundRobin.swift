/// Chooses among weighted members so that each gets its share, evenly spread over time.
///
/// The way of nginx (`ngx_http_upstream_get_peer`): a choice adds every candidate's weight to its credit
/// and takes the sum of the weights from the one with the most. Weights 5, 1, 1 give a a b a c a a.
struct WeightedRoundRobin {
    private var credits: [Int]

    /// Among so many members.
    init(count: Int) {
        self.credits = [Int](repeating: 0, count: count)
    }

    /// The next one; nil if no weight is above 0.
    ///
    /// Who has weight 0 is no candidate, keeps its credit and owes nothing when it comes back. Weights may
    /// change from choice to choice.
    mutating func next(_ weight: (Int) -> Int) -> Int? {
        var chosen: Int?
        var total = 0
        for index in self.credits.indices {
            let weight = weight(index)
            guard weight > 0 else { continue }
            self.credits[index] += weight
            total += weight
            if let best = chosen, self.credits[best] >= self.credits[index] { continue }
            chosen = index
        }
        if let chosen { self.credits[chosen] -= total }
        return chosen
    }
}

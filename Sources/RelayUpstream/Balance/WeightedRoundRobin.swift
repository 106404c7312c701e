/// Chooses among weighted members so that each gets its share, evenly spread over time.
///
/// The way of nginx (`ngx_http_upstream_get_peer`): a choice adds every candidate's weight to its credit
/// and takes the sum of the weights from the one with the most. Weights 5, 1, 1 give a a b a c a a.
struct WeightedRoundRobin {
    private let weights: [Int]
    private var credits: [Int]

    /// Among members with these weights, each at least 1.
    init(weights: [Int]) {
        self.weights = weights
        self.credits = [Int](repeating: 0, count: weights.count)
    }

    /// The next one for which `isCandidate` holds; nil if it holds for none.
    ///
    /// Who is no candidate keeps its credit and owes nothing when it comes back.
    mutating func next(where isCandidate: (Int) -> Bool) -> Int? {
        var chosen: Int?
        var total = 0
        for index in self.weights.indices where isCandidate(index) {
            self.credits[index] += self.weights[index]
            total += self.weights[index]
            if let best = chosen, self.credits[best] >= self.credits[index] { continue }
            chosen = index
        }
        if let chosen { self.credits[chosen] -= total }
        return chosen
    }
}

import RelayUpstream
import Testing

struct RetryBudgetTests {
    /// How many places a budget gives while `requests` are under way.
    private static func places(_ requests: Int, percent: Int) -> Int {
        let budget = RetryBudget(loops: 1)
        for _ in 0..<requests { budget.requestBegan(loop: 0) }
        var places = 0
        while places < 1000, budget.take(percent: percent) { places += 1 }
        return places
    }

    @Test(arguments: [(0, 20, 3), (4, 20, 3), (4, 100, 4), (100, 20, 20), (100, 0, 3)])
    func `gives a share of the requests under way, and three in any case`(
        requests: Int,
        percent: Int,
        places: Int
    ) {
        #expect(Self.places(requests, percent: percent) == places)
    }

    @Test func `gives a place again that came back`() {
        let budget = RetryBudget(loops: 1)
        for _ in 0..<3 { #expect(budget.take(percent: 20)) }
        #expect(!budget.take(percent: 20))
        budget.giveBack()
        #expect(budget.take(percent: 20))
        #expect(!budget.take(percent: 20))
    }

    @Test func `a request that is over counts no more`() {
        let budget = RetryBudget(loops: 1)
        for _ in 0..<4 { budget.requestBegan(loop: 0) }
        budget.requestEnded(loop: 0)
        for _ in 0..<3 { #expect(budget.take(percent: 100)) }
        #expect(!budget.take(percent: 100))
    }
}

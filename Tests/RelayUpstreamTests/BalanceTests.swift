import SimulatedSystem
import Testing

@testable import RelayUpstream

struct WeightedRoundRobinTests {
    private func choices(
        _ count: Int,
        of balance: inout WeightedRoundRobin,
        weights: [Int],
        where isCandidate: (Int) -> Bool = { _ in true }
    ) -> [Int?] {
        (0..<count).map { _ in balance.next { isCandidate($0) ? weights[$0] : 0 } }
    }

    @Test func `takes turns among equals`() {
        var balance = WeightedRoundRobin(count: 3)
        #expect(self.choices(6, of: &balance, weights: [1, 1, 1]) == [0, 1, 2, 0, 1, 2])
    }

    @Test func `spreads the turns of a heavy one`() {
        var balance = WeightedRoundRobin(count: 3)
        #expect(self.choices(7, of: &balance, weights: [5, 1, 1]) == [0, 0, 1, 0, 2, 0, 0])
    }

    @Test func `leaves out who is no candidate and does not repay it afterwards`() {
        var balance = WeightedRoundRobin(count: 2)
        #expect(self.choices(4, of: &balance, weights: [1, 1]) { $0 == 1 } == [1, 1, 1, 1])
        #expect(self.choices(4, of: &balance, weights: [1, 1]).filter { $0 == 0 }.count == 2)
    }

    @Test func `has nobody if there is no candidate`() {
        var balance = WeightedRoundRobin(count: 2)
        #expect(balance.next { _ in 0 } == nil)
    }
}

struct TargetSetTests {
    @Test func `holds what was inserted and nothing else`() {
        var set = TargetSet()
        let members = [0, 5, 63, 64, 127, 128, 1000]
        for member in members { set.insert(member) }
        #expect((0..<1200).filter(set.contains) == members)
    }

    @Test func `does not depend on the order of insertion`() {
        var first = TargetSet()
        var second = TargetSet()
        for member in [3, 70, 200] { first.insert(member) }
        for member in [200, 3, 70, 3] { second.insert(member) }
        #expect(first == second)
        #expect(first.hashValue == second.hashValue)
    }
}

struct PermitCountTests {
    @Test func `gives out as many as there are`() {
        var count = PermitCount(permits: 2)
        let taken = (0..<3).map { _ in count.take() }
        #expect(taken == [true, true, false])
        #expect(count.free == 0)
        #expect(count.waiters == 0)
    }

    @Test func `a permit that comes back goes to a waiter first`() {
        var count = PermitCount(permits: 1)
        let taken = (0..<3).map { _ in count.takeOrWait() }
        #expect(taken == [true, false, false])
        #expect(count.waiters == 2)
        let wentToWaiter = (0..<3).map { _ in count.giveBack() }
        #expect(wentToWaiter == [true, true, false])
        #expect(count.waiters == 0)
        #expect(count.free == 1)
    }

    @Test func `nobody waits while a permit is free`() {
        var generator = SeededGenerator(seed: 11)
        var count = PermitCount(permits: 3)
        var taken = 0
        for _ in 0..<10_000 {
            if taken > 0, Bool.random(using: &generator) {
                if !count.giveBack() { taken -= 1 }
            } else if count.takeOrWait() {
                taken += 1
            }
            #expect(count.free == 0 || count.waiters == 0)
            #expect(count.free + taken == 3)
        }
    }
}

import SimulatedSystem
import Testing

/// How a failing world is made simpler.
struct ShrinkingTests {
    @Test(arguments: [1, 2, 3, 4, 5] as [UInt64])
    func `what does not matter is left out`(seed: UInt64) {
        var scenario = Scenario(seed: seed)
        scenario.cast.append(Scenario.Player(name: "culprit", kind: .dying))
        scenario.workers = 3
        let simplest = scenario.simplest(attempts: 1000) { scenario in
            scenario.cast.contains { $0.name == "culprit" } && scenario.workers == 3
        }
        #expect(simplest.cast.map(\.name) == ["culprit"])
        #expect(simplest.workers == 3)
        #expect(simplest.targets == 1 && simplest.reloads == 0 && !simplest.isFaulty)
        #expect(simplest.duration <= .seconds(1))
    }

    @Test func `the search ends when it may ask no more`() {
        var asked = 0
        _ = Scenario(seed: 1).simplest(attempts: 7) { _ in
            asked += 1
            return true
        }
        #expect(asked == 7)
    }
}

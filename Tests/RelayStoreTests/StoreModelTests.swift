import RelayStore
import Testing

struct StoreModelTests {
    @Test(arguments: 1...40 as ClosedRange<UInt64>)
    func `does what the model does, whatever it is asked`(seed: UInt64) {
        var walk = RandomWalk(seed: seed)
        for _ in 0..<1500 where walk.difference == nil { walk.step() }
        if walk.difference == nil { walk.finish() }
        if let difference = walk.difference { Issue.record("seed \(seed): \(difference)") }
    }
}

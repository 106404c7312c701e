import Glibc
import Testing

/// What was answered is there after a power cut, once and in order, and nothing else that was refused or
/// never sent.
struct CrashWalkTests {
    /// Seeds that are played: `RELAY_SIM_SEEDS`, 100 by default, from `RELAY_SIM_FIRST` on.
    private static let seeds: Range<UInt64> = {
        let first = Self.number("RELAY_SIM_FIRST") ?? 0
        return first..<first + (Self.number("RELAY_SIM_SEEDS") ?? 100)
    }()

    private static func number(_ name: String) -> UInt64? {
        guard let text = unsafe getenv(name) else { return nil }
        return unsafe UInt64(String(cString: text))
    }

    @Test(arguments: Self.seeds)
    func `a store on disk keeps what it promised, whenever the power is cut`(seed: UInt64) throws {
        var walk = try CrashWalk.begin(seed: seed)
        try walk.run(steps: 300)
        #expect(walk.crashes > 0)
        if let fault = walk.model.fault { Issue.record("seed \(seed): \(fault)") }
    }

    @Test func `on a disk whose syncs do nothing packets are lost, and that is noticed`() throws {
        var losses = 0
        for seed in 0..<3 as Range<UInt64> {
            var walk = try CrashWalk.begin(seed: seed, ignoresSyncs: true)
            // Without syncs the file may be damaged, too.
            guard (try? walk.run(steps: 300)) != nil, walk.model.fault == nil else {
                losses += 1
                continue
            }
        }
        #expect(losses == 3)
    }
}

import Glibc
import SimulatedSystem
import Testing

/// The whole relay in simulated worlds, one for each seed.
struct RelaySimulationTests {
    /// Seeds that are played: `RELAY_SIM_SEEDS`, 100 by default, from `RELAY_SIM_FIRST` on.
    static let seeds: Range<UInt64> = {
        let first = Self.number("RELAY_SIM_FIRST") ?? 0
        return first..<first + (Self.number("RELAY_SIM_SEEDS") ?? 100)
    }()

    private static func number(_ name: String) -> UInt64? {
        guard let text = unsafe getenv(name) else { return nil }
        return unsafe UInt64(String(cString: text))
    }

    /// The order of sets and dictionaries is chance of its own unless the environment says otherwise.
    private static let isRepeatable = unsafe getenv("SWIFT_DETERMINISTIC_HASHING") != nil

    @Test(
        .enabled(
            if: Self.isRepeatable,
            "needs SWIFT_DETERMINISTIC_HASHING=1, as make test sets it"
        ),
        arguments: [3, 17, 42] as [UInt64]
    )
    func `a seed plays the same twice`(seed: UInt64) throws {
        let hashes = try (0..<2).map { _ in
            let world = try World(seed: seed)
            try world.play()
            return world.simulation.trace.hash
        }
        #expect(hashes[0] == hashes[1], "seed \(seed)")
    }

    @Test(arguments: Self.seeds)
    func `relay keeps what it guarantees`(seed: UInt64) throws {
        let world = try World(seed: seed)
        do {
            try world.play()
        } catch let failure as SimulationFailure {
            Issue.record(Comment(rawValue: world.report(failure)))
        }
    }
}

extension World {
    /// What a person needs who has to understand a failure.
    func report(_ failure: SimulationFailure) -> String {
        let kinds = self.scenario.kinds.map(\.rawValue).joined(separator: ", ")
        return """
            seed \(failure.seed): \(failure.reason)
            clients: \(kinds); workers: \(self.scenario.workers); faulty: \(self.scenario.isFaulty)
            \(self.description)
            log:
            \(self.logLines.suffix(30).joined(separator: "\n"))
            trace:
            \(failure.trace.suffix(200).joined(separator: "\n"))
            """
    }
}

import Glibc
import SimulatedSystem
import Synchronization
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
        let scenario = Scenario(seed: seed)
        guard let failure = try Self.failure(of: scenario, seed: seed) else { return }
        guard Self.mayShrink() else {
            Issue.record(Comment(rawValue: failure.report))
            return
        }
        let simplest = scenario.simplest(attempts: 80) { candidate in
            (try? Self.failure(of: candidate, seed: seed))?.rule == failure.rule
        }
        let shortest = try Self.failure(of: simplest, seed: seed) ?? failure
        Issue.record(Comment(rawValue: shortest.report))
    }

    /// What goes wrong in a world, if anything does.
    private static func failure(of scenario: Scenario, seed: UInt64) throws -> WorldFailure? {
        let world = try World(seed: seed, scenario: scenario)
        do {
            try world.play()
            return nil
        } catch let failure as SimulationFailure {
            return WorldFailure(world, failure)
        }
    }

    /// Only the first failures are made simpler: where many seeds fail the others say nothing new.
    private static func mayShrink() -> Bool {
        Self.shrunk.add(1, ordering: .relaxed).oldValue < 3
    }

    private static let shrunk = Atomic<Int>(0)
}

/// A world in which something went wrong.
struct WorldFailure {
    /// What is broken, without the numbers.
    let rule: String
    /// What a person needs who has to understand it.
    let report: String

    init(_ world: World, _ failure: SimulationFailure) {
        self.rule = failure.reason.filter { !$0.isNumber }
        let players = world.scenario.cast.map { "\($0.name) \($0.kind.rawValue)" }
        self.report = """
            seed \(failure.seed): \(failure.reason)
            clients: \(players.joined(separator: ", "))
            scenario: \(world.scenario)
            \(world.description)
            history, \(world.history.count) lines:
            \(world.history.suffix(300).joined(separator: "\n"))
            log:
            \(world.logLines.suffix(20).joined(separator: "\n"))
            trace:
            \(failure.trace.suffix(100).joined(separator: "\n"))
            """
    }
}

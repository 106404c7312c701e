import Glibc
import Testing

/// What relay has answered survives its crashes, and those of the machine (relay.yaml(5), store.disk).
///
/// `make crash` runs many rounds, `make test` a few.
@Suite(.serialized)
struct CrashTests {
    private static let secret = "open-sesame"

    /// How many rounds there are: as many as the environment says, or a few.
    private static func rounds(_ name: String, otherwise few: Int) -> Int {
        guard let text = unsafe getenv(name) else { return few }
        return unsafe Int(String(cString: text)) ?? few
    }

    /// A system with a store on disk and a load on it.
    private static func run(_ body: (PacketSystem, CrashLoad) throws -> Void) throws {
        var pushAddress: Address?
        try PacketSystem.run({ file in
            let host = file.listenerAddress.host
            pushAddress = Address(host: host, port: 8081)
            file.sections.append("store: { disk: { path: data } }")
            file.listeners = [
                "push:", "  bind: \"\(host):8081\"", "  pipeline:",
                "    - push: { realm: backend, secrets: [\(Self.secret)] }",
            ]
        }) { system in
            let tokens = try (0..<4).map { try system.logIn("client-\($0)") }
            let load = CrashLoad(
                tokens: tokens,
                at: system.address,
                pushAt: try #require(pushAddress),
                secret: Self.secret
            )
            system.backend.setScript { request, backend in
                if request.isPacket { load.reached(request) }
                return TestBackend.demonstration(request, backend)
            }
            try body(system, load)
        }
    }

    /// The environment in which relay dies at an operation on its files.
    private static func killSwitch(
        _ system: PacketSystem,
        at operation: Int,
        powerSeed: Int? = nil,
        syncs: Bool = true
    ) -> [String: String] {
        let folder = RelayProgram.path.split(separator: "/").dropLast().map { "/\($0)" }.joined()
        var environment = [
            "LD_PRELOAD": "\(folder)/libKillSwitch.so",
            "KILL_SWITCH_FOLDER": "\(system.folder.path)/data",
            "KILL_SWITCH_AT": "\(operation)",
        ]
        if let powerSeed { environment["KILL_SWITCH_POWER"] = "\(powerSeed)" }
        if !syncs { environment["KILL_SWITCH_UNSYNCED"] = "1" }
        return environment
    }

    /// Starts relay so that it dies under load, and waits for that.
    private static func die(
        _ system: PacketSystem,
        _ load: CrashLoad,
        _ environment: [String: String]
    ) throws {
        // It may die before it is ready.
        let isReady = (try? system.restart(by: SIGTERM, environment: environment)) != nil
        guard isReady else { return }
        let workers = load.begin()
        #expect(try system.relay.child.waitForExit() == .signal(SIGKILL))
        for worker in workers { try worker.result() }
    }

    private static func report(_ load: CrashLoad, _ what: String) {
        let counts = load.counts
        print(
            "\(what): \(counts.sent) sent, \(counts.pushed) pushed, \(counts.delivered) delivered,",
            "\(load.faults.count) faults"
        )
    }

    @Test func `nothing is lost or doubled when relay is killed at any moment`() throws {
        let rounds = Self.rounds("RELAY_CRASH_KILLS", otherwise: 3)
        try Self.run { system, load in
            var generator = SystemRandomNumberGenerator()
            for _ in 0..<rounds where load.faults.isEmpty {
                let workers = load.begin()
                try load.waitForAnswers(Int.random(in: 10...300, using: &generator))
                try system.restart(by: SIGKILL)
                for worker in workers { try worker.result() }
                load.catchUp()
            }
            #expect(load.faults == [])
            Self.report(load, "\(rounds) kills")
        }
    }

    @Test func `nothing is lost or doubled when relay is killed at a write or a sync`() throws {
        let rounds = Self.rounds("RELAY_CRASH_STEPS", otherwise: 5)
        try Self.run { system, load in
            for round in 1...rounds where load.faults.isEmpty {
                // All of the first ones, or some of the first hundred.
                let operation = rounds < 50 ? round * round * 4 - 3 : round
                try Self.die(system, load, Self.killSwitch(system, at: operation))
                try system.restart(by: SIGKILL)
                load.catchUp()
                if !load.faults.isEmpty { Issue.record("killed at operation \(operation)") }
            }
            #expect(load.faults == [])
            Self.report(load, "\(rounds) kills at a write or a sync")
        }
    }

    @Test func `nothing is lost or doubled when the power is cut`() throws {
        let rounds = Self.rounds("RELAY_CRASH_IMAGES", otherwise: 4)
        try Self.run { system, load in
            for seed in 0..<rounds where load.faults.isEmpty {
                let operation = 1 + seed * 37 % 300
                try Self.die(
                    system,
                    load,
                    Self.killSwitch(system, at: operation, powerSeed: seed)
                )
                try system.restart(by: SIGKILL)
                load.catchUp()
                if !load.faults.isEmpty { Issue.record("seed \(seed)") }
            }
            #expect(load.faults == [])
            Self.report(load, "\(rounds) power cuts")
        }
    }

    @Test func `when syncs do nothing a power cut loses packets, and that is noticed`() throws {
        let losses = try (0..<3).count { seed in
            var hasLost = true
            try Self.run { system, load in
                let environment = Self.killSwitch(
                    system,
                    at: 200 + seed,
                    powerSeed: seed,
                    syncs: false
                )
                try Self.die(system, load, environment)
                // The file may be damaged so that relay does not start.
                guard (try? system.restart(by: SIGKILL)) != nil else { return }
                load.catchUp(by: .after(.seconds(3)))
                hasLost = !load.faults.isEmpty
            }
            return hasLost
        }
        #expect(losses > 0)
    }
}

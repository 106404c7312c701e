import Glibc
import Testing

/// `relay store` (relay(1)).
struct StoreCommandTests {
    /// A relay with a store on disk that one packet waits in; it runs.
    private static func run(_ body: (PacketSystem, _ store: String) throws -> Void) throws {
        try PacketSystem.run({ $0.sections.append("store: { disk: { path: data } }") }) { system in
            _ = try system.logIn("alice")
            try system.send(["hello"], to: "alice", by: system.logIn("bob"))
            try body(system, "\(system.folder.path)/data")
        }
    }

    @Test func `a store is good while relay runs, after kill -9 and after an orderly end`() throws {
        try Self.run { system, store in
            for end in [nil, SIGKILL, SIGTERM] {
                if let end {
                    system.relay.signal(end)
                    _ = try system.relay.child.waitForExit()
                }
                let check = try RelayProgram.run(["store", "check", store])
                #expect(check.exit == .code(0), "\(check.outputText)\(check.errorText)")
                #expect(check.output.isEmpty)
                let stats = try RelayProgram.run(["store", "stats", store])
                #expect(stats.exit == .code(0))
                let lines = stats.outputText.split(separator: "\n")
                #expect(lines.contains("sessions 2"))
                #expect(lines.contains("to_client_packets 1"))
                if end == SIGKILL { try system.restart(by: SIGKILL) }
            }
        }
    }

    @Test func `what reads of a store is a store`() throws {
        try Self.run { system, store in
            let copy = "\(system.folder.path)/copy"
            let salvage = try RelayProgram.run(["store", "check", store, "--salvage", copy])
            #expect(salvage.exit == .code(0), "\(salvage.errorText)")
            #expect(salvage.errorText.contains("outbox: 1 rows copied"))
            #expect(try RelayProgram.run(["store", "check", copy]).exit == .code(0))
            let again = try RelayProgram.run(["store", "check", store, "--salvage", copy])
            #expect(again.exit == .code(1))
            #expect(again.errorText.contains("holds a store already"))
        }
    }

    @Test func `where there is no store that is said`() throws {
        let folder = try TemporaryFolder()
        for command in ["check", "stats"] {
            let child = try RelayProgram.run(["store", command, "\(folder.path)/none"])
            #expect(child.exit == .code(1))
            #expect(child.errorText.contains("\(folder.path)/none"))
        }
    }
}

import Glibc
import Testing

/// The clients of relay-protocol(7), as they stand there.
struct ManualClientsTests {
    @Test(
        .enabled(if: InstalledProgram.path(of: ["python3"]) != nil, "there is no python3"),
        .enabled(if: InstalledProgram.path(of: ["node"]) != nil, "there is no node")
    )
    func `miss nothing and print nothing twice when relay is killed`() throws {
        // The page's addresses, moved to a host of this test's own.
        let host = try LoopbackHost.unique()
        let folder = try TemporaryFolder()
        for name in ["man", "tools", "work"] { try folder.makeFolder(name) }
        for (name, mode) in [
            ("relay.yaml", 0o600), ("man/relay-protocol.7", 0o600),
            ("tools/manual-clients", 0o700),
        ] {
            let text = try Repository.text(of: name)
            let moved = text.split(separator: "127.0.0.1", omittingEmptySubsequences: false)
                .joined(separator: host.text)
            try folder.write(moved, to: name, mode: mode_t(mode))
        }
        let clients = try ChildProcess(
            "\(folder.path)/tools/manual-clients",
            [RelayProgram.path],
            environment: ["TMPDIR": "\(folder.path)/work"]
        )
        #expect(try clients.waitForExit(by: .after(.seconds(60))) == .code(0))
        for name in ["python3", "node"] {
            #expect(clients.outputText.contains("the client for \(name) got each line once"))
        }
        #expect(!clients.outputText.contains("skipped"))
        if clients.exit != .code(0) { Issue.record("\(clients.errorText)") }
    }
}

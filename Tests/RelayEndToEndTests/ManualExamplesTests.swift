import Glibc
import Testing

/// The examples of relay-protocol(7), typed as they stand there.
struct ManualExamplesTests {
    @Test func `print what the page says`() throws {
        // The page's addresses, moved to a host of this test's own.
        let host = try LoopbackHost.unique()
        let folder = try TemporaryFolder()
        for name in ["man", "tools", "work"] { try folder.makeFolder(name) }
        for (name, mode) in [
            ("relay.yaml", 0o600), ("man/relay-protocol.7", 0o600),
            ("tools/manual-examples", 0o700),
        ] {
            let text = try Repository.text(of: name)
            let moved = text.split(separator: "127.0.0.1", omittingEmptySubsequences: false)
                .joined(separator: host.text)
            try folder.write(moved, to: name, mode: mode_t(mode))
        }
        let examples = try ChildProcess(
            "\(folder.path)/tools/manual-examples",
            [RelayProgram.path],
            environment: ["TMPDIR": "\(folder.path)/work"]
        )
        #expect(try examples.waitForExit(by: .after(.seconds(60))) == .code(0))
        #expect(examples.outputText.contains("examples of relay-protocol(7)"))
        if examples.exit != .code(0) { Issue.record("\(examples.errorText)") }
    }
}

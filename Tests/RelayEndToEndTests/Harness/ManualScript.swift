import Glibc

/// A script of `tools/` that runs what stands in relay-protocol(7), with the page's addresses moved to a
/// host of this test's own.
struct ManualScript {
    /// Keeps the files until the test is over.
    private let folder: TemporaryFolder
    private let name: String

    /// Copies the script, the page and relay.yaml.
    init(_ name: String) throws {
        self.folder = try TemporaryFolder()
        self.name = name
        let host = try LoopbackHost.unique()
        for name in ["man", "tools", "work"] { try self.folder.makeFolder(name) }
        for (file, mode) in [
            ("relay.yaml", 0o600), ("man/relay-protocol.7", 0o600), ("tools/\(name)", 0o700),
        ] {
            let text = try Repository.text(of: file)
            let moved = text.split(separator: "127.0.0.1", omittingEmptySubsequences: false)
                .joined(separator: host.text)
            try self.folder.write(moved, to: file, mode: mode_t(mode))
        }
    }

    /// Runs it to its end, for a minute at most.
    func run() throws -> (exit: ChildProcess.Exit, output: String, errors: String) {
        let script = try ChildProcess(
            "\(self.folder.path)/tools/\(self.name)",
            [RelayProgram.path],
            environment: ["TMPDIR": "\(self.folder.path)/work"]
        )
        let exit = try script.waitForExit(by: .after(.seconds(60)))
        return (exit, script.outputText, script.errorText)
    }
}

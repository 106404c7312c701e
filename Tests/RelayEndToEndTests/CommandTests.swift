import Testing

/// The command line and its exit codes (relay(1)).
struct CommandTests {
    private let folder: TemporaryFolder
    private let file: RelayFile

    init() throws {
        self.folder = try TemporaryFolder()
        self.file = try RelayFile(LoopbackHost.unique())
    }

    @Test func `check is content with a good file`() throws {
        let path = try self.folder.write(self.file.text, to: "relay.yaml")
        let check = try RelayProgram.run(["check", "-c", path])
        #expect(check.exit == .code(0))
        #expect(check.output.isEmpty)
        #expect(!check.errorText.contains("error"))
    }

    @Test func `check prints the whole file, which can be loaded again, without secrets`() throws {
        var file = self.file
        file.admin = "token: \"${ADMIN_TOKEN}\""
        let path = try self.folder.write(file.text, to: "relay.yaml")
        let environment = ["ADMIN_TOKEN": "correct-horse"]
        let first = try RelayProgram.run(
            ["check", "--print", "-c", path],
            environment: environment
        )
        #expect(first.exit == .code(0))
        #expect(first.outputText.contains("drain_timeout"))
        #expect(first.outputText.contains("${ADMIN_TOKEN}"))
        #expect(!first.outputText.contains("correct-horse"))
        let printed = try self.folder.write(first.outputText, to: "printed.yaml")
        let second = try RelayProgram.run(
            ["check", "--print", "-c", printed],
            environment: environment
        )
        #expect(second.exit == .code(0))
        #expect(second.outputText == first.outputText)
    }

    @Test(arguments: [["check"], ["run"], []])
    func `a bad file is 78, with all errors`(command: [String]) throws {
        var file = self.file
        file.buffer = "wiat: 2s"
        file.route = "backed"
        let path = try self.folder.write(file.text, to: "relay.yaml")
        let child = try RelayProgram.run(command + ["-c", path])
        #expect(child.exit == .code(78))
        #expect(child.output.isEmpty)
        for word in [
            "relay.yaml:", "error: ", "'wiat'", "'backed'", "did you mean 'backend'?", "^",
        ] {
            #expect(child.errorText.contains(word), "\(word)")
        }
    }

    @Test func `a file that is not there is an error that names it`() throws {
        for command in ["check", "run"] {
            let child = try RelayProgram.run([command, "-c", "\(self.folder.path)/none.yaml"])
            #expect(child.exit == .code(78))
            #expect(child.errorText.contains("none.yaml"))
        }
    }

    @Test(arguments: [["nonsense"], ["check", "--wrong"], ["run", "-c"], ["client", "dance"]])
    func `a wrong command line is 64`(arguments: [String]) throws {
        let child = try RelayProgram.run(arguments)
        #expect(child.exit == .code(64))
        #expect(child.errorText.contains("sage:"))
    }

    @Test(arguments: [8080, 9901])
    func `an address in use is 1, and named`(port: UInt16) throws {
        let taken = try ListeningSocket(
            Address(host: self.file.listenerAddress.host, port: port)
        )
        let path = try self.folder.write(self.file.text, to: "relay.yaml")
        let child = try RelayProgram.run(["run", "-c", path])
        #expect(child.exit == .code(1))
        #expect(child.errorText.contains("\(taken.address)"))
        #expect(child.errorText.contains("in use"))
    }

    @Test func `check binds and creates nothing`() throws {
        let taken = try ListeningSocket(self.file.listenerAddress)
        let path = try self.folder.write(self.file.text, to: "relay.yaml")
        #expect(try RelayProgram.run(["check", "-c", path]).exit == .code(0))
        taken.close()
    }

    @Test func `help names the sections and the manual`() throws {
        let help = try RelayProgram.run(["--help"])
        #expect(help.exit == .code(0))
        let words = [
            "version", "shutdown", "memory", "log", "admin", "store", "listeners", "pools",
            "retry_policies", "header_filters", "include", "relay.yaml(5)", "relay-protocol(7)",
            "check", "client", "backend",
        ]
        for word in words { #expect(help.outputText.contains(word), "\(word)") }
        let version = try RelayProgram.run(["--version"])
        #expect(version.exit == .code(0))
        #expect(!version.output.isEmpty)
    }
}

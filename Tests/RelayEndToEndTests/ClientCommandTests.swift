import Glibc
import Testing

/// `relay client` and `relay backend` against a running relay (relay(1)).
struct ClientCommandTests {
    /// A relay whose backend is `relay backend`.
    private static func run(_ body: (CommandLine) throws -> Void) throws {
        let host = try LoopbackHost.unique()
        let folder = try TemporaryFolder()
        var file = RelayFile(host)
        // `send` waits as long for a packet that comes back.
        file.buffer = "hold: 200ms"
        let backend = try ChildProcess(
            RelayProgram.path,
            ["backend", "--listen", "\(host.at(9001))"]
        )
        let path = try folder.write(file.text, to: "relay.yaml")
        let relay = try RelayProcess(file: path, admin: file.adminAddress)
        // Until the backend listens, a login is a 503.
        try relay.wait {
            try TestClient.exchange(.login("first"), with: file.listenerAddress).status == 200
        }
        do {
            try body(CommandLine(url: "http://\(file.listenerAddress)", folder: folder))
        } catch {
            relay.readLog()
            throw Failure("\(error); relay's log:\n\(relay.log)")
        }
        #expect(try relay.terminate() == .code(0))
        backend.signal(SIGTERM)
        #expect(try backend.waitForExit() == .code(0))
    }

    /// What a person would type.
    struct CommandLine {
        let url: String
        let folder: TemporaryFolder

        func client(
            _ arguments: String...,
            token: String? = nil,
            input: String = ""
        ) throws -> ChildProcess {
            try RelayProgram.run(
                ["client"] + arguments + ["--url", self.url],
                environment: token.map { ["RELAY_TOKEN": $0] } ?? [:],
                input: input
            )
        }

        func logIn(_ name: String, permissions: String? = nil) throws -> String {
            var arguments = ["client", "auth", "--body", name, "--url", self.url]
            if let permissions { arguments += ["--permissions", permissions] }
            let auth = try RelayProgram.run(arguments)
            guard auth.exit == .code(0) else { throw Failure(auth.errorText) }
            return auth.outputText.split(separator: "\n").map { String($0) }.joined()
        }
    }

    @Test func `a packet through the demonstration backend and back`() throws {
        try Self.run { shell in
            let token = try shell.logIn("alice")
            #expect(!token.isEmpty)
            let send = try shell.client("send", "--body", "hello", token: token)
            #expect(send.exit == .code(0))
            #expect(send.outputText.hasPrefix("hello"))
            let poll = try shell.client("poll", "--wait", "0", token: token)
            #expect(poll.exit == .code(0))
            #expect(poll.output.isEmpty)
            let option = try shell.client("send", "--body", "again", "--token", token)
            #expect(option.outputText.hasPrefix("again"))
        }
    }

    @Test func `a body may come from a file or from standard input`() throws {
        try Self.run { shell in
            let path = try shell.folder.write("from a file", to: "body")
            let token = try shell.logIn("alice")
            let file = try shell.client("send", "--body", "@\(path)", token: token)
            #expect(file.outputText.hasPrefix("from a file"))
            let input = try shell.client("send", "--body", "-", token: token, input: "from input")
            #expect(input.outputText.hasPrefix("from input"))
            let register = try shell.client("register", "--body", "-", input: "bob")
            #expect(register.exit == .code(0))
            #expect(register.outputText.count > 1)
        }
    }

    @Test func `tail prints what comes for somebody`() throws {
        try Self.run { shell in
            let alice = try shell.logIn("alice")
            let tail = try ChildProcess(
                RelayProgram.path,
                ["client", "tail", "--login", "bob", "--url", shell.url]
            )
            for number in 0..<3 {
                let header = "X-Deliver-To: bob"
                let send = try shell.client(
                    "send",
                    "-H",
                    header,
                    "--body",
                    "hello \(number)",
                    token: alice
                )
                #expect(send.exit == .code(0))
                let deadline = Deadline.usual
                while !tail.outputText.contains("hello \(number)\n"), tail.read(by: deadline) {}
                #expect(tail.outputText.hasSuffix("hello \(number)\n"))
            }
            tail.signal(SIGINT)
            _ = try tail.waitForExit()
        }
    }

    @Test func `a packet whose answer is lost is sent again, and stored once`() throws {
        try PacketSystem.run { system in
            let token = try system.logIn("alice")
            // Stands between the client and relay, and cuts the connection when the first answer has come.
            let relay = system.address
            let middle = try TestBackend(system.host.at(9002)) { request, middle in
                var passed = Request(body: request.message.body)
                passed.fields = request.message.fields.filter {
                    !["host", "content-length"].contains($0.name.lowercased())
                }
                guard let answer = try? TestClient.exchange(passed, with: relay) else {
                    return .close
                }
                if middle.received.count == 1 { return .close }
                let fields = answer.fields.filter {
                    !["content-length", "connection"].contains($0.name.lowercased())
                }
                return .answer(answer.status, fields: fields, body: answer.text)
            }
            let send = try RelayProgram.run(
                ["client", "send", "--body", "hello", "--url", "http://\(middle.address)"],
                environment: ["RELAY_TOKEN": token]
            )
            #expect(send.exit == .code(0))
            #expect(send.outputText == "hello")
            #expect(send.errorText.contains("trying again"))
            #expect(system.backend.packets.count == 1)
            let keys = middle.received.map { $0.message.field("Packet-Id") }
            #expect(keys.count == 4 && keys[0] != nil && keys[0] == keys[1])
            // The echo was acknowledged, so nothing waits.
            expectNoPacket(try system.exchange(.poll(token, wait: 0)))
            middle.stop()
        }
    }

    @Test func `poll acknowledges what it has printed`() throws {
        try PacketSystem.run { system in
            let alice = try system.logIn("alice")
            let bob = try system.logIn("bob")
            try system.send(["one", "two"], to: "bob", by: alice)
            for text in ["one", "two", ""] {
                let poll = try RelayProgram.run(
                    [
                        "client", "poll", "--wait", "0", "--token", bob, "--url",
                        "http://\(system.address)",
                    ]
                )
                #expect(poll.exit == .code(0))
                #expect(poll.outputText == text)
            }
        }
    }

    @Test func `tail prints a line a packet`() throws {
        try Self.run { shell in
            let alice = try shell.logIn("alice")
            let tail = try ChildProcess(
                RelayProgram.path,
                ["client", "tail", "--login", "bob", "--url", shell.url]
            )
            let path = try shell.folder.write("\u{1}two\r\nlines\n", to: "lines")
            let send = try shell.client(
                "send",
                "--wait",
                "0",
                "-H",
                "X-Deliver-To: bob",
                "--body",
                "@\(path)",
                token: alice
            )
            #expect(send.exit == .code(0))
            let deadline = Deadline.usual
            while !tail.outputText.contains("\n"), tail.read(by: deadline) {}
            #expect(tail.outputText.hasPrefix("\\x01two\\r\\nlines\n"))
            tail.signal(SIGINT)
            _ = try tail.waitForExit()
        }
    }

    @Test func `packets between clients need a debug server`() throws {
        try Self.run { shell in
            let alice = try shell.logIn("alice")
            let carol = try shell.logIn("carol", permissions: "Accept-Debug")
            let refused = try shell.client("send", "--to", "bob", "--body", "hi", token: alice)
            #expect(refused.exit == .code(1))
            #expect(refused.errorText.contains("403"))
            let reply = try shell.client("send", "--to", "alice", "--body", "hi", token: carol)
            #expect(reply.exit == .code(0))
            let poll = try shell.client("poll", token: alice)
            #expect(poll.outputText.hasPrefix("hi"))
        }
    }

    @Test func `what goes wrong is 1, what is typed wrong is 64`() throws {
        try Self.run { shell in
            let stranger = try shell.client("poll", token: "unknown")
            #expect(stranger.exit == .code(1))
            #expect(stranger.errorText.contains("401"))
            #expect(!stranger.errorText.contains("unknown"))
            let nobody = try RelayProgram.run(
                ["client", "poll", "--token", "t", "--url", "http://127.0.0.2:1"]
            )
            #expect(nobody.exit == .code(1))
            #expect(!nobody.errorText.isEmpty)
            let token = try shell.logIn("alice")
            #expect(try shell.client("send", token: token).exit == .code(64))
            #expect(try shell.client("poll").exit == .code(64))
            let gopher = ["client", "poll", "--token", token, "--url", "gopher://x"]
            #expect(try RelayProgram.run(gopher).exit == .code(64))
        }
    }
}

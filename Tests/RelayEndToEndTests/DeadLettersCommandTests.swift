import Glibc
import Testing

/// `relay dead-letters` (relay(1)).
struct DeadLettersCommandTests {
    /// A relay whose backend refuses the first packet `bad`, which alice has sent, and takes it the second time.
    private static func run(
        isOnDisk: Bool,
        _ body: (PacketSystem, _ command: ([String]) throws -> ChildProcess) throws -> Void
    ) throws {
        try PacketSystem.run(
            { if isOnDisk { $0.sections.append("store: { disk: { path: data } }") } },
            script: { request, backend in
                guard request.isPacket else { return backend.admit(request) }
                let count = backend.packets.count { $0.message.text == "bad" }
                return count == 1 && request.message.text == "bad"
                    ? .answer(410) : backend.echo(request)
            }
        ) { system in
            let token = try system.logIn("alice")
            let client = try system.client()
            let bad = Request.packet(token, "bad", wait: 0).with("X-Colour", "red")
            #expect(try client.exchange(bad).status == 200)
            #expect(try client.exchange(.packet(token, "good")).text == "good")
            let file = "\(system.folder.path)/relay.yaml"
            try body(system) { try RelayProgram.run(["dead-letters"] + $0 + ["-c", file]) }
        }
    }

    @Test(arguments: [false, true])
    func `one is listed, shown and tried again under its own name`(isOnDisk: Bool) throws {
        try Self.run(isOnDisk: isOnDisk) { system, command in
            if isOnDisk { try system.restart(by: SIGKILL) }
            let list = try command(["list"])
            #expect(list.exit == .code(0), "\(list.errorText)")
            #expect(list.outputText.split(separator: "\n").count == 1)
            let letter = JSON(list.outputText)
            #expect(letter?["id"] == .number(1))
            #expect(letter?["client"] == .string("alice"))
            #expect(letter?["reason"] == .string("refused with 410"))
            #expect(letter?["direction"] == .string("to_backend"))

            let show = try command(["show", "1"])
            #expect(show.outputText.hasPrefix(list.outputText))
            #expect(show.outputText.contains("X-Colour: red"))
            #expect(try command(["show", "--body", "1"]).outputText == "bad")

            let retry = try command(["retry", "1"])
            #expect(retry.exit == .code(0), "\(retry.errorText)")
            #expect(JSON(retry.outputText)?["id"] == .number(1))
            try system.backend.waitForRequests { requests in
                requests.count { $0.message.text == "bad" } == 2
            }
            let names = system.backend.packets.filter { $0.message.text == "bad" }
                .map { $0.message.field("Packet-Id") }
            #expect(names.count == 2 && names[0] == names[1])
            #expect(try command(["list"]).output.isEmpty)
            let again = try command(["retry", "1", "7"])
            #expect(again.exit == .code(1))
            #expect(again.errorText.contains("1: relay answered 404"))
            #expect(again.errorText.contains("7: relay answered 404"))
        }
    }

    @Test func `one that is dropped is gone, after a restart too`() throws {
        try Self.run(isOnDisk: true) { system, command in
            #expect(try command(["drop", "1"]).exit == .code(0))
            #expect(try command(["list"]).output.isEmpty)
            try system.restart(by: SIGTERM)
            #expect(try command(["list"]).output.isEmpty)
        }
    }

    @Test func `nothing of them is told or done without Relay-Admin`() throws {
        try Self.run(isOnDisk: false) { system, _ in
            for path in ["/dead-letters", "/dead-letters/1", "/dead-letters/1/body"] {
                expectProblem(try system.relay.ask(.get(path)), 403, "\(path)")
                let post = Request(path: path).with("Relay-Admin", "1")
                expectProblem(try system.relay.ask(post), 405, "\(path)")
            }
            for path in ["/dead-letters/1/retry", "/dead-letters/1/drop"] {
                expectProblem(try system.relay.ask(Request(path: path)), 403, "\(path)")
                let get = Request.get(path).with("Relay-Admin", "1")
                expectProblem(try system.relay.ask(get), 405, "\(path)")
            }
            for path in ["/dead-letters/01", "/dead-letters/x", "/dead-letters/1/else"] {
                expectProblem(
                    try system.relay.ask(.get(path).with("Relay-Admin", "1")),
                    404,
                    "\(path)"
                )
            }
        }
    }

    @Test func `where no relay runs that is said`() throws {
        let folder = try TemporaryFolder()
        let file = try RelayFile(LoopbackHost.unique())
        let path = try folder.write(file.text, to: "relay.yaml")
        let child = try RelayProgram.run(["dead-letters", "list", "-c", path])
        #expect(child.exit == .code(1))
        #expect(child.errorText.contains("does not answer"))
    }
}

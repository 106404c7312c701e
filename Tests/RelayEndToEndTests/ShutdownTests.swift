import Glibc
import Testing

/// SIGTERM and SIGINT (relay(1), Signals).
struct ShutdownTests {
    @Test(arguments: [SIGTERM, SIGINT])
    func `held polls are answered, nobody is accepted, and the exit is 0`(signal: Int32) throws {
        try PacketSystem.run { system in
            let polls = try (0..<3).map { number in
                let token = try system.logIn("client-\(number)")
                let client = try system.client()
                expectNoPacket(try client.exchange(.poll(token, wait: 0)))
                try client.send(.poll(token))
                return client
            }
            let idle = try system.client()
            _ = try idle.exchange(.login("last"))
            system.relay.signal(signal)
            for poll in polls {
                let answer = try poll.response()
                expectNoPacket(answer)
                #expect(answer.field("Connection") == "close")
                #expect(try poll.stream.hasEnded())
                poll.stream.close()
            }
            #expect(try idle.stream.hasEnded())
            #expect(try system.relay.child.waitForExit() == .code(0))
            #expect(throws: StreamFailure.refused) { try system.client() }
        }
    }

    /// A login whose answer the test holds back.
    private final class Gate: Sendable {
        private let isOpen = Monitor(false)

        func open() { self.isOpen.update { $0 = true } }

        func script() -> TestBackend.Script {
            { request, backend in
                guard request.message.text == "held" else { return backend.admit(request) }
                let isOpen = self.isOpen.wait(until: .usual) { $0 ? true : nil }
                return isOpen == true ? backend.admit(request) : .close
            }
        }
    }

    @Test func `an exchange under way is finished, and the admin address says so`() throws {
        let gate = Gate()
        defer { gate.open() }
        try PacketSystem.run(script: gate.script()) { system in
            #expect(try system.relay.ask(.get("/readyz")).status == 200)
            let client = try system.client()
            try client.send(.login("held"))
            try system.backend.waitForRequests { !$0.isEmpty }
            system.relay.signal(SIGTERM)
            try system.relay.wait { try system.relay.ask(.get("/readyz")).status == 503 }
            #expect(try system.relay.ask(.get("/healthz")).status == 200)
            // The listeners are closed only after every connection knows of the end.
            try system.relay.wait { (try? system.client()) == nil }
            #expect(system.relay.child.isRunning)
            gate.open()
            let answer = try client.response()
            #expect(answer.status == 200)
            #expect(answer.field("Connection") == "close")
            client.stream.close()
            #expect(try system.relay.child.waitForExit() == .code(0))
        }
    }

    /// Lets nobody in, and answers nothing.
    private static let silent: TestBackend.Script = { _, _ in .hang }

    @Test func `a second signal stops at once`() throws {
        try PacketSystem.run({ $0.shutdown = "drain_timeout: 1h" }, script: Self.silent) { system in
            let client = try system.client()
            try client.send(.login("held"))
            try system.backend.waitForRequests { !$0.isEmpty }
            system.relay.signal(SIGTERM)
            try system.relay.wait { try system.relay.ask(.get("/readyz")).status == 503 }
            #expect(system.relay.child.isRunning)
            system.relay.signal(SIGTERM)
            let exit = try system.relay.child.waitForExit()
            #expect(exit == .code(0))
        }
    }

    @Test func `drain_timeout ends what does not end`() throws {
        try PacketSystem.run({ $0.shutdown = "drain_timeout: 100ms" }, script: Self.silent) {
            system in
            let client = try system.client()
            try client.send(.login("held"))
            try system.backend.waitForRequests { !$0.isEmpty }
            #expect(try system.relay.terminate() == .code(0))
        }
    }

    @Test func `grace accepts a while longer`() throws {
        try PacketSystem.run({ $0.shutdown = "drain_timeout: 10s, grace: 1s" }) { system in
            let token = try system.logIn("alice")
            system.relay.signal(SIGTERM)
            try system.relay.wait { try system.relay.ask(.get("/readyz")).status == 503 }
            let answer = try system.exchange(.packet(token, "late"))
            #expect(answer.text == "late")
            #expect(try system.relay.child.waitForExit() == .code(0))
        }
    }

    @Test func `a packet under delivery is waited for`() throws {
        try PacketSystem.run { system in
            let alice = try system.logIn("alice")
            let bob = try system.logIn("bob")
            let text = String(repeating: "x", count: 1 << 20)
            try system.send([text], to: "alice", by: bob)
            let client = try system.client(receiveBuffer: 4096)
            try client.send(.poll(alice))
            try client.stream.fill()
            system.relay.signal(SIGTERM)
            try system.relay.wait { try system.relay.ask(.get("/readyz")).status == 503 }
            #expect(try client.response().text == text)
            client.stream.close()
            #expect(try system.relay.child.waitForExit() == .code(0))
        }
    }
}

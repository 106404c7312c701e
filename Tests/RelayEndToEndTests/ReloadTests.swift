import Glibc
import Testing

/// A running relay takes a changed file over (relay.yaml(5), RELOAD).
struct ReloadTests {
    /// Ways to ask for a reload.
    enum Trigger: CaseIterable { case signal, request }

    /// Reloads by `trigger`, and returns when that is done.
    private static func reload(_ system: PacketSystem, by trigger: Trigger) throws {
        switch trigger {
        case .request: #expect(try system.relay.reload().status == 200)
        case .signal: try system.reloadBySignal()
        }
    }

    @Test(arguments: Trigger.allCases)
    func `polls, sessions, packets and connections survive`(trigger: Trigger) throws {
        try PacketSystem.run({ $0.workers = 1 }) { system in
            let alice = try system.logIn("alice")
            let bob = try system.logIn("bob")
            let carol = try system.logIn("carol")
            try system.send(["for bob"], to: "bob", by: carol)
            let held = try system.client()
            let idle = try system.client()
            expectNoPacket(try idle.exchange(.poll(alice, wait: 0)))
            try held.send(.poll(alice))
            // One event loop: when this is answered, the poll is held.
            expectNoPacket(try idle.exchange(.poll(carol, wait: 0)))
            system.backend.stop()
            expectNoPacket(try idle.exchange(.packet(carol, "in the inbox", wait: 0)))

            try system.rewrite { $0.buffer = "hold: 9s" }
            try Self.reload(system, by: trigger)
            #expect(!held.stream.hasInput(by: .after(.zero)))
            try system.backend.start()
            let packet = Request.packet(carol, "for alice", wait: 0).with("X-Deliver-To", "alice")
            #expect(try idle.exchange(packet).status == 200)
            #expect(try held.response().text == "for alice")
            #expect(try system.receive(1, bob).map(\.text) == ["for bob"])
            #expect(
                system.backend.packets.map(\.message.text).suffix(2) == [
                    "in the inbox", "for alice",
                ]
            )
        }
    }

    @Test func `connections to the targets of an unchanged pool survive`() throws {
        try PacketSystem.run({ $0.workers = 1 }) { system in
            let token = try system.logIn("alice")
            let client = try system.client()
            _ = try client.exchange(.packet(token, "before"))
            try system.rewrite { $0.buffer = "hold: 9s" }
            try Self.reload(system, by: .request)
            _ = try client.exchange(.packet(token, "after"))
            let connections = system.backend.packets.map(\.connection)
            #expect(connections.count == 2)
            #expect(Set(connections).count == 1)
        }
    }

    @Test func `the new file holds at once, also on old connections`() throws {
        try PacketSystem.run { system in
            let token = try system.logIn("alice")
            let client = try system.client()
            let text = String(repeating: "a", count: 2000)
            #expect(try client.exchange(.packet(token, text)).text == text)
            try system.rewrite { $0.buffer = "hold: 10s, packet_size: 1KiB" }
            try Self.reload(system, by: .request)
            expectProblem(try client.exchange(.packet(token, text)), 413)
        }
    }

    @Test func `packets go to the new targets of a pool`() throws {
        try PacketSystem.run { system in
            let other = try TestBackend(system.host.at(9002))
            defer { other.stop() }
            let token = try system.logIn("alice")
            let client = try system.client()
            try system.rewrite { $0.targets = [other.address] }
            try Self.reload(system, by: .request)
            #expect(try client.exchange(.packet(token, "hello")).text == "hello")
            #expect(other.packets.count == 1)
            #expect(system.backend.packets.isEmpty)
        }
    }

    @Test(arguments: Trigger.allCases)
    func `a bad file changes nothing and every error is told`(trigger: Trigger) throws {
        try PacketSystem.run({ $0.workers = 1 }) { system in
            let token = try system.logIn("alice")
            let poll = try system.client()
            try poll.send(.poll(token))
            try system.rewrite { file in
                file.buffer = "hold: 1, wiat: 2s"
                file.route = "nowhere"
            }
            let expected = ["'wiat'", "'nowhere'", "hold"]
            switch trigger {
            case .request:
                let answer = try system.relay.reload()
                #expect(answer.status == 422)
                guard case .array(let errors)? = JSON(answer.text)?["errors"] else {
                    throw Failure("no list of errors: \(answer.text)")
                }
                for word in expected {
                    #expect(errors.contains { $0.text?.contains(word) == true }, "\(word)")
                }
                #expect(errors.contains { $0.text?.contains("relay.yaml:") == true })
            case .signal:
                system.relay.signal(SIGHUP)
            }
            for word in expected { try system.relay.waitForLine(containing: word) }

            #expect(!poll.stream.hasInput(by: .after(.zero)))
            let packet = Request.packet(token, "hello", wait: 0)
            #expect(try system.exchange(packet).status == 200)
            #expect(try poll.response().text == "hello")

            // A good one is taken afterwards.
            try system.rewrite { file in
                file.buffer = "hold: 10ms"
                file.route = "backend"
            }
            try Self.reload(system, by: .request)
            expectNoPacket(try poll.exchange(.poll(token)))
        }
    }

    @Test func `what needs a restart is refused`() throws {
        try PacketSystem.run { system in
            try system.rewrite { $0.sections = ["memory: { limit: 100MiB }"] }
            let answer = try system.relay.reload()
            #expect(answer.status == 422)
            #expect(answer.text.contains("needs a restart"))
            _ = try system.logIn("alice")
        }
    }

    @Test func `a listener appears and goes, and what is held there is answered`() throws {
        try PacketSystem.run { system in
            let token = try system.logIn("alice")
            let other = system.host.at(8081)
            #expect(throws: StreamFailure.refused) { try TestClient(other) }
            try system.rewrite { file in
                file.listeners =
                    ["other:", "  bind: \"\(other)\""]
                    + file.packetPipeline.map { String($0.dropFirst(2)) }
            }
            try Self.reload(system, by: .request)
            let poll = try TestClient(other)
            expectNoPacket(try poll.exchange(.poll(token, wait: 0)))
            try poll.send(.poll(token))
            // Held there: on the other listener nothing is waited for.
            try system.rewrite { $0.listeners = [] }
            try Self.reload(system, by: .request)
            let answer = try poll.response()
            expectNoPacket(answer)
            #expect(answer.field("Connection") == "close")
            #expect(try poll.stream.hasEnded())
            #expect(throws: StreamFailure.refused) { try TestClient(other) }
            #expect(try system.exchange(.packet(token, "hello")).text == "hello")
        }
    }

    @Test func `an address that is taken refuses the whole file`() throws {
        try PacketSystem.run { system in
            let taken = try ListeningSocket(system.host.at(8081))
            try system.rewrite { file in
                file.buffer = "hold: 10s, packet_size: 1KiB"
                file.listeners =
                    ["other:", "  bind: \"\(taken.address)\""]
                    + file.packetPipeline.map { String($0.dropFirst(2)) }
            }
            let answer = try system.relay.reload()
            #expect(answer.status == 422)
            #expect(answer.text.contains("\(taken.address)"))
            let token = try system.logIn("alice")
            let text = String(repeating: "a", count: 2000)
            #expect(try system.exchange(.packet(token, text)).text == text)
        }
    }
}

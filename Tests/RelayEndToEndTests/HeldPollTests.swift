import Testing

/// Several polls of one client (relay-protocol(7), More than one request at a time).
struct HeldPollTests {
    /// One event loop takes requests in the order in which they were sent.
    private static func run(_ body: (PacketSystem, Barrier) throws -> Void) throws {
        try PacketSystem.run({ file in
            file.workers = 1
            file.buffer = "hold: 1h"
        }) { system in
            try body(system, try Barrier(system))
        }
    }

    /// Knows when relay has taken all that was sent before.
    private struct Barrier {
        let token: String
        let client: TestClient

        init(_ system: PacketSystem) throws {
            self.token = try system.logIn("barrier")
            self.client = try system.client()
            try self.pass()
        }

        func pass() throws {
            expectNoPacket(try self.client.exchange(.poll(self.token, wait: 0)))
        }

        /// Passes a second later.
        func passInASecond() throws {
            expectNoPacket(try self.client.exchange(.poll(self.token, wait: 1)))
        }
    }

    @Test func `a poll displaces one that is held for a second`() throws {
        try Self.run { system, barrier in
            let alice = try system.logIn("alice")
            let bob = try system.logIn("bob")
            let older = try system.client()
            let newer = try system.client()
            try older.send(.poll(alice))
            try barrier.passInASecond()
            try barrier.pass()
            #expect(!older.stream.hasInput(by: .after(.zero)))
            try newer.send(.poll(alice))
            expectNoPacket(try older.response())
            #expect(!newer.stream.hasInput(by: .after(.zero)))
            try system.send(["hello"], to: "alice", by: bob)
            #expect(try newer.response().text == "hello")
            #expect(try older.exchange(.packet(alice, "on the same connection")).status == 200)
        }
    }

    @Test func `five young polls are held side by side and the newest is served first`() throws {
        try Self.run { system, barrier in
            let bob = try system.logIn("bob")
            // A poll is young for a second. On a machine that takes longer, try again.
            for attempt in 0..<20 {
                let name = "alice-\(attempt)"
                let token = try system.logIn(name)
                let polls = try (0..<6).map { _ in try system.client() }
                let start = ContinuousClock.now
                for poll in polls.prefix(5) { try poll.send(.poll(token)) }
                try barrier.pass()
                let areHeld = polls.map { !$0.stream.hasInput(by: .after(.zero)) }
                try polls[5].send(.poll(token))
                try barrier.pass()
                let displaced = polls.map { $0.stream.hasInput(by: .after(.zero)) }
                guard ContinuousClock.now - start < .milliseconds(900) else { continue }
                #expect(areHeld == Array(repeating: true, count: 6))
                #expect(displaced == [true, false, false, false, false, false])
                expectNoPacket(try polls[0].response())
                let texts = (0..<5).map { "\($0)" }
                try system.send(texts, to: name, by: bob)
                let answers = try polls.dropFirst().reversed().map { try $0.response() }
                #expect(answers.map(\.text) == texts)
                return
            }
            throw Failure("six polls took longer than a second, 20 times")
        }
    }

    @Test func `a request that does not wait leaves the held one alone`() throws {
        try Self.run { system, barrier in
            let alice = try system.logIn("alice")
            let poll = try system.client()
            let sender = try system.client()
            try poll.send(.poll(alice))
            try barrier.passInASecond()
            expectNoPacket(try sender.exchange(.poll(alice, wait: 0)))
            let silent = Request.packet(alice, "quiet", wait: 0).with("X-Silent", "1")
            expectNoPacket(try sender.exchange(silent))
            try barrier.pass()
            #expect(!poll.stream.hasInput(by: .after(.zero)))
            expectNoPacket(try sender.exchange(.packet(alice, "hello", wait: 0)))
            #expect(try poll.response().text == "hello")
        }
    }

    /// Ways to go away.
    enum HangUp: CaseIterable {
        case close, reset, halfClose

        func perform(_ client: TestClient) {
            switch self {
            case .close: client.stream.close()
            case .reset: client.stream.reset()
            case .halfClose: client.stream.finish()
            }
        }
    }

    @Test(arguments: HangUp.allCases)
    func `a client that hangs up during the hold has sent its packet`(way: HangUp) throws {
        try Self.run { system, barrier in
            let alice = try system.logIn("alice")
            let bob = try system.logIn("bob")
            let client = try system.client()
            try client.send(.packet(alice, "bye").with("X-Silent", "1"))
            try system.backend.waitForPackets(1)
            way.perform(client)
            if way == .halfClose { #expect(try client.stream.hasEnded()) }
            try barrier.pass()
            #expect(system.backend.packets.map(\.message.text) == ["bye"])

            try system.send(["still there?"], to: "alice", by: bob)
            let answer = try system.exchange(.poll(alice))
            #expect(answer.text == "still there?")
            #expect(answer.field("Redelivered") == nil)
        }
    }
}

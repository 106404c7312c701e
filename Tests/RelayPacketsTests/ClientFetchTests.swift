import Logging
import RelayConfig
import RelayEngine
import RelayPipeline
import RelayStore
import RelayUpstream
import Testing

@testable import RelayPackets

/// `fetch: { mode: client }`.
struct ClientFetchTests {
    private func harness(
        loops: Int = 1,
        targets: Int = 1,
        connections: Int = 8,
        log: RecordedLog = RecordedLog(),
        clients: [String] = ["anna", "bob", "carl"]
    ) throws -> PacketHarness {
        let harness = try PacketHarness(
            loops: loops,
            targets: targets,
            logger: log.logger(from: .info),
            buffer: { $0.hold = .seconds(3600) },
            pool: {
                $0.fetch.mode = .client
                $0.fetch.connections = connections
            }
        )
        for client in clients { try harness.logIn(client) }
        return harness
    }

    /// Whose packets are asked for, in the order of the requests.
    private func asked(_ harness: PacketHarness, loop: Int = 0) -> [String] {
        harness.targets[loop].sent.compactMap { text in
            text.split(separator: "\r\n").first { $0.hasPrefix("From: ") }.map {
                String($0.dropFirst(6))
            }
        }
    }

    @Test func `a client is asked for when it has a poll held, and only once at a time`() throws {
        let harness = try self.harness()
        #expect(harness.backend.sent.isEmpty)
        for _ in 0..<3 { _ = try harness.post("anna") }
        #expect(harness.backend.sent == ["Type: Packet\r\nFrom: anna\r\n\r\n"])
        #expect(harness.backend.requests.first?.expectsLongHold == true)
        _ = try harness.post("bob", "", ["Prefer: wait=0"])
        #expect(self.asked(harness) == ["anna"])
    }

    @Test func `what a fetch brings reaches the client, which is asked for again at its next poll`()
        throws
    {
        let harness = try self.harness()
        let poll = try harness.post("anna")
        harness.backend.answer(200, ["To: anna"], "one")
        #expect(poll.answer == "200, More: 0, 'one'")
        #expect(harness.backend.requests.isEmpty)
        harness.prove(poll)
        _ = try harness.post("anna")
        #expect(self.asked(harness) == ["anna"])
    }

    @Test(arguments: [200, 404, 503])
    func `any answer may end sessions`(status: Int) throws {
        let harness = try self.harness()
        let poll = try harness.post("anna")
        harness.backend.answer(status, ["End-Session: anna, bob"])
        harness.settle()
        #expect(poll.answer == "200, More: 0")
        for client in ["anna", "bob"] { #expect(try harness.post(client).status == 401) }
        #expect(try harness.post("carl", "", ["Prefer: wait=0"]).status == 200)
    }

    @Test func `a client that was forgotten while it is asked for is not asked for twice`() throws {
        let harness = try self.harness()
        let store = harness.part.store
        let anna = try PacketHarness.name("anna")
        func handle() throws -> ClientHandle {
            let token = Array("token of anna".utf8)
            let session = store.session(
                forToken: token.span,
                in: harness.realm,
                at: harness.part.now
            )
            return try #require(session).client
        }
        let before = try handle()
        _ = try harness.post("anna")
        harness.part.operate { store, now, effects in
            _ = store.endSession(of: anna, in: harness.realm, &effects)
            for shard in 0..<PacketStore.shardCount {
                _ = store.sweep(shard: shard, at: now, &effects)
            }
        }
        try harness.logIn("anna")
        #expect(try handle() != before)
        _ = try harness.post("anna")
        #expect(self.asked(harness) == ["anna"])
        harness.backend.answer(200, ["To: anna"], "one")
        #expect(harness.backend.fetches == 0)
    }

    @Test func `More has the client asked for at once, with a poll or without`() throws {
        let harness = try self.harness()
        _ = try harness.post("anna")
        harness.backend.answer(200, ["To: anna", "More: 1"], "one")
        #expect(self.asked(harness) == ["anna"])
        harness.backend.answer(200, ["To: anna"], "two")
        #expect(harness.backend.requests.isEmpty)
        _ = try harness.post("bob", "hello", ["Prefer: wait=0"])
        harness.backend.answer(200, ["More: 1"])
        #expect(self.asked(harness) == ["bob"])
    }

    @Test func `an empty answer is followed by another no sooner than the interval`() throws {
        let harness = try self.harness()
        _ = try harness.post("anna")
        harness.advance(.milliseconds(400))
        harness.backend.answer(200)
        harness.advance(.milliseconds(599))
        #expect(harness.backend.fetches == 0)
        harness.advance(.milliseconds(2))
        #expect(harness.backend.fetches == 1)
    }

    @Test func `polling again does not have a client asked for more often`() throws {
        let harness = try self.harness()
        for _ in 0..<3 {
            let poll = try harness.post("anna")
            if harness.backend.fetches > 0 { harness.backend.answer(200) }
            poll.exchange?.finish()
            harness.advance(.milliseconds(300))
        }
        #expect(harness.backend.fetches == 0)
        harness.advance(.milliseconds(200))
        #expect(harness.backend.fetches == 0)
        _ = try harness.post("anna")
        #expect(harness.backend.fetches == 1)
    }

    @Test func `the one not asked for longest is the next where targets have no room`() throws {
        let harness = try self.harness(connections: 1)
        for client in ["anna", "bob", "carl"] { _ = try harness.post(client) }
        var order: [String] = []
        for _ in 0..<6 {
            order += self.asked(harness)
            harness.advance(.seconds(1))
            harness.backend.answer(200)
        }
        #expect(order == ["anna", "bob", "carl", "anna", "bob", "carl"])
    }

    @Test func `every target has at most its share of fetches`() throws {
        let harness = try self.harness(
            targets: 2,
            connections: 2,
            clients: ["a", "b", "c", "d", "e"]
        )
        for client in ["a", "b", "c", "d", "e"] { _ = try harness.post(client) }
        #expect(harness.backend.requests.map(\.target).sorted() == [0, 0, 1, 1])
        harness.backend.answer(200, index: 3)
        #expect(self.asked(harness).last == "e")
        #expect(harness.backend.requests.map(\.target).sorted() == [0, 0, 1, 1])
    }

    @Test func `polls on every loop are asked for by one`() throws {
        let harness = try self.harness(loops: 2)
        _ = try harness.post("anna", loop: 0)
        _ = try harness.post("anna", loop: 1)
        _ = try harness.post("bob", loop: 1)
        let loop = try #require(harness.targets.firstIndex { !$0.requests.isEmpty })
        #expect(self.asked(harness, loop: loop) == ["anna", "bob"])
        #expect(harness.targets[1 - loop].requests.isEmpty)
    }

    @Test func `an error is repeated by backoff, and the first one logged with a hint`() throws {
        let log = RecordedLog()
        let harness = try self.harness(log: log)
        _ = try harness.post("anna")
        for _ in 0..<3 {
            harness.backend.answer(400)
            #expect(harness.backend.fetches == 0)
            harness.advance(.seconds(10))
            #expect(harness.backend.fetches == 1)
        }
        #expect(log.lines.count == 1)
        #expect(log.lines.first?.contains("mode: pool") == true)
    }

    @Test func `while no target is usable nobody is asked for, until one may be`() throws {
        let harness = try self.harness()
        harness.backend.usable = []
        _ = try harness.post("anna")
        _ = try harness.post("bob")
        #expect(harness.backend.requests.isEmpty)
        #expect(harness.backend.waiters.count == 1)
        harness.backend.usable = [0]
        harness.backend.mayBeUsable()
        #expect(self.asked(harness) == ["anna", "bob"])
    }

    @Test func `a reload asks for the polls that are held, or ends asking`() throws {
        let harness = try self.harness(loops: 2)
        harness.install(withPool: false)
        _ = try harness.post("anna", loop: 0)
        let poll = try harness.post("bob", loop: 1)
        #expect(harness.targets.allSatisfy { $0.requests.isEmpty })
        harness.install()
        harness.settle()
        let asking = try #require(harness.targets.first { !$0.requests.isEmpty })
        #expect(asking.fetches == 2)
        harness.install(withPool: false)
        harness.settle()
        asking.answer(200)
        asking.answer(200, ["To: bob"], "late")
        harness.settle()
        #expect(poll.status == 200)
        harness.advance(.seconds(5))
        #expect(asking.requests.isEmpty)
        #expect(harness.relay.loops.allSatisfy { $0.requestsUnderWay == 0 })
    }

    @Test func `a drain waits for the fetches under way and begins none`() throws {
        let harness = try self.harness()
        _ = try harness.post("anna")
        var isIdle = false
        harness.part.drain(grace: .zero) { isIdle = true }
        harness.settle()
        #expect(!isIdle)
        harness.backend.answer(200, ["To: anna", "More: 5"], "one")
        #expect(isIdle)
        #expect(harness.backend.requests.isEmpty)
    }

    @Test func `nobody is forgotten who waits, and everybody who does not`() throws {
        var turns = ClientTurns()
        let anna = try PacketHarness.name("anna")
        let start = MonotonicTime(nanoseconds: 0)
        for _ in 0..<3 {
            turns.pollHeld(anna, at: start)
            turns.pollReleased(anna)
        }
        let isDue = turns.isSomebodyDue(at: start)
        #expect(!isDue)
        #expect(turns.isEmpty)
        turns.pollHeld(anna, at: start)
        let taken = turns.takeNext(at: start)
        #expect(taken == anna)
        turns.pollReleased(anna)
        turns.answered(
            anna,
            hasPacket: false,
            announcesMore: false,
            interval: .seconds(1),
            at: start
        )
        #expect(turns.nextDueAt == start + .seconds(1))
        let isDueLater = turns.isSomebodyDue(at: start + .seconds(1))
        #expect(!isDueLater)
        #expect(turns.isEmpty)
    }
}

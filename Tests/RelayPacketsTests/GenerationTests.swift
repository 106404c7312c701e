import RelayConfig
import RelayEngine
import RelayStore
import RelayUpstream
import Synchronization
import Testing

@testable import RelayPackets

struct ReloadTests {
    private static let atOnce = ["Prefer: wait=0"]

    @Test func `held polls stay, and those of a listener without buffer are answered`() throws {
        let harness = try PacketHarness()
        try harness.logIn("anna")
        let poll = try harness.post("anna")
        harness.install()
        harness.relay.answerHeldPolls(at: [.tcp(host: "127.0.0.1", port: 1)])
        harness.settle()
        #expect(poll.status == nil)
        harness.relay.answerHeldPolls(at: [PacketHarness.address])
        harness.settle()
        #expect(poll.answer == "200, More: 0")
    }

    @Test func `what is under way ends by its own pool, the rest goes to the new one`() throws {
        let harness = try PacketHarness(fetches: true)
        try harness.logIn("anna")
        for text in ["one", "two"] { _ = try harness.post("anna", text, Self.atOnce) }
        let new = FakeTargets()
        harness.install(targets: [new])
        #expect(new.fetches == 1)
        #expect(harness.backend.fetches == 1)
        // The fetch, then the packet.
        harness.backend.answer(200, ["To: anna"], "fetched")
        #expect(harness.backend.fetches == 0)
        harness.backend.answer(200)
        #expect(new.packets == ["two"])
        #expect(try harness.post("anna").answer == "200, More: 0, 'fetched'")
    }

    @Test func `fetches of a pool that did not change go on as they were`() throws {
        let harness = try PacketHarness(fetches: true)
        harness.install()
        #expect(harness.backend.fetches == 1)
    }

    @Test func `packets for a pool that is gone wait until it is back`() throws {
        let harness = try PacketHarness(fetches: true)
        harness.relay.start()
        harness.settle()
        harness.backend.usable = []
        try harness.logIn("anna")
        _ = try harness.post("anna", "hello", Self.atOnce)
        #expect(harness.relay.orphans(besides: [harness.pool]).isEmpty)
        harness.install(withPool: false)
        #expect(harness.part.lanes.isEmpty)
        harness.backend.mayBeUsable()
        #expect(harness.backend.packets.isEmpty)
        let orphans = harness.relay.orphans(besides: [])
        #expect(orphans.map(\.pool) == ["app"])
        #expect(orphans.map(\.backlog.packets) == [1])

        harness.backend.usable = [0]
        harness.install()
        for _ in 0..<70 { harness.advance(.milliseconds(16)) }
        #expect(harness.backend.packets == ["hello"])
    }

    @Test func `packets that wait for a pool go on with the one that replaces it`() throws {
        let harness = try PacketHarness()
        harness.backend.usable = []
        try harness.logIn("anna")
        _ = try harness.post("anna", "hello", Self.atOnce)
        let new = FakeTargets()
        harness.install(targets: [new])
        #expect(new.packets == ["hello"])
        harness.backend.usable = [0]
        harness.backend.mayBeUsable()
        #expect(harness.backend.packets.isEmpty)
        #expect(new.packets == ["hello"])
    }
}

struct DrainTests {
    private static let atOnce = ["Prefer: wait=0"]

    @Test func `what is under way ends, nothing begins, and then it is idle`() throws {
        let harness = try PacketHarness(loops: 2, fetches: true)
        try harness.logIn("anna")
        for text in ["one", "two"] { _ = try harness.post("anna", text, Self.atOnce) }
        let fetching = try #require(harness.targets.firstIndex { $0.fetches == 1 })
        let isIdle = Flag()
        harness.relay.drain(grace: .zero) { isIdle.set() }
        harness.settle()
        let fetch = try #require(
            harness.targets[fetching].requests.firstIndex { $0.bodyRange.isEmpty }
        )
        harness.targets[fetching].answer(200, ["To: anna"], "fetched", index: fetch)
        harness.settle()
        #expect(!isIdle.isSet)
        harness.backend.answer(200, ["To: anna"], "reply")
        harness.settle()
        #expect(isIdle.isSet)
        #expect(harness.targets.allSatisfy { $0.requests.isEmpty })
        // Nothing is lost by it.
        #expect(harness.store.backlog(of: harness.pool).packets == 1)
        #expect(harness.store.statistics().waitingForClients.packets == 2)
    }

    @Test func `held polls are answered at once, and later ones are not held`() throws {
        let harness = try PacketHarness()
        try harness.logIn("anna")
        let held = try harness.post("anna")
        harness.relay.drain(grace: .zero) {}
        harness.settle()
        #expect(held.answer == "200, More: 0")
        #expect(try harness.post("anna").answer == "200, More: 0")
    }

    @Test func `held polls are answered little by little over the grace`() throws {
        let harness = try PacketHarness()
        var polls: [FakeClient] = []
        for index in 0..<20 {
            try harness.logIn("client\(index)")
            polls.append(try harness.post("client\(index)"))
        }
        harness.relay.drain(grace: .milliseconds(500)) {}
        harness.settle()
        var answered: [Int] = []
        for _ in 0..<10 {
            answered.append(polls.count { $0.status == 200 })
            harness.advance(.milliseconds(51))
        }
        #expect(answered == [2, 4, 6, 8, 10, 12, 14, 16, 18, 20])
    }

    @Test func `a lane that waits is given up at once`() throws {
        let harness = try PacketHarness()
        try harness.logIn("anna")
        _ = try harness.post("anna", "hello", Self.atOnce)
        harness.backend.answer(503)
        let isIdle = Flag()
        harness.relay.drain(grace: .zero) { isIdle.set() }
        harness.settle()
        #expect(isIdle.isSet)
        harness.advance(.seconds(20))
        #expect(harness.backend.requests.isEmpty)
        #expect(harness.store.backlog(of: harness.pool).packets == 1)
    }
}

/// Something that happens at most once, perhaps on another thread.
private final class Flag: Sendable {
    private let state = Atomic(false)

    var isSet: Bool { self.state.load(ordering: .relaxed) }

    func set() { self.state.store(true, ordering: .relaxed) }
}

import Logging
import RelayConfig
import RelayEngine
import RelayObservation
import RelayStore
import RelayUpstream
import Testing

@testable import RelayPackets

struct FetchScheduleTests {
    private static func time(_ milliseconds: Int64) -> MonotonicTime {
        MonotonicTime(nanoseconds: milliseconds * 1_000_000)
    }

    @Test(
        arguments: [
            (true, 100, 100), (true, 5000, 5000), (false, 100, 1000), (false, 1000, 1000),
            (false, 5000, 5000),
        ] as [(Bool, Int64, Int64)]
    )
    func `a packet has the next one sent at once, else it keeps the interval`(
        hasPacket: Bool,
        answeredAt: Int64,
        nextAt: Int64
    ) {
        var schedule = FetchSchedule()
        schedule.sent(at: Self.time(0))
        let next = schedule.answered(
            hasPacket: hasPacket,
            interval: .seconds(1),
            at: Self.time(answeredAt)
        )
        #expect(next == Self.time(nextAt))
    }

    @Test func `failures are counted until one is answered`() {
        var schedule = FetchSchedule()
        #expect((1...3).map { _ in schedule.failed() } == [1, 2, 3])
        _ = schedule.answered(hasPacket: false, interval: .seconds(1), at: Self.time(0))
        #expect(schedule.failed() == 1)
    }
}

struct FetchTests {
    @Test func `each target has its fetches outstanding, on one loop`() throws {
        let harness = try PacketHarness(
            loops: 2,
            targets: 3,
            fetches: true,
            pool: { $0.fetch.connections = 2 }
        )
        let byLoop = harness.targets.map { $0.requests.map(\.target) }
        #expect(byLoop.flatMap { $0 }.sorted() == [0, 0, 1, 1, 2, 2])
        #expect(byLoop.allSatisfy { !$0.isEmpty })
        #expect(Set(byLoop[0]).isDisjoint(with: byLoop[1]))
    }

    @Test func `a fetch has a type and nothing else, and may be held`() throws {
        let harness = try PacketHarness(fetches: true)
        #expect(harness.backend.sent == ["Type: Packet\r\n\r\n"])
        #expect(harness.backend.requests.first?.timeout == nil)
        #expect(harness.backend.requests.first?.expectsLongHold == true)
    }

    @Test func `a packet that it brings reaches its client, and the next fetch goes at once`()
        throws
    {
        let harness = try PacketHarness(fetches: true)
        try harness.logIn("anna")
        let poll = try harness.post("anna")
        harness.backend.answer(200, ["To: anna"], "one")
        #expect(poll.answer == "200, More: 0, 'one'")
        #expect(harness.backend.fetches == 1)
    }

    @Test func `an empty one is followed no sooner than the interval after it was sent`() throws {
        let harness = try PacketHarness(fetches: true)
        harness.advance(.milliseconds(400))
        harness.backend.answer(200)
        harness.advance(.milliseconds(599))
        #expect(harness.backend.fetches == 0)
        harness.advance(.milliseconds(2))
        #expect(harness.backend.fetches == 1)
    }

    @Test(arguments: [("1", 1), ("0", 0), ("many", 0), ("18446744073709551616", 0)])
    func `an empty one that says there are more is followed by another at once`(
        more: String,
        fetches: Int
    ) throws {
        let harness = try PacketHarness(fetches: true)
        harness.backend.answer(200, ["More: \(more)"])
        #expect(harness.backend.fetches == fetches)
    }

    @Test func `an answer to a packet that says there are more is followed by a fetch at once`()
        throws
    {
        let harness = try PacketHarness(loops: 2, targets: 2, fetches: true)
        try harness.logIn("anna")
        let asking = try #require(
            harness.targets.first { $0.requests.first?.target == 0 }
        )
        asking.answer(200)
        #expect(asking.fetches == 0)
        for loop in 0..<2 {
            _ = try harness.post("anna", "hello", ["Prefer: wait=0"], loop: loop)
            let targets = harness.targets[loop]
            let index = try #require(targets.requests.firstIndex { !$0.bodyRange.isEmpty })
            #expect(targets.requests[index].target == 0)
            targets.answer(200, loop == 0 ? [] : ["More: 3"], index: index)
            harness.settle()
            #expect(asking.fetches == loop)
        }
    }

    @Test func `errors are repeated no sooner than Retry-After says`() throws {
        let harness = try PacketHarness(fetches: true)
        harness.backend.answer(503, ["Retry-After: 7"])
        harness.advance(.milliseconds(6_999))
        #expect(harness.backend.fetches == 0)
        harness.advance(.milliseconds(2))
        #expect(harness.backend.fetches == 1)
    }

    @Test func `a body for nobody is a dead letter, and does not hurry`() throws {
        let harness = try PacketHarness(fetches: true)
        harness.backend.answer(200, [], "ok")
        #expect(harness.store.keptDeadLetters().map(\.reason) == [.noRecipient])
        #expect(harness.backend.fetches == 0)
    }

    @Test func `errors are followed by backoff, a timeout is none`() throws {
        let harness = try PacketHarness(fetches: true, pool: { $0.fetch.timeout = .seconds(30) })
        harness.backend.answer(404)
        #expect(harness.backend.fetches == 0)
        harness.advance(.milliseconds(102))
        #expect(harness.backend.fetches == 1)
        harness.advance(.seconds(30))
        harness.backend.fail(.timedOut, .ambiguous)
        #expect(harness.backend.fetches == 1)
    }

    @Test func `nothing is fetched while outboxes are full`() throws {
        var limits = StoreLimits()
        limits.outboxPacketsMax = 1
        let harness = try PacketHarness(fetches: true, limits: limits)
        try harness.logIn("anna")
        harness.backend.answer(200, ["To: anna"], "one")
        #expect(harness.backend.fetches == 0)
        harness.prove(try harness.post("anna"))
        #expect(harness.backend.fetches == 1)
    }

    // MARK: Keys

    @Test func `a packet with a key is stored once, which is said until that was answered`() throws
    {
        let harness = try PacketHarness(fetches: true)
        try harness.logIn("anna")
        let fields = ["To: anna", "Packet-Id: a/1"]
        harness.backend.answer(200, fields, "one")
        #expect(harness.backend.sent == ["Type: Packet\r\nStored: a/1\r\n\r\n"])
        harness.backend.fail(.reset, .ambiguous)
        harness.advance(.milliseconds(1002))
        #expect(harness.backend.sent == ["Type: Packet\r\nStored: a/1\r\n\r\n"])
        harness.backend.answer(500)
        harness.advance(.milliseconds(1002))
        #expect(harness.backend.sent == ["Type: Packet\r\n\r\n"])
        harness.backend.answer(200, fields, "one")
        #expect(harness.backend.sent == ["Type: Packet\r\nStored: a/1\r\n\r\n"])
        #expect(harness.store.statistics().waitingForClients.packets == 1)
        #expect(harness.relay.counters.storedToClient.value == 1)
    }

    @Test func `packets for the target say it, too`() throws {
        let harness = try PacketHarness(targets: 2, fetches: true)
        try harness.logIn("anna")
        harness.backend.answer(200, ["To: anna", "Packet-Id: a"], "one")
        let answer = ["To: anna", "Packet-Id: b"]
        let index = try #require(harness.backend.requests.firstIndex { $0.target == 1 })
        harness.backend.answer(200, answer, "two", index: index)
        _ = try harness.post("anna", "hello", ["Prefer: wait=0"])
        let packet = try #require(harness.backend.sent.first { $0.hasSuffix("hello") })
        #expect(packet.contains("\r\nStored: a\r\n"))
    }

    @Test func `a backend that gives what it was just told of is not hurried`() throws {
        let harness = try PacketHarness(fetches: true)
        for _ in 0..<2 { harness.backend.answer(200, ["To: anna", "Packet-Id: a"], "one") }
        #expect(harness.backend.fetches == 0)
        harness.advance(.milliseconds(1002))
        #expect(harness.backend.sent == ["Type: Packet\r\nStored: a\r\n\r\n"])
    }

    @Test func `what is dead or lost has been dealt with`() throws {
        let harness = try PacketHarness(fetches: true, buffer: { $0.packetBytesMax = 5 })
        harness.backend.answer(200, ["Packet-Id: a"], "12345")
        harness.advance(.milliseconds(1002))
        harness.backend.answer(200, ["To: anna", "Packet-Id: b"], "123456")
        harness.advance(.milliseconds(1002))
        #expect(harness.backend.sent == ["Type: Packet\r\nStored: b\r\n\r\n"])
        #expect(harness.store.keptDeadLetters().map(\.reason) == [.noRecipient, .tooLarge])
    }

    @Test(arguments: ["", "a b", "a,b", String(repeating: "k", count: 129)])
    func `a packet with a key that is none is one without`(key: String) throws {
        let log = RecordedLog()
        let harness = try PacketHarness(fetches: true, logger: log.logger(from: .info))
        for _ in 0..<2 { harness.backend.answer(200, ["To: anna", "Packet-Id: \(key)"], "one") }
        #expect(harness.backend.sent == ["Type: Packet\r\n\r\n"])
        #expect(harness.store.statistics().waitingForClients.packets == 2)
        #expect(log.lines.count == 1)
    }

    @Test func `no more keys are kept or said than a request has room for`() {
        var keys = StoredKeys()
        for number in 0..<2000 { keys.insert(Array("\(number)".utf8)) }
        var fields: [UInt8] = []
        let said = keys.appendField(to: &fields)
        #expect(said.count == StoredKeys.saidMax)
        #expect(said.first == Array("\(2000 - StoredKeys.countMax)".utf8))
        for _ in 0..<(StoredKeys.countMax / StoredKeys.saidMax) {
            #expect(!keys.isEmpty)
            keys.answered(keys.appendField(to: &fields))
        }
        #expect(keys.isEmpty)
    }

    @Test func `a target of a new generation is not told what another one gave`() throws {
        let harness = try PacketHarness(fetches: true)
        harness.backend.answer(200, ["To: anna", "Packet-Id: a"], "one")
        harness.install(targets: [FakeTargets()])
        #expect(harness.part.storedKeys.isEmpty)
    }
}

import Logging
import RelayConfig
import RelayObservation
import RelayStore
import RelayUpstream
import Testing

@testable import RelayPackets

struct FailureLogTests {
    @Test func `the first of many failures is logged with its reason, and the recovery`() throws {
        let log = RecordedLog()
        let harness = try PacketHarness(logger: log.logger(from: .info))
        try harness.logIn("anna")
        _ = try harness.post("anna", "one", ["Prefer: wait=0"])
        for _ in 0..<3 {
            harness.backend.answer(500, [], "")
            harness.advance(.seconds(20))
        }
        #expect(log.lines.count { $0.contains("a target fails packets") } == 1)
        #expect(log.lines.contains { $0.contains("status 500") && $0.contains("http://") })
        harness.backend.answer(200, [], "")
        harness.settle()
        #expect(log.lines.count { $0.contains("packets are taken again") } == 1)
        #expect(log.lines.count == 2)
    }

    @Test func `the first fetch that fails is logged with a hint to the other mode`() throws {
        let log = RecordedLog()
        let harness = try PacketHarness(fetches: true, logger: log.logger(from: .info))
        for _ in 0..<3 {
            harness.backend.answer(400)
            harness.advance(.seconds(20))
        }
        #expect(log.lines.count == 1)
        #expect(log.lines.first?.contains("mode: client") == true)
    }

    @Test func `a lane that the same 4xx refuses ten times is logged once, and each time counted`()
        throws
    {
        let log = RecordedLog()
        let harness = try PacketHarness(logger: log.logger(from: .info))
        try harness.logIn("anna")
        for _ in 0..<2 {
            _ = try harness.post("anna", "hello", ["Prefer: wait=0"])
            for _ in 0..<11 {
                harness.backend.answer(404)
                harness.advance(.seconds(20))
            }
            harness.backend.answer(200)
        }
        #expect(harness.relay.counters.refusedRepeatedly.value == 2)
        #expect(log.lines.count { $0.contains("name the status under 'reject'") } == 1)
    }

    @Test func `the line of a dead letter says why the last attempt failed`() throws {
        let log = RecordedLog()
        let harness = try PacketHarness(
            logger: log.logger(from: .info),
            pool: {
                var policy = RetryPolicyConfiguration(name: "two")
                policy.attemptsMax = 2
                $0.retry = policy
            }
        )
        try harness.logIn("anna")
        _ = try harness.post("anna", "hello", ["Prefer: wait=0"])
        harness.backend.fail(.timedOut, .ambiguous)
        harness.advance(.seconds(20))
        harness.backend.answer(507)
        let line = try #require(log.lines.first { $0.contains("dead letter") })
        #expect(line.contains("attempts exhausted") && line.contains("status 507"))
    }

    @Test func `what a backend can bring about without end is logged now and then`() throws {
        let log = RecordedLog()
        let harness = try PacketHarness(
            fetches: true,
            logger: log.logger(from: .info),
            buffer: { $0.unknownClientsMax = 0 }
        )
        for _ in 0..<5 { harness.backend.answer(200, ["To: nobody", "From: a b"], "lost") }
        #expect(harness.store.keptDeadLetters().count == 5)
        #expect(log.lines.count { $0.contains("too many unknown clients") } == 1)
        #expect(log.lines.count { $0.contains("is no client id") } == 1)
        harness.advance(.seconds(10))
        harness.backend.answer(200, ["To: nobody"], "lost")
        let last = try #require(log.lines.last)
        #expect(last.contains("too many unknown clients"))
        #expect(last.contains("\"lines_kept_back\": 4") || last.contains("lines_kept_back\": 4"))
    }
}

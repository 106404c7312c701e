import Logging
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
}

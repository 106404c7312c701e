import RelayConfig
import RelayUpstream
import Testing

@testable import RelayPackets

struct SecrecyTests {
    @Test func `neither tokens nor bodies are logged`() throws {
        let log = RecordedLog()
        let harness = try PacketHarness(
            logger: log.logger(),
            buffer: { $0.packetBytesMax = 20 }
        )
        try harness.logIn("bob", token: "SECRET")
        let answers: [(Int, [String], String)] = [
            (200, ["Client-Id: anna"], "SECRET"), (200, [], "SECRET"),
            (200, ["Client-Id: anna"], "SECRET\tSECRET"), (500, [], "SECRET"),
            (200, ["Client-Id: anna"], "token of anna"),
        ]
        for (status, fields, body) in answers {
            _ = try harness.request(
                "POST /auth HTTP/1.1",
                ["Permissions: Accept-Debug", "X-Key: SECRET"],
                "SECRET"
            )
            harness.backend.answer(status, fields, body)
        }
        for status in [200, 404, 422] {
            _ = try harness.post("anna", "SECRET", ["Prefer: wait=0", "X-Key: SECRET"])
            harness.backend.answer(status, ["X-Key: SECRET"], "SECRET SECRET SECRET SECRET")
            harness.advance(.seconds(10))
        }
        harness.backend.fail(.timedOut, .ambiguous)
        harness.settle()
        let lines = log.lines
        #expect(lines.count >= 8)
        #expect(lines.filter { $0.contains("SECRET") || $0.contains("of anna") } == [])
        #expect(lines.contains { $0.contains("client is a debug server now") })
        #expect(lines.contains { $0.contains("may see it twice") })
    }
}

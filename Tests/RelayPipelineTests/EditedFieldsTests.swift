import RelayConfig
import Testing

@testable import RelayPipeline

/// What later stages see of what plugins change in a request.
struct EditedFieldsTests {
    private func canaries(_ value: String) -> Matcher {
        var configuration = MatchConfiguration()
        configuration.headers = [.init(name: "x-canary", values: [Wildcard(value)])]
        return Matcher(configuration)
    }

    private func bed(_ edit: (FieldEdits) -> Void) throws -> PipelineBed {
        let bed = try PipelineBed("GET / HTTP/1.1\nHost: a\nX-Canary: forged\n\n")
        let edits = FieldEdits()
        edit(edits)
        bed.exchange.filters.append(edits)
        return bed
    }

    @Test func `match sees the value that a plugin has set, and not the client's`() throws {
        let value = Array("1".utf8)
        let name = Array("X-CANARY".utf8)
        let bed = try self.bed { $0.set(name.span, to: value.span) }
        #expect(bed.matches(self.canaries("1")))
        #expect(!bed.matches(self.canaries("forged")))
    }

    @Test func `match does not see what a plugin has removed`() throws {
        let name = Array("x-canary".utf8)
        let bed = try self.bed { $0.remove(name.span) }
        #expect(!bed.matches(self.canaries("*")))
    }
}

import RelayHTTP
import RelayPipeline
import RelayStore
import Testing

@testable import RelayPackets

struct RecipientFieldTests {
    private func read(_ fields: [String]) throws -> RecipientField {
        let lines = ["POST / HTTP/1.1", "Host: relay"] + fields
        let bytes = Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8)
        var head = RequestHead()
        var parser = RequestParser()
        try #require(parser.parse(bytes.span, into: &head) == .head)
        return RecipientField(head.fields, in: bytes.span)
    }

    private func name(_ text: String) throws -> ClientName { try PacketHarness.name(text) }

    @Test func `To names the recipient, and Debug where there is no To`() throws {
        #expect(try self.read([]) == .absent)
        #expect(try self.read(["To: anna"]) == .clients(.one(self.name("anna"))))
        #expect(try self.read(["Debug: anna"]) == .clients(.one(self.name("anna"))))
        #expect(try self.read(["Debug: bob", "To: anna"]) == .clients(.one(self.name("anna"))))
    }

    @Test func `spaces, empty members and repetitions in a list do not count`() throws {
        let both = try RecipientField.clients(.several([self.name("anna"), self.name("bob")]))
        #expect(try self.read(["To: anna,bob"]) == both)
        #expect(try self.read(["To:  , anna ,, bob,anna, "]) == both)
        #expect(try self.read(["To: anna", "To: bob"]) == both)
        #expect(try self.read(["To: anna, anna"]) == .clients(.one(self.name("anna"))))
    }

    @Test(arguments: ["", ",", " , ", "an na", "anna, b ob", String(repeating: "x", count: 256)])
    func `nobody and what is no id are malformed`(value: String) throws {
        #expect(try self.read(["To: \(value)"]) == .malformed)
        #expect(try self.read(["To: \(value)", "Debug: anna"]) == .malformed)
    }
}

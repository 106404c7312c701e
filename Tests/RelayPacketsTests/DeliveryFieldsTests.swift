import RelayHTTP
import RelayStore
import Testing

@testable import RelayPackets

struct DeliveryFieldsTests {
    private func ack(_ fields: [String]) throws -> AckField {
        let (head, bytes) = try self.parse(fields)
        return AckField(head.fields, in: bytes.span)
    }

    /// The key as text, nil if there is none, and "malformed" with a space for one that is.
    private func key(_ fields: [String]) throws -> String? {
        let (head, bytes) = try self.parse(fields)
        switch PacketKeyField(head.fields, in: bytes.span) {
        case .absent: return nil
        case .malformed: return "is malformed"
        case .key(let key): return String(decoding: key.bytes, as: UTF8.self)
        }
    }

    private func parse(_ fields: [String]) throws -> (RequestHead, [UInt8]) {
        let lines = ["POST / HTTP/1.1", "Host: relay"] + fields
        let bytes = Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8)
        var head = RequestHead()
        var parser = RequestParser()
        try #require(parser.parse(bytes.span, into: &head) == .head)
        return (head, bytes)
    }

    @Test func `Ack is one decimal number`() throws {
        #expect(try self.ack([]) == .absent)
        #expect(try self.ack(["Ack: 0"]) == .upTo(0))
        #expect(try self.ack(["ack: 1764000000000001"]) == .upTo(1_764_000_000_000_001))
    }

    @Test(arguments: ["", "-1", "+1", "1.5", "0x1", "1, 2", "1 2", "18446744073709551616"])
    func `what is no number is malformed as Ack`(value: String) throws {
        #expect(try self.ack(["Ack: \(value)"]) == .malformed)
    }

    @Test func `two fields are malformed, also if they say the same`() throws {
        #expect(try self.ack(["Ack: 1", "Ack: 1"]) == .malformed)
        #expect(try self.key(["Packet-Id: a", "Packet-Id: a"]) == "is malformed")
    }

    @Test func `Packet-Id is 1 to 128 visible characters`() throws {
        let longest = String(repeating: "k", count: 128)
        #expect(try self.key([]) == nil)
        #expect(try self.key(["Packet-Id: !"]) == "!")
        #expect(try self.key(["packet-id: ~a,b"]) == "~a,b")
        #expect(try self.key(["Packet-Id: \(longest)"]) == longest)
    }

    @Test(arguments: ["", "a b", "a\tb", "ä", String(repeating: "k", count: 129)])
    func `what is none is malformed as Packet-Id`(value: String) throws {
        #expect(try self.key(["Packet-Id: \(value)"]) == "is malformed")
    }
}

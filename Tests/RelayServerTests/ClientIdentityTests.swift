import RelayConfig
import RelayEngine
import RelayHTTP
import RelayPipeline
import Testing

@testable import RelayServer

struct ClientIdentityTests {
    private func parse<Result>(
        _ fields: String,
        _ read: (FieldPositions, Span<UInt8>) -> Result
    ) throws -> Result {
        let bytes = Array("GET / HTTP/1.1\r\nHost: a\r\n\(fields)\r\n".utf8)
        var head = RequestHead()
        var parser = RequestParser()
        let outcome = parser.parse(bytes.span, into: &head)
        try #require(outcome == .head)
        return read(head.fields, bytes.span)
    }

    private func client(
        _ fields: String,
        peer: SocketAddress = .v4(0x0a00_0001, port: 9)
    ) throws
        -> ClientIdentity
    {
        let trusted = try #require(AddressRange(base: .v4(0x0a00_0000), prefixLength: 8))
        return try self.parse(fields) { ClientIdentity(peer, trusting: [trusted], $0, $1) }
    }

    @Test(
        arguments: [
            ("", 0x0a00_0001), ("X-Forwarded-For: 1.2.3.4\r\n", 0x0102_0304),
            ("X-Forwarded-For: 6.6.6.6, 1.2.3.4, 10.0.0.2\r\n", 0x0102_0304),
            ("X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-For: 1.2.3.4:99\r\n", 0x0102_0304),
            ("X-Forwarded-For: 10.0.0.3, 10.0.0.2\r\n", 0x0a00_0003),
            ("X-Forwarded-For: 1.2.3.4, unknown, 10.0.0.2\r\n", 0x0a00_0002),
            ("X-Forwarded-For: , \r\n", 0x0a00_0001),
        ] as [(String, UInt32)]
    )
    func `behind a trusted proxy the client is the rightmost untrusted address`(
        fields: String,
        expected: UInt32
    ) throws {
        let identity = try self.client(fields)
        #expect(identity.client == .ip(.v4(expected)))
        #expect(identity.peer == .ip(.v4(0x0a00_0001)) && identity.isPeerTrusted)
    }

    @Test(arguments: ["::1", "[::1]", "[::1]:80"])
    func `reads IPv6 addresses`(member: String) throws {
        let identity = try self.client("X-Forwarded-For: \(member)\r\n")
        #expect(identity.client == .ip(.v6(high: 0, low: 1)))
    }

    @Test(arguments: [SocketAddress.v4(0x0b00_0001, port: 9), .unix(path: "")])
    func `believes nobody else`(peer: SocketAddress) throws {
        let identity = try self.client("X-Forwarded-For: 1.2.3.4\r\n", peer: peer)
        #expect(identity.client == ClientAddress(peer) && !identity.isPeerTrusted)
    }

    @Test func `an IPv4 peer of an IPv6 socket is an IPv4 peer`() throws {
        let peer = SocketAddress.v6(high: 0, low: 0xffff_0a00_0001, port: 1, zone: 0)
        #expect(try self.client("", peer: peer).isPeerTrusted)
    }

    @Test(
        arguments: [
            ("X-Request-Id: a-1\r\n", "a-1"), ("", nil), ("X-Request-Id:\r\n", nil),
            ("X-Request-Id: a b\r\n", nil), ("X-Request-Id: a\r\nX-Request-Id: b\r\n", nil),
            (
                "X-Request-Id: \(String(repeating: "x", count: 128))\r\n",
                String(repeating: "x", count: 128)
            ),
            ("X-Request-Id: \(String(repeating: "x", count: 129))\r\n", nil),
        ] as [(String, String?)]
    )
    func `takes an id that is valid`(fields: String, expected: String?) throws {
        let id = try self.parse(fields) { RequestID($0, $1) }
        #expect(id == expected.map { .given(Array($0.utf8)) })
    }
}

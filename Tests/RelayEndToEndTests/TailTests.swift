import Glibc
import Testing

/// What `relay client tail` prints of packets of any bytes.
struct TailTests {
    @Test func `text is a line, anything else the number of bytes and the first of them`() throws {
        let packets: [(body: [UInt8], line: String)] = [
            (Array("text\n".utf8), "text"),
            (Array("\u{7F}\u{85}\t\u{E9}\n\n".utf8), "\\x7f\\x85\t\u{E9}\\n"),
            ([0x00], "\\x00"),
            ([0xFF, 0x00, 0x0A], "<3 bytes: ff000a>"),
            ([0xC3], "<1 bytes: c3>"),
            ([UInt8](repeating: 0xFE, count: 32), "<32 bytes: \(Self.fe)>"),
            ([UInt8](repeating: 0xFE, count: 70_000), "<70000 bytes: \(Self.fe)...>"),
        ]
        try PacketSystem.run { system in
            let carol = try system.logIn("carol", permissions: "Accept-Debug")
            let client = try system.client()
            for packet in packets {
                var request = Request.packet(carol, "", to: "bob", wait: 0)
                request.body = packet.body
                expectNoPacket(try client.exchange(request))
            }
            let tail = try ChildProcess(
                RelayProgram.path,
                ["client", "tail", "--login", "bob", "--url", "http://\(system.address)"]
            )
            let expected = packets.map { "\($0.line)\n" }.joined()
            let deadline = Deadline.usual
            while tail.outputText.utf8.count < expected.utf8.count, tail.read(by: deadline) {}
            #expect(tail.outputText == expected)
            tail.signal(SIGINT)
            _ = try tail.waitForExit()
        }
    }

    private static let fe = String(repeating: "fe", count: 32)
}

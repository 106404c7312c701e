import Testing

/// `Expect: 100-continue`: what the head tells is decided before the body is asked for.
struct ContinueTests {
    @Test func `a good head is told to go on`() throws {
        try PacketSystem.run { system in
            let token = try system.logIn("alice")
            let client = try system.client()
            try client.send(
                text: "POST / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(token)\r\n"
                    + "Content-Length: 5\r\nExpect: 100-continue\r\n\r\n"
            )
            #expect(try client.stream.message().status == 100)
            try client.send(text: "hello")
            let answer = try client.response()
            #expect(answer.text == "hello")
            #expect(system.backend.packets.first?.message.field("Expect") == nil)
        }
    }

    @Test func `a refused head is not`() throws {
        try PacketSystem.run({ $0.buffer = "hold: 10s, packet_size: 1KiB" }) { system in
            let token = try system.logIn("alice")
            let refused: [(status: Int, head: String)] = [
                (401, "POST / HTTP/1.1\r\nAuthorization: Bearer wrong\r\nContent-Length: 5\r\n"),
                (
                    403,
                    "POST / HTTP/1.1\r\nAuthorization: Bearer \(token)\r\nTo: bob\r\nContent-Length: 5\r\n"
                ),
                (404, "POST /nothing HTTP/1.1\r\nContent-Length: 5\r\n"),
                (
                    413,
                    "POST / HTTP/1.1\r\nAuthorization: Bearer \(token)\r\nContent-Length: 1025\r\n"
                ),
            ]
            for (status, head) in refused {
                let client = try system.client()
                try client.send(text: head + "Host: x\r\nExpect: 100-continue\r\n\r\n")
                let answer = try client.stream.message()
                expectProblem(answer, status)
            }
        }
    }
}

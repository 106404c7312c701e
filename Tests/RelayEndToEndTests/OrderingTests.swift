import Glibc
import Testing

/// `ordering` of `buffer`.
struct OrderingTests {
    /// A backend that never answers 'stuck'.
    private static let script: TestBackend.Script = { request, backend in
        guard request.isPacket else { return backend.admit(request) }
        return request.message.text == "stuck" ? .hang : .answer(200)
    }

    @Test func `without order a packet that hangs holds up no other of its client`() throws {
        try PacketSystem.run({ $0.buffer = "hold: 0s, ordering: none" }, script: Self.script) {
            system in
            let token = try system.logIn("alice")
            let client = try system.client()
            let texts = ["stuck"] + (1...20).map { "packet \($0)" }
            for text in texts {
                #expect(try client.exchange(.packet(token, text)).status == 200)
            }
            let arrived = try system.backend.waitForPackets(texts.count)
            #expect(Set(arrived.map(\.message.text)) == Set(texts))
            #expect(arrived.allSatisfy { $0.message.field("From") == "alice" })
        }
    }

    @Test func `without order a packet that is sent again and again holds up no other`() throws {
        try PacketSystem.run(
            {
                $0.buffer = "hold: 0s, ordering: none"
                $0.pool.append("connections: { max: 2 }")
            },
            script: { request, backend in
                guard request.isPacket else { return backend.admit(request) }
                return .answer(request.message.text == "bad" ? 503 : 200)
            }
        ) { system in
            let token = try system.logIn("alice")
            let client = try system.client()
            let texts = (0..<20).map { "\($0)" }
            for text in ["bad"] + texts {
                expectNoPacket(try client.exchange(.packet(token, text)))
            }
            let requests = try system.backend.waitForRequests { requests in
                Set(texts).isSubset(of: requests.map(\.message.text))
                    && requests.count { $0.message.text == "bad" } >= 3
            }
            let bad = requests.filter { $0.message.text == "bad" }.map(\.message)
            #expect(bad.prefix(3).map { $0.field("Attempt") } == ["1", "2", "3"])
            for text in texts { #expect(requests.count { $0.message.text == text } == 1) }
        }
    }

    @Test func `without order what was under way and what waited is sent after kill -9`() throws {
        try PacketSystem.run(
            {
                $0.buffer = "hold: 0s, ordering: none"
                $0.pool.append("connections: { max: 3 }")
                $0.sections.append("store: { disk: { path: data } }")
            },
            script: { request, backend in request.isPacket ? .hang : backend.admit(request) }
        ) { system in
            let token = try system.logIn("alice")
            let client = try system.client()
            let texts = (0..<6).map { "\($0)" }
            for text in texts { expectNoPacket(try client.exchange(.packet(token, text))) }
            try system.backend.waitForPackets(3)
            system.backend.setScript { request, backend in
                request.isPacket ? .answer(200) : backend.admit(request)
            }
            try system.restart(by: SIGKILL)
            let again = try system.backend.waitForPackets(9).dropFirst(3).map(\.message.text)
            #expect(again.sorted() == texts)
        }
    }

    @Test func `in order it does, until it is given up`() throws {
        try PacketSystem.run(
            {
                $0.buffer = "hold: 0s, ordering: client"
                $0.pool.append("packet_timeout: 300ms")
                $0.retry = "attempts: 1"
            },
            script: Self.script
        ) { system in
            let token = try system.logIn("alice")
            let client = try system.client()
            for text in ["stuck", "next"] {
                #expect(try client.exchange(.packet(token, text)).status == 200)
            }
            let arrived = try system.backend.waitForPackets(2)
            #expect(arrived.map(\.message.text) == ["stuck", "next"])
            let line = try system.relay.waitForLine(containing: "packet became a dead letter")
            #expect(line.contains("attempts exhausted"))
        }
    }
}

import Glibc
import Testing

/// Reloads while clients are at work.
struct ReloadUnderLoadTests {
    @Test func `64 clients lose and double nothing while the file changes every 100 ms`() throws {
        let clients = 64
        let reloads = 20
        try PacketSystem.run { system in
            let isOver = Monitor(false)
            let address = system.address
            let workers = try (0..<clients).map { number in
                let token = try system.logIn("client-\(number)")
                return Worker { try Self.echo(token, at: address) { isOver.update { $0 } } }
            }
            for number in 0..<reloads {
                try system.rewrite { $0.buffer = "hold: \(10 + number)s" }
                system.relay.signal(SIGHUP)
                // The pace of the reloads: nobody ends this wait.
                _ = isOver.wait(until: .after(.milliseconds(100))) { $0 ? true : nil }
                system.relay.readLog()
            }
            isOver.update { $0 = true }

            var sent: [String: Int] = [:]
            for (number, worker) in workers.enumerated() {
                sent["client-\(number)"] = try worker.result()
            }
            #expect(sent.values.allSatisfy { $0 > 0 })
            let seen = Dictionary(grouping: system.backend.packets) {
                $0.message.field("From") ?? ""
            }
            for (name, count) in sent {
                let texts = seen[name]?.map(\.message.text) ?? []
                #expect(texts == (0..<count).map { "\($0)" }, "\(name)")
            }
            let answer = try system.relay.reload()
            #expect(answer.status == 200)
            guard case .number(let generation)? = JSON(answer.text)?["generation"] else {
                throw Failure("no generation: \(answer.text)")
            }
            // A signal that comes during a reload is one with the next.
            #expect(generation >= 5)
        }
    }

    /// Sends packets on one connection and expects each back, once, in order; gives their number.
    private static func echo(
        _ token: String,
        at address: Address,
        until isOver: () -> Bool
    ) throws -> Int {
        let client = try TestClient(address)
        var number = 0
        while !isOver() {
            let answer = try client.exchange(.packet(token, "\(number)"))
            guard answer.status == 200, answer.text == "\(number)",
                answer.field("Redelivered") == nil
            else { throw Failure("packet \(number): \(answer)") }
            number += 1
        }
        let answer = try client.exchange(.poll(token, wait: 0))
        guard answer.field("Packet-Id") == nil else { throw Failure("doubled: \(answer)") }
        return number
    }
}

import Testing

/// The targets of a pool die and come back under load.
struct FailoverTests {
    @Test func `every packet arrives, in order, while the two targets are killed in turn`() throws {
        let clients = 8
        let packets = 100
        let arrived = Monitor(0)
        let script: TestBackend.Script = { request, backend in
            guard request.isPacket else { return backend.admit(request) }
            arrived.update { $0 += 1 }
            return backend.echo(request)
        }
        try PacketSystem.run(
            { $0.targets.append(Address(host: $0.targets[0].host, port: 9002)) },
            script: script
        ) { system in
            let other = try TestBackend(system.host.at(9002), script: script)
            defer { other.stop() }
            let address = system.address
            let workers = try (0..<clients).map { number in
                let token = try system.logIn("client-\(number)")
                return Worker { try Self.sendAndReceive(packets, token, at: address) }
            }

            let targets = [system.backend, other]
            for round in 0..<6 {
                let target = targets[round % 2]
                target.stop()
                let goal = clients * packets * (round + 1) / 8
                let isReached = arrived.wait(until: .usual) { $0 >= goal ? true : nil }
                #expect(isReached == true, "no progress in round \(round)")
                try target.start()
            }

            let expected = (0..<packets).map { "\($0)" }
            for worker in workers { #expect(try worker.result() == expected) }
            let all = (system.backend.packets + other.packets).sorted { $0.order < $1.order }
            for number in 0..<clients {
                var texts = all.map(\.message).filter { $0.field("From") == "client-\(number)" }
                    .map(\.text)
                // A packet whose answer was lost is seen again, before the next one.
                texts = texts.enumerated().filter {
                    $0.offset == 0 || texts[$0.offset - 1] != $0.element
                }
                .map(\.element)
                #expect(texts == expected, "client-\(number)")
            }
        }
    }

    /// Sends numbers, and gives the packets that come back.
    private static func sendAndReceive(
        _ count: Int,
        _ token: String,
        at address: Address
    ) throws -> [String] {
        let client = try TestClient(address)
        var received: [String] = []
        func take(_ answer: Message) throws {
            guard answer.status == 200 else { throw Failure("\(answer)") }
            if answer.field("Packet-Id") != nil { received.append(answer.text) }
        }
        for number in 0..<count {
            try take(try client.exchange(.packet(token, "\(number)", wait: number % 3)))
        }
        let deadline = Deadline.usual
        while received.count < count, !deadline.isOver {
            try take(try client.exchange(.poll(token)))
        }
        // One more would be doubled.
        try take(try client.exchange(.poll(token, wait: 0)))
        return received
    }
}

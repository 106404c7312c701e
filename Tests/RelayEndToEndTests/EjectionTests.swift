import Testing

/// `health: { passive: … }`: a target that fails packets gets none for a while (relay.yaml(5)).
struct EjectionTests {
    @Test func `of two targets the one that fails is left alone, and no packet is missed`() throws {
        try PacketSystem.run({ file in
            file.targets.append(Address(host: file.targets[0].host, port: 9002))
            file.pool.append("health: { passive: { failures: 3, within: 1h, eject_for: 1h } }")
        }) { system in
            let bad = try TestBackend(system.host.at(9002)) { request, backend in
                request.isPacket ? .answer(503) : backend.admit(request)
            }
            defer { bad.stop() }
            let client = try system.client()
            let token = try system.logIn("alice")
            for number in 0..<30 {
                #expect(try client.exchange(.packet(token, "\(number)")).text == "\(number)")
            }
            #expect(bad.packets.count == 3)
            #expect(system.backend.packets.map(\.message.text) == (0..<30).map { "\($0)" })
            try system.relay.waitForLine(containing: "is ejected for a while")
        }
    }

    @Test func `where all targets fail all are tried, until they are well`() throws {
        let isWell = Monitor(false)
        let script: TestBackend.Script = { request, backend in
            guard request.isPacket else { return backend.admit(request) }
            return isWell.update { $0 } ? backend.echo(request) : .answer(503)
        }
        try PacketSystem.run(
            { file in
                file.targets.append(Address(host: file.targets[0].host, port: 9002))
                file.pool.append(
                    "health: { passive: { failures: 1, eject_for: 1h, max_ejected: 100% } }"
                )
            },
            script: script
        ) { system in
            let other = try TestBackend(system.host.at(9002), script: script)
            defer { other.stop() }
            let token = try system.logIn("alice")
            let client = try system.client()
            try client.send(.packet(token, "hello"))
            for backend in [system.backend, other] { try backend.waitForPackets(3) }
            isWell.update { $0 = true }
            #expect(try client.response().text == "hello")
        }
    }
}

import Testing

/// Two realms in one relay (relay-protocol(7), What a stranger cannot do).
struct RealmTests {
    /// Two listeners, each with a pool and a realm; the pools have the same backend.
    private static func run(
        _ body: (PacketSystem, _ here: Address, _ there: Address) throws -> Void
    ) throws {
        try PacketSystem.run({ file in
            let host = file.listenerAddress.host
            let target = file.targets[0]
            file.workers = 1
            file.listeners = [
                "others:", "  bind: \"\(host):8082\"", "  pipeline:", "    - auth: { pool: other }",
                "    - buffer: { hold: 10s }", "    - route: other",
            ]
            file.pools = [
                "other:", "  targets: [ { url: \"http://\(target)/other\" } ]",
                "  fetch: { mode: off }",
            ]
        }) { system in
            try body(system, system.address, system.host.at(8082))
        }
    }

    private static func logIn(_ name: String, at address: Address) throws -> String {
        let answer = try TestClient.exchange(
            .login(name, permissions: "Accept-Debug"),
            with: address
        )
        #expect(answer.status == 200)
        return answer.text
    }

    @Test func `tokens, ids and debug servers of one realm are unknown in the other`() throws {
        try Self.run { system, here, there in
            let token = try Self.logIn("alice", at: here)
            let other = try Self.logIn("alice", at: there)
            expectProblem(try TestClient.exchange(.poll(token, wait: 0), with: there), 401)
            expectProblem(try TestClient.exchange(.poll(other, wait: 0), with: here), 401)
            // Both are debug servers, each of its own realm.
            let packet = Request.packet(token, "mine", to: "alice", wait: 0)
            #expect(try TestClient.exchange(packet, with: here).text == "mine")
            expectNoPacket(try TestClient.exchange(.poll(other, wait: 0), with: there))
        }
    }

    @Test func `a reply and an end of session stay in the realm of their pool`() throws {
        try Self.run { system, here, there in
            let token = try Self.logIn("alice", at: here)
            let other = try Self.logIn("alice", at: there)
            system.backend.setScript { request, backend in
                guard request.isPacket else { return backend.admit(request) }
                return .answer(
                    200,
                    fields: [("To", "alice"), ("End-Session", "alice")],
                    body: "farewell"
                )
            }
            expectNoPacket(try TestClient.exchange(.packet(other, "hello"), with: there))
            expectProblem(try TestClient.exchange(.poll(other, wait: 0), with: there), 401)
            expectNoPacket(try TestClient.exchange(.poll(token, wait: 0), with: here))
            let again = try Self.logIn("alice", at: there)
            #expect(try TestClient.exchange(.poll(again), with: there).text == "farewell")
        }
    }
}

import Testing

/// Sessions that end before their time (relay-protocol(7), Logging out).
struct SessionEndTests {
    /// A logout with this token.
    private static func logout(_ token: String) -> Request {
        Request(path: "/logout").with("Authorization", "Bearer \(token)")
    }

    @Test func `a logout ends the session, answers what is held, and keeps the packets`() throws {
        try PacketSystem.run { system in
            let alice = try system.logIn("alice")
            let bob = try system.logIn("bob")
            let held = try system.client()
            // Its poll is held before the backend has its packet.
            try held.send(.packet(alice, "nobody").with("X-Silent", "1"))
            try system.backend.waitForPackets(1)

            let answer = try system.exchange(Self.logout(alice))
            #expect(answer.status == 200)
            #expect(answer.body.isEmpty)
            expectNoPacket(try held.response())
            expectProblem(try system.exchange(.poll(alice)), 401)
            expectProblem(try system.exchange(Self.logout(alice)), 401)

            try system.send(["for later"], to: "alice", by: bob)
            let again = try system.logIn("alice")
            #expect(try system.exchange(.poll(again)).text == "for later")
        }
    }

    @Test func `a logout needs a POST and a token`() throws {
        try PacketSystem.run { system in
            expectProblem(try system.exchange(Request(path: "/logout")), 401)
            expectProblem(try system.exchange(.get("/logout")), 405)
        }
    }

    @Test(arguments: [200, 400])
    func `a backend ends sessions by any of its answers`(status: Int) throws {
        try PacketSystem.run(script: { request, backend in
            guard request.isPacket else { return backend.admit(request) }
            return .answer(status, fields: [("End-Session", request.message.text)])
        }) { system in
            let alice = try system.logIn("alice")
            let bob = try system.logIn("bob")
            let held = try system.client()
            // Its poll is held before the backend has its packet.
            try held.send(.packet(bob, "nobody"))
            try system.backend.waitForPackets(1)
            expectNoPacket(try system.exchange(.packet(alice, "bob, nobody", wait: 0)))
            expectNoPacket(try held.response())
            expectProblem(try system.exchange(.poll(bob)), 401)
            expectNoPacket(try system.exchange(.poll(alice, wait: 0)))
        }
    }

    @Test func `without debug servers nobody asks the backend to become one`() throws {
        try PacketSystem.run({ $0.auth = "debug_servers: false" }) { system in
            expectProblem(
                try system.exchange(.login("carol", permissions: "Read, Accept-Debug")),
                403
            )
            #expect(system.backend.received.isEmpty)
            #expect(try system.exchange(.login("carol", permissions: "Read")).status == 200)
        }
    }

    @Test func `a reply goes to each client that it names`() throws {
        try PacketSystem.run(script: { request, backend in
            guard request.isPacket else { return backend.admit(request) }
            return .answer(200, fields: [("To", "alice, bob ,,alice")], body: "all")
        }) { system in
            let alice = try system.logIn("alice")
            let bob = try system.logIn("bob")
            #expect(try system.exchange(.packet(alice, "hello")).text == "all")
            #expect(try system.exchange(.poll(bob)).text == "all")
            for token in [alice, bob] {
                expectNoPacket(try system.exchange(.poll(token, wait: 0)))
            }
        }
    }
}

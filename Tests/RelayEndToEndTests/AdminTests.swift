import Testing

/// Who may ask what of the admin address (relay(1), Admin address).
struct AdminTests {
    @Test func `health and readiness are told to who may ask`() throws {
        try PacketSystem.run({ $0.admin = "hosts: [ relay-1.internal ]" }) { system in
            let hosts = [
                "127.0.0.1", "[::1]:9901", "localhost", "LOCALHOST:1", "relay-1.internal:80",
            ]
            for path in ["/healthz", "/readyz"] {
                for host in hosts {
                    let answer = try system.relay.ask(.get(path).with("Host", host))
                    #expect(answer.status == 200, "\(path) \(host)")
                }
                for host in ["evil.example", "localhost.evil.example", "relay-1.internal.x"] {
                    let answer = try system.relay.ask(.get(path).with("Host", host))
                    expectProblem(answer, 403, "\(path) \(host)")
                }
            }
            expectProblem(try system.relay.ask(.get("/nothing")), 404)
            let get = try system.relay.ask(.get("/reload").with("Relay-Admin", "1"))
            expectProblem(get, 405)
            #expect(get.field("Allow") == "POST")
        }
    }

    @Test(arguments: [
        ("Origin", "http://evil.example"), ("Origin", "null"), ("Sec-Fetch-Site", "cross-site"),
    ])
    func `a page of another origin is refused`(name: String, value: String) throws {
        try PacketSystem.run { system in
            expectProblem(try system.relay.ask(.get("/healthz").with(name, value)), 403)
            let reload = Request(path: "/reload").with("Relay-Admin", "1").with(name, value)
            expectProblem(try system.relay.ask(reload), 403)
        }
    }

    @Test func `a page of its own may ask`() throws {
        try PacketSystem.run { system in
            let own = Request.get("/healthz").with("Origin", "http://\(system.relay.admin)")
                .with("Sec-Fetch-Site", "same-origin")
            let answer = try system.relay.ask(own)
            #expect(answer.status == 200)
        }
    }

    @Test func `a reload needs Relay-Admin and tells the generation`() throws {
        try PacketSystem.run { system in
            expectProblem(try system.relay.ask(Request(path: "/reload")), 403)
            let wrong = Request(path: "/reload").with("Relay-Admin", "0")
            expectProblem(try system.relay.ask(wrong), 403)
            for generation in [2, 3] {
                let answer = try system.relay.reload()
                #expect(answer.status == 200)
                #expect(JSON(answer.text)?["generation"] == .number(Double(generation)))
            }
        }
    }

    @Test func `a token is asked for if there is one`() throws {
        let host = try LoopbackHost.unique()
        let folder = try TemporaryFolder()
        var file = RelayFile(host)
        file.admin = "token: \"${ADMIN_TOKEN}\""
        let path = try folder.write(file.text, to: "relay.yaml")
        let relay = try RelayProcess(
            file: path,
            admin: file.adminAddress,
            adminToken: "correct-horse",
            environment: ["ADMIN_TOKEN": "correct-horse"]
        )
        #expect(try relay.ask(.get("/healthz")).status == 200)
        #expect(try relay.reload().status == 200)
        let none = try TestClient.exchange(.get("/healthz"), with: relay.admin)
        expectProblem(none, 401)
        #expect(none.field("WWW-Authenticate") == "Bearer")
        for token in ["wrong-horse", "correct-hors", "correct-horse2", ""] {
            let reload = Request(path: "/reload").with("Relay-Admin", "1")
                .with("Authorization", "Bearer \(token)")
            expectProblem(try TestClient.exchange(reload, with: relay.admin), 401, "\(token)")
        }
        #expect(try relay.terminate() == .code(0))
        #expect(!relay.log.contains("correct-horse"))
    }
}

import Testing

@testable import RelayStore

struct SessionTests {
    @Test(arguments: Backing.allCases)
    func `a token opens the session of its client`(on backing: Backing) throws {
        let harness = StoreHarness(on: backing)
        #expect(harness.logIn("anna", ticket: 4) == ["loggedIn 4"])
        let session = try #require(harness.session("token of anna"))
        #expect(session.name == StoreHarness.name("anna"))
        #expect(!session.isDebugServer)
        #expect(harness.session("token of ann") == nil)
        #expect(harness.store.statistics().sessions == 1)
    }

    @Test(arguments: Backing.allCases)
    func `a token is unknown in every other realm`(on backing: Backing) throws {
        let harness = StoreHarness(on: backing)
        let other = harness.store.realm(named: "other", settings: RealmSettings())
        _ = harness.logIn("anna")
        let token = Array("token of anna".utf8)
        #expect(harness.store.session(forToken: token.span, in: other, at: harness.now) == nil)
        #expect(harness.session("token of anna") != nil)
    }

    @Test(arguments: Backing.allCases)
    func `a new login ends the session before and answers its polls`(on backing: Backing) throws {
        let harness = StoreHarness(on: backing)
        let old = try harness.login("anna")
        _ = harness.poll(old, ticket: 1)
        _ = harness.poll(old, ticket: 2)
        #expect(
            harness.logIn("anna", token: "new", ticket: 3)
                == ["empty 1 more 0", "empty 2 more 0", "loggedIn 3"]
        )
        #expect(harness.session("token of anna") == nil)
        #expect(harness.poll(old, ticket: 5) == ["refused 5 sessionEnded"])
        #expect(harness.send("x", from: old, ticket: 6) == ["refused 6 sessionEnded"])
        #expect(harness.send("x", from: old, to: ["anna"], ticket: 7) == ["refused 7 sessionEnded"])
        #expect(harness.session("new") != nil)
        #expect(harness.store.statistics().sessions == 1)
        #expect(harness.store.statistics().heldPolls == 0)
    }

    @Test(arguments: Backing.allCases)
    func `the same token again is a new session`(on backing: Backing) throws {
        let harness = StoreHarness(on: backing)
        let old = try harness.login("anna")
        let new = try harness.login("anna")
        #expect(harness.poll(old, ticket: 1) == ["refused 1 sessionEnded"])
        #expect(harness.poll(new, ticket: 2) == ["held 2"])
    }

    @Test(arguments: Backing.allCases)
    func `a token may be changed and changed back`(on backing: Backing) throws {
        let harness = StoreHarness(on: backing)
        for _ in 0..<3 {
            for token in ["one", "two"] {
                _ = harness.logIn("anna", token: token)
                #expect(harness.session(token) != nil)
            }
            #expect(harness.session("one") == nil)
        }
    }

    @Test(arguments: Backing.allCases)
    func `a delivery that began before the login may still be proven`(on backing: Backing) throws {
        let harness = StoreHarness(on: backing)
        let old = try harness.login("anna")
        _ = harness.poll(old, ticket: 1)
        _ = harness.append("first", for: ["anna"])
        _ = harness.append("second", for: ["anna"])
        let new = try harness.login("anna")
        #expect(harness.poll(new, ticket: 2) == ["check 1", "held 2"])
        #expect(try harness.end(1, .proven) == ["deliver 2 'second' more 0"])
    }

    @Test(arguments: Backing.allCases)
    func `a delivery that began before the login and failed waits for the new session`(
        on backing: Backing
    )
        throws
    {
        let harness = StoreHarness(on: backing)
        let old = try harness.login("anna")
        _ = harness.poll(old, ticket: 1)
        _ = harness.append("first", for: ["anna"])
        let new = try harness.login("anna")
        #expect(try harness.end(1, .failed) == [])
        #expect(harness.poll(new, ticket: 2) == ["deliver 2 'first' more 0 again"])
    }

    @Test(arguments: Backing.allCases)
    func `a token is valid for its time after its last use`(on backing: Backing) throws {
        let harness = StoreHarness(on: backing)
        _ = harness.logIn("anna", ttl: .seconds(10))
        harness.advance(milliseconds: 10_000)
        #expect(harness.session("token of anna") != nil)
        harness.advance(milliseconds: 10_000)
        #expect(harness.session("token of anna") != nil)
        harness.advance(milliseconds: 10_001)
        #expect(harness.session("token of anna") == nil)
        #expect(harness.store.statistics().sessions == 1)
        _ = harness.sweep()
        #expect(harness.store.statistics() == StoreStatistics())
    }

    @Test(arguments: Backing.allCases)
    func `a session that has run out answers its polls empty`(on backing: Backing) throws {
        let harness = StoreHarness(on: backing)
        let session = try harness.login("anna", ttl: .seconds(1))
        _ = harness.poll(session, ticket: 1)
        harness.advance(milliseconds: 1001)
        #expect(harness.sweep() == ["empty 1 more 0"])
        #expect(harness.poll(session, ticket: 2) == ["refused 2 sessionEnded"])
    }

    @Test(arguments: Backing.allCases)
    func `the live token of another client is refused and nothing changes`(
        on backing: Backing
    ) throws {
        let harness = StoreHarness(on: backing)
        _ = harness.logIn("anna", token: "same", ttl: .seconds(10))
        let bert = try harness.login("bert")
        _ = harness.poll(bert, ticket: 1)
        #expect(harness.logIn("bert", token: "same", ticket: 2) == ["refused 2 tokenTaken"])
        #expect(harness.session("same")?.name == StoreHarness.name("anna"))
        #expect(harness.session("token of bert") != nil)
        #expect(harness.store.statistics().heldPolls == 1)
    }

    @Test(arguments: Backing.allCases)
    func `the dead token of another client is free`(on backing: Backing) throws {
        let harness = StoreHarness(on: backing)
        _ = harness.logIn("anna", token: "same", ttl: .seconds(10))
        harness.advance(milliseconds: 10_001)
        #expect(harness.logIn("bert", token: "same", ticket: 2) == ["loggedIn 2"])
        #expect(harness.session("same")?.name == StoreHarness.name("bert"))
        _ = harness.sweep()
        #expect(harness.session("same")?.name == StoreHarness.name("bert"))
        #expect(harness.store.statistics().clients == 1)
    }

    @Test(arguments: Backing.allCases)
    func `a token that was replaced is free`(on backing: Backing) throws {
        let harness = StoreHarness(on: backing)
        _ = harness.logIn("anna", token: "first")
        _ = harness.logIn("anna", token: "second")
        #expect(harness.logIn("bert", token: "first", ticket: 1) == ["loggedIn 1"])
    }

    @Test(arguments: Backing.allCases)
    func `a refused login leaves no record`(on backing: Backing) {
        let harness = StoreHarness(on: backing)
        _ = harness.logIn("anna", token: "same")
        _ = harness.logIn("bert", token: "same")
        _ = harness.sweep()
        #expect(harness.store.statistics().clients == 1)
    }

    @Test(arguments: Backing.allCases)
    func `a handle that is too old is refused, not followed`(on backing: Backing) throws {
        let harness = StoreHarness(on: backing)
        let session = try harness.login("anna", ttl: .seconds(1))
        harness.advance(milliseconds: 1001)
        _ = harness.sweep()
        _ = harness.logIn("anna", token: "other")
        #expect(harness.poll(session, ticket: 1) == ["refused 1 sessionEnded"])
        #expect(!harness.pollEnded(session, ticket: 1))
    }

    @Test(arguments: Backing.allCases)
    func `an id shares the bytes of the record`(on backing: Backing) throws {
        let harness = StoreHarness(on: backing)
        let session = try harness.login("anna")
        let name = harness.store.clientName(Array("anna".utf8).span, in: harness.realm)
        #expect(name == session.name)
        #expect(harness.store.clientName(Array("bert".utf8).span, in: harness.realm) != nil)
        #expect(harness.store.clientName(Array("a b".utf8).span, in: harness.realm) == nil)
    }
}

/// Two logins of one client at the same time, step by step.
struct ConcurrentLoginTests {
    @Test(arguments: ["same", "other"])
    func `the login that began last has the session, whichever ends first`(token: String) {
        let store = StoreHarness().store
        let realm = store.realm(named: "app", settings: RealmSettings())
        let now = StoreInstant(nanoseconds: 1, unixMicroseconds: 1)
        var shard = Shard(
            index: 0,
            numbers: PacketNumbers(from: now),
            outboxes: OutboxAccount(StoreLimits())
        )
        var effects = Effects()
        let logins = ["same", token].map { token in
            Login(
                realm: realm,
                name: StoreHarness.name("anna"),
                token: Array(token.utf8),
                tokenTTL: .seconds(1),
                isDebugServer: false
            )
        }
        var claims: [TokenClaim] = []
        for login in logins {
            claims.append(
                TokenClaim(
                    hash: UInt64(login.token.count),
                    client: shard.loginBegan(login.name, in: realm),
                    epoch: UInt64(claims.count + 1)
                )
            )
        }
        let second = shard.loginGranted(logins[1], claims[1], at: now, &effects)
        let first = shard.loginGranted(logins[0], claims[0], at: now, &effects)
        #expect(second == nil)
        #expect(first == claims[0])
        let session = shard.slot(of: claims[1].client).flatMap { shard.clients[$0].session }
        #expect(session?.epoch == 2)
        #expect(session?.token == logins[1].token)
    }

    @Test func `a token whose login is under way is taken`() {
        let now = StoreInstant(nanoseconds: 1, unixMicroseconds: 1)
        var shard = Shard(
            index: 0,
            numbers: PacketNumbers(from: now),
            outboxes: OutboxAccount(StoreLimits())
        )
        var effects = Effects()
        let client = shard.loginBegan(StoreHarness.name("anna"), in: RealmID(index: 0))
        let claim = TokenClaim(hash: 7, client: client, epoch: 1)
        let before = shard.keeps(claim, at: now, &effects)
        shard.loginRefused(client)
        let after = shard.keeps(claim, at: now, &effects)
        #expect(before)
        #expect(!after)
    }

    @Test func `a claim of the same client that is older changes nothing`() {
        var table = TokenTable()
        let client = ClientHandle(shard: 0, slot: 0, generation: 1)
        let claims = (1...2).map { TokenClaim(hash: 7, client: client, epoch: $0) }
        let inTheWay = [
            table.claim(claims[1], replacing: nil), table.claim(claims[0], replacing: nil),
        ]
        table.release(claims[0])
        let stays = table.owner(of: 7)
        table.release(claims[1])
        let goes = table.owner(of: 7)
        #expect(inTheWay == [nil, nil])
        #expect(stays == client)
        #expect(goes == nil)
    }
}

struct DebugServerTests {
    @Test(arguments: Backing.allCases)
    func `clients send to a debug server and it answers anybody`(on backing: Backing) throws {
        let harness = StoreHarness(on: backing)
        let server = try harness.login("server", isDebugServer: true)
        let anna = try harness.login("anna")
        _ = harness.poll(server, ticket: 1)
        #expect(
            harness.send("hello", from: anna, to: ["server"], ticket: 2)
                == ["deliver 1 'hello' more 0 from anna", "stored 2"]
        )
        #expect(harness.send("hi", from: server, to: ["anna", "bert"], ticket: 3) == ["stored 3"])
        #expect(harness.poll(anna, ticket: 4) == ["deliver 4 'hi' more 0 from server"])
        #expect(harness.store.statistics().waitingForClients.packets == 3)
    }

    @Test(arguments: Backing.allCases)
    func `nobody else is sent to`(on backing: Backing) throws {
        let harness = StoreHarness(on: backing)
        let server = try harness.login("server", ttl: .seconds(10), isDebugServer: true)
        let anna = try harness.login("anna")
        _ = try harness.login("bert")
        for name in ["bert", "anna", "nobody"] {
            #expect(
                harness.send("x", from: anna, to: [name], ticket: 1)
                    == ["refused 1 recipientForbidden"]
            )
            #expect(!harness.store.mayAddress(StoreHarness.name(name), from: anna, at: harness.now))
            #expect(
                harness.store.mayAddress(StoreHarness.name(name), from: server, at: harness.now)
            )
        }
        let name = StoreHarness.name("server")
        #expect(harness.store.mayAddress(name, from: anna, at: harness.now))
        harness.advance(milliseconds: 10_001)
        #expect(!harness.store.mayAddress(name, from: anna, at: harness.now))
        #expect(
            harness.send("x", from: anna, to: ["server"], ticket: 2)
                == ["refused 2 recipientForbidden"]
        )
        #expect(harness.store.statistics().waitingForClients.packets == 0)
    }

    @Test(arguments: Backing.allCases)
    func `a debug server of another realm is none here`(on backing: Backing) throws {
        let harness = StoreHarness(on: backing)
        let other = harness.store.realm(named: "other", settings: RealmSettings())
        var effects = Effects()
        let login = Login(
            realm: other,
            name: StoreHarness.name("server"),
            token: Array("t".utf8),
            tokenTTL: .seconds(10),
            isDebugServer: true
        )
        _ = harness.store.logIn(
            login,
            ticket: StoreHarness.ticket(1),
            at: harness.now,
            &effects
        )
        let anna = try harness.login("anna")
        #expect(
            harness.send("x", from: anna, to: ["server"], ticket: 2)
                == ["refused 2 recipientForbidden"]
        )
    }

    @Test(arguments: Backing.allCases)
    func `the sender stays with its packet, whichever are removed`(on backing: Backing) throws {
        var settings = RealmSettings()
        settings.clientPacketsMax = 3
        let harness = StoreHarness(on: backing, settings)
        let server = try harness.login("server", isDebugServer: true)
        let anna = try harness.login("anna")
        _ = harness.poll(server, ticket: 1)
        _ = harness.send("one", from: anna, to: ["server"])
        _ = harness.append("two", for: ["server"])
        _ = harness.send("three", from: anna, to: ["server"])
        _ = harness.append("four", for: ["server"], from: "bert")
        #expect(
            harness.append("five", for: ["server"], ticket: 9) == [
                "stored 9", "died 'three' overflow",
            ]
        )
        #expect(try harness.end(1, .returned) == [])
        #expect(harness.poll(server, ticket: 2) == ["deliver 2 'one' more 2 from anna lost 2"])
        _ = try harness.end(2, .proven)
        #expect(harness.poll(server, ticket: 3) == ["deliver 3 'four' more 1 from bert"])
        _ = try harness.end(3, .proven)
        #expect(harness.poll(server, ticket: 4) == ["deliver 4 'five' more 0"])
    }
}

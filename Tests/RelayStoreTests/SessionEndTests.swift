import RelayStore
import Testing

/// Sessions that a client or a backend ends.
struct SessionEndTests {
    @Test(arguments: Backing.allCases)
    func `a logout ends the session, answers what it holds, and keeps the packets`(
        on backing: Backing
    ) throws {
        let harness = StoreHarness(on: backing)
        let anna = try harness.login("anna")
        #expect(harness.poll(anna, ticket: 1) == ["held 1"])
        #expect(harness.logOut(anna, ticket: 2) == ["empty 1 more 0", "loggedOut 2"])
        #expect(harness.session("token of anna") == nil)
        #expect(harness.poll(anna, ticket: 3) == ["refused 3 sessionEnded"])
        _ = harness.append("news", for: ["anna"])
        let again = try harness.login("anna")
        #expect(try harness.received(by: again) == ["news"])
    }

    @Test(arguments: Backing.allCases)
    func `a session that has ended cannot be logged out`(on backing: Backing) throws {
        let harness = StoreHarness(on: backing)
        let old = try harness.login("anna")
        _ = harness.logIn("anna", token: "new")
        #expect(harness.logOut(old, ticket: 1) == ["refused 1 sessionEnded"])
        let new = try #require(harness.session("new"))
        #expect(harness.logOut(new, ticket: 2) == ["loggedOut 2"])
        #expect(harness.logOut(new, ticket: 3) == ["refused 3 sessionEnded"])
    }

    @Test(arguments: Backing.allCases)
    func `a delivery that is being written runs on`(on backing: Backing) throws {
        let harness = StoreHarness(on: backing)
        let anna = try harness.login("anna")
        _ = harness.poll(anna, ticket: 1)
        _ = harness.append("news", for: ["anna"])
        _ = harness.logOut(anna)
        #expect(try harness.end(1, .proven) == [])
        let again = try harness.login("anna")
        #expect(try harness.received(by: again) == [])
    }

    @Test(arguments: Backing.allCases)
    func `a backend ends the session of a client in its realm and no other`(
        on backing: Backing
    ) throws {
        let harness = StoreHarness(on: backing)
        let anna = try harness.login("anna")
        let other = harness.store.realm(named: "other", settings: RealmSettings())
        _ = harness.poll(anna, ticket: 1)
        #expect(harness.endSession(of: "anna", in: other) == [])
        #expect(harness.endSession(of: "bob") == [])
        #expect(harness.session("token of anna") != nil)
        #expect(harness.endSession(of: "anna") == ["empty 1 more 0"])
        #expect(harness.session("token of anna") == nil)
        #expect(harness.endSession(of: "anna") == [])
        #expect(harness.store.statistics().sessions == 0)
    }

    @Test(arguments: Backing.allCases)
    func `the token of an ended session is free for another client`(on backing: Backing) throws {
        let harness = StoreHarness(on: backing)
        _ = harness.logIn("anna", token: "secret")
        #expect(harness.logIn("bob", token: "secret", ticket: 1) == ["refused 1 tokenTaken"])
        _ = harness.endSession(of: "anna")
        #expect(harness.logIn("bob", token: "secret", ticket: 2) == ["loggedIn 2"])
    }

    @Test(arguments: Backing.allCases)
    func `a debug server is one for as long as its session lasts`(on backing: Backing) throws {
        let harness = StoreHarness(on: backing)
        let anna = try harness.login("anna")
        let carol = try harness.login("carol", isDebugServer: true)
        #expect(harness.send("one", from: anna, to: ["carol"], ticket: 1) == ["stored 1"])
        _ = harness.logOut(carol)
        #expect(
            harness.send("two", from: anna, to: ["carol"], ticket: 2)
                == ["refused 2 recipientForbidden"]
        )
        #expect(
            harness.send("three", from: carol, to: ["anna"], ticket: 3)
                == ["refused 3 sessionEnded"]
        )
    }

    @Test func `ends happen when they are written, in order with logins`() throws {
        let journal = HeldJournal()
        let harness = StoreHarness(journal: journal)
        _ = harness.logIn("anna", ticket: 1)
        // The login is not written yet, and yet its session is the one that ends.
        _ = harness.endSession(of: "anna")
        #expect(journal.commit(to: harness) == [0: ["loggedIn 1"]])
        #expect(harness.session("token of anna") == nil)

        _ = harness.logIn("anna", ticket: 2)
        _ = journal.commit(to: harness)
        let anna = try #require(harness.session("token of anna"))
        #expect(harness.logOut(anna, ticket: 3) == [])
        #expect(harness.session("token of anna") != nil)
        #expect(journal.commit(to: harness, failing: [3]) == [0: ["refused 3 storeFailed"]])
        #expect(harness.session("token of anna") != nil)
        _ = harness.logOut(anna, ticket: 4)
        #expect(journal.commit(to: harness) == [0: ["loggedOut 4"]])
        #expect(harness.session("token of anna") == nil)
    }
}

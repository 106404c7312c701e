import RelayStore
import Testing

/// Acknowledged mode: a packet stays until a request says that the client has it.
struct AcknowledgementTests {
    private let harness = StoreHarness()

    private func anna(_ texts: [String] = ["one", "two", "three"]) throws -> Session {
        let anna = try self.harness.login("anna")
        for text in texts { _ = self.harness.append(text, for: ["anna"]) }
        return anna
    }

    @Test func `a packet is delivered to every poll until it is acknowledged`() throws {
        let anna = try self.anna()
        #expect(
            self.harness.poll(anna, upTo: 0, ticket: 1) == ["deliver 1 'one' more 2"]
        )
        #expect(try self.harness.end(1, .proven) == [])
        #expect(
            self.harness.poll(anna, upTo: 0, ticket: 2) == ["deliver 2 'one' more 2 again"]
        )
        // A request without an acknowledgement acknowledges nothing.
        #expect(self.harness.poll(anna, ticket: 3) == ["deliver 3 'one' more 2 again"])
        #expect(
            self.harness.poll(anna, acknowledging: "one", ticket: 4)
                == ["acknowledged@0 1", "deliver 4 'two' more 1"]
        )
        #expect(
            self.harness.poll(anna, acknowledging: "one", ticket: 5)
                == ["deliver 5 'two' more 1 again"]
        )
        #expect(
            self.harness.poll(anna, acknowledging: "two", ticket: 6, mayHold: false)
                == ["acknowledged@0 1", "deliver 6 'three' more 0"]
        )
        #expect(
            self.harness.poll(anna, acknowledging: "three", ticket: 7, mayHold: false)
                == ["acknowledged@0 1", "empty 7 more 0"]
        )
        #expect(self.harness.store.statistics().deliveries == 0)
    }

    @Test
    func `an acknowledgement holds for everything below it, and for a number that was skipped`()
        throws
    {
        let anna = try self.anna()
        let last = try #require(self.harness.numbers[0])
        #expect(
            self.harness.poll(anna, upTo: last - 1, ticket: 1)
                == ["acknowledged@0 2", "deliver 1 'three' more 0"]
        )
        self.harness.advance(milliseconds: 5)
        _ = self.harness.append("four", for: ["anna"])
        #expect(
            self.harness.poll(anna, upTo: last + 3, ticket: 2)
                == ["acknowledged@0 1", "deliver 2 'four' more 0"]
        )
    }

    @Test func `a delivery of which no byte was written is not marked the next time`() throws {
        let anna = try self.anna(["one"])
        _ = self.harness.poll(anna, upTo: 0, ticket: 1)
        #expect(try self.harness.end(1, .returned) == [])
        #expect(self.harness.poll(anna, upTo: 0, ticket: 2) == ["deliver 2 'one' more 0"])
        #expect(try self.harness.end(2, .failed) == [])
        #expect(self.harness.poll(anna, upTo: 0, ticket: 3) == ["deliver 3 'one' more 0 again"])
    }

    @Test func `every held poll gets the packet, the newest first`() throws {
        let anna = try self.anna([])
        for ticket: UInt64 in 1...3 { _ = self.harness.poll(anna, upTo: 0, ticket: ticket) }
        #expect(
            self.harness.append("one", for: ["anna"], ticket: 4) == [
                "deliver 3 'one' more 0", "deliver 2 'one' more 0 again",
                "deliver 1 'one' more 0 again", "stored 4",
            ]
        )
        #expect(self.harness.store.statistics().deliveries == 3)
        for ticket: UInt64 in [2, 3] { #expect(try self.harness.end(ticket, .failed) == []) }
        #expect(self.harness.store.statistics().deliveries == 1)
        _ = self.harness.poll(anna, acknowledging: "one", ticket: 5)
        #expect(self.harness.store.statistics().deliveries == 0)
        #expect(try self.harness.end(1, .failed) == [])
    }

    @Test func `a session that begins to acknowledge gets again what is under way`() throws {
        let anna = try self.anna(["one"])
        _ = self.harness.poll(anna, ticket: 1)
        _ = self.harness.poll(anna, ticket: 2)
        #expect(
            self.harness.poll(anna, upTo: 0, ticket: 3) == [
                "deliver 3 'one' more 0 again", "deliver 2 'one' more 0 again",
            ]
        )
        #expect(try self.harness.end(1, .proven) == [])
        #expect(self.harness.poll(anna, ticket: 4) == ["deliver 4 'one' more 0 again"])
    }

    @Test func `a new session begins in the plain protocol, and has what was not acknowledged`()
        throws
    {
        let anna = try self.anna(["one", "two"])
        _ = self.harness.poll(anna, upTo: 0, ticket: 1)
        let again = try self.harness.login("anna")
        #expect(!again.acknowledges)
        #expect(self.harness.poll(again, ticket: 2) == ["check 1", "held 2"])
        // Proof does not end what was delivered in acknowledged mode.
        #expect(try self.harness.end(1, .proven) == ["deliver 2 'one' more 1 again"])
        #expect(try self.harness.end(2, .proven) == [])
        #expect(self.harness.poll(again, ticket: 3) == ["deliver 3 'two' more 0"])
    }

    @Test(arguments: Backing.allCases)
    func `what is delivered and not acknowledged expires, once it is written`(
        on backing: Backing
    ) throws {
        var settings = RealmSettings()
        settings.packetTTL = .seconds(10)
        let harness = StoreHarness(on: backing, settings)
        let anna = try harness.login("anna")
        for text in ["one", "two"] { _ = harness.append(text, for: ["anna"]) }
        for ticket: UInt64 in [1, 2] { _ = harness.poll(anna, upTo: 0, ticket: ticket) }
        harness.advance(milliseconds: 10_001)
        #expect(harness.sweep() == ["died 'two' expired"])
        #expect(try harness.end(1, .proven) == [])
        #expect(harness.sweep() == [])
        #expect(try harness.end(2, .failed) == ["died 'one' expired"])
    }

    @Test(arguments: Backing.allCases)
    func `what is delivered and not acknowledged overflows, once it is written`(
        on backing: Backing
    ) throws {
        var settings = RealmSettings()
        settings.clientPacketsMax = 2
        let harness = StoreHarness(on: backing, settings)
        let anna = try harness.login("anna")
        for text in ["one", "two"] { _ = harness.append(text, for: ["anna"]) }
        _ = harness.poll(anna, upTo: 0, ticket: 1)
        #expect(harness.append("three", for: ["anna"]) == ["stored 0", "died 'two' overflow"])
        _ = try harness.end(1, .proven)
        #expect(harness.append("four", for: ["anna"]) == ["stored 0", "died 'one' overflow"])
        #expect(
            harness.poll(anna, acknowledging: "one", ticket: 2) == [
                "deliver 2 'three' more 1 lost 2"
            ]
        )
    }

    @Test func `a session that has ended acknowledges nothing`() throws {
        let anna = try self.anna(["one"])
        _ = self.harness.poll(anna, upTo: 0, ticket: 1)
        _ = try self.harness.login("anna")
        #expect(
            self.harness.poll(anna, acknowledging: "one", ticket: 2) == ["refused 2 sessionEnded"]
        )
        #expect(self.harness.store.statistics().waitingForClients.packets == 1)
    }
}

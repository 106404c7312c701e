import Testing

@testable import RelayStore

/// Packets of one client that may overtake each other (`ordering: none`).
struct UnorderedLaneTests {
    private static var settings: RealmSettings {
        var settings = RealmSettings()
        settings.keepsOrder = false
        return settings
    }

    @Test(arguments: Backing.allCases)
    func `packets are under way side by side, each sent by the loop that stored it`(
        on backing: Backing
    ) throws {
        let harness = StoreHarness(on: backing, Self.settings)
        let anna = try harness.login("anna")
        for (loop, text) in ["one", "two", "three"].enumerated() {
            #expect(
                harness.send(text, from: anna, ticket: UInt64(loop), loop: UInt16(loop))
                    == ["stored \(loop)", "send@\(loop) '\(text)' attempts 0"]
            )
        }
        #expect(try harness.consumed("two") == ["idle@1"])
        #expect(try harness.consumed("three") == ["idle@2"])
        #expect(try harness.consumed("one") == ["idle@0"])
        #expect(harness.store.backlog(of: harness.pool) == Backlog(packets: 0, bytes: 0))
    }

    @Test(arguments: Backing.allCases)
    func `each packet has attempts of its own`(on backing: Backing) throws {
        let harness = StoreHarness(on: backing, Self.settings)
        let anna = try harness.login("anna")
        _ = harness.send("one", from: anna)
        _ = harness.send("two", from: anna)
        #expect(try harness.attemptFailed("one") == [])
        #expect(try harness.consumed("two") == ["idle@0"])
        #expect(try harness.nextAttempt("one") == ["send@0 'one' attempts 1"])
        #expect(try harness.consumed("one") == ["idle@0"])
    }

    @Test(arguments: Backing.allCases)
    func `more than may be under way wait, and go out oldest first on the lane that is free`(
        on backing: Backing
    )
        throws
    {
        let harness = StoreHarness(on: backing, Self.settings)
        let anna = try harness.login("anna")
        for number in 0..<Lane.lanesMax {
            #expect(harness.send("\(number)", from: anna, ticket: 1).count == 2)
        }
        let late = (0..<3).map { "late \($0)" }
        for text in late { #expect(harness.send(text, from: anna, ticket: 1) == ["stored 1"]) }
        // The first waits for another attempt, and so would all behind it.
        #expect(try harness.attemptFailed("0") == [])
        for (number, text) in late.enumerated() {
            let sent = try harness.consumed("\(number + 10)")
            #expect(sent == ["send@0 '\(text)' attempts 0"])
        }
        #expect(try harness.consumed("13") == ["idle@0"])
        #expect(harness.send("next", from: anna, ticket: 1).count == 2)
        #expect(try harness.nextAttempt("0") == ["send@0 '0' attempts 1"])
    }

    @Test(arguments: Backing.allCases)
    func `lanes that were given up are taken up again, all of them`(on backing: Backing) throws {
        let harness = StoreHarness(on: backing, Self.settings)
        let anna = try harness.login("anna")
        for text in ["one", "two", "three"] {
            _ = harness.send(text, from: anna, loop: 1)
            _ = try harness.lane(of: text) { store, send, _, _ in
                store.releaseLane(send.lane, loop: 1)
            }
        }
        #expect(
            Set(harness.adoptLanes(loop: 2))
                == [
                    "send@2 'one' attempts 0", "send@2 'two' attempts 0",
                    "send@2 'three' attempts 0",
                ]
        )
        #expect(harness.adoptLanes(loop: 2) == [])
    }

    @Test(arguments: Backing.allCases)
    func `expired packets are dead wherever they wait`(on backing: Backing) throws {
        var settings = Self.settings
        settings.packetTTL = .seconds(1)
        let harness = StoreHarness(on: backing, settings)
        let anna = try harness.login("anna")
        for number in 0..<(Lane.lanesMax + 5) { _ = harness.send("\(number)", from: anna) }
        harness.advance(milliseconds: 1001)
        #expect(try harness.consumed("0").contains("idle@0"))
        _ = harness.sweep()
        // What is under way is judged when that ends.
        #expect(harness.store.backlog(of: harness.pool).packets == Lane.lanesMax - 1)
    }

    @Test(arguments: Backing.allCases)
    func `after a reload packets wait for each other again`(on backing: Backing) throws {
        let harness = StoreHarness(on: backing, Self.settings)
        let anna = try harness.login("anna")
        _ = harness.send("one", from: anna)
        _ = harness.send("two", from: anna)
        _ = harness.store.realm(named: "app", settings: RealmSettings())
        #expect(harness.send("three", from: anna, ticket: 3) == ["stored 3"])
        #expect(try harness.consumed("two") == ["idle@0"])
        #expect(try harness.consumed("one") == ["send@0 'three' attempts 0"])
    }

    @Test func `after a restart they go out side by side, with their attempts`() throws {
        let harness = try DiskHarness(realm: Self.settings)
        let anna = try harness.logIn("anna")
        for text in ["one", "two", "three"] { #expect(harness.send(text, from: anna).isStored) }
        let sends = (0..<3).map { _ in harness.heard.nextSend() }
        let two = try #require(sends.first { $0.packet.contents.text == "two" })
        harness.fail(two)
        try harness.reopen()
        // As when relay starts: what is in the file is read before relay.yaml says how to send it.
        #expect(harness.realm == RealmID(index: 0))
        harness.adoptLanes()
        let again = (0..<3).map { _ in harness.heard.nextSend().packet }
        #expect(Set(again.map(\.contents.text)) == ["one", "two", "three"])
        for packet in again {
            #expect(packet.attempts == (packet.contents.text == "two" ? 1 : 0))
        }
    }
}

import Synchronization
import Testing

@testable import RelayStore

/// What a client does not get it is told of, until it is known to know.
struct LossTests {
    /// An outbox of one packet, in which every packet but the last is lost.
    private func harness(
        on backing: Backing = .memory,
        _ overflow: RealmSettings.Overflow = .deadLetter,
        journal: (any Journal)? = nil
    ) -> StoreHarness {
        var settings = RealmSettings()
        settings.clientPacketsMax = 1
        settings.packetTTL = .seconds(10)
        settings.overflow = overflow
        return StoreHarness(on: backing, settings, journal: journal)
    }

    private func append(_ count: Int, to harness: StoreHarness) {
        for index in 1...count { _ = harness.append("\(index)", for: ["anna"]) }
    }

    @Test(arguments: [RealmSettings.Overflow.deadLetter, .dropOldest], Backing.allCases)
    func `what overflows is counted until an answer that says so is proven`(
        overflow: RealmSettings.Overflow,
        on backing: Backing
    ) throws {
        let harness = self.harness(on: backing, overflow)
        let anna = try harness.login("anna")
        self.append(3, to: harness)
        #expect(harness.poll(anna, ticket: 1) == ["deliver 1 '3' more 0 lost 2"])
        #expect(
            harness.poll(anna, ticket: 2, mayHold: false) == ["check 1", "empty 2 more 0 lost 2"]
        )
        #expect(try harness.end(1, .failed) == [])
        #expect(harness.poll(anna, ticket: 3) == ["deliver 3 '3' more 0 again lost 2"])
        #expect(try harness.end(3, .proven) == [])
        #expect(harness.poll(anna, ticket: 4, mayHold: false) == ["empty 4 more 0"])
    }

    @Test(arguments: Backing.allCases)
    func `what expires is counted, and an answer without a packet tells as well`(
        on backing: Backing
    ) throws {
        let harness = self.harness(on: backing)
        let anna = try harness.login("anna")
        self.append(1, to: harness)
        harness.advance(milliseconds: 10_001)
        #expect(
            harness.poll(anna, ticket: 1, mayHold: false)
                == ["empty 1 more 0 lost 1", "died '1' expired"]
        )
        #expect(harness.poll(anna, ticket: 2, mayHold: false) == ["empty 2 more 0 lost 1"])
        #expect(harness.told(anna, ticket: 1) == [])
        #expect(harness.poll(anna, ticket: 3, mayHold: false) == ["empty 3 more 0"])
        // The other one told of the same.
        self.append(2, to: harness)
        #expect(harness.told(anna, ticket: 2) == [])
        #expect(harness.poll(anna, ticket: 4) == ["deliver 4 '2' more 0 lost 1"])
    }

    @Test(arguments: Backing.allCases)
    func `what is lost meanwhile is told by the next answer`(on backing: Backing) throws {
        let harness = self.harness(on: backing)
        let anna = try harness.login("anna")
        self.append(2, to: harness)
        #expect(harness.poll(anna, ticket: 1) == ["deliver 1 '2' more 0 lost 1"])
        // The outbox is full with what is under way.
        _ = harness.append("3", for: ["anna"])
        #expect(try harness.end(1, .proven) == [])
        #expect(harness.poll(anna, ticket: 2, mayHold: false) == ["empty 2 more 0 lost 1"])
        _ = harness.append("4", for: ["anna"])
        #expect(harness.poll(anna, ticket: 3) == ["deliver 3 '4' more 0 lost 1"])
    }

    @Test(arguments: Backing.allCases)
    func `what is too large is counted for a client that is known`(on backing: Backing) throws {
        let harness = self.harness(on: backing)
        let anna = try harness.login("anna")
        for name in ["anna", "nobody"] {
            var effects = Effects()
            harness.store.bury(
                .empty,
                .tooLarge,
                in: harness.realm,
                client: StoreHarness.name(name),
                pool: harness.pool,
                at: harness.now,
                &effects
            )
        }
        #expect(harness.poll(anna, ticket: 1, mayHold: false) == ["empty 1 more 0 lost 1"])
        #expect(harness.store.statistics().clients == 1)
    }

    @Test(arguments: Backing.allCases)
    func `in acknowledged mode it is told until a packet that told it is acknowledged`(
        on backing: Backing
    )
        throws
    {
        let harness = self.harness(on: backing)
        let anna = try harness.login("anna")
        self.append(2, to: harness)
        #expect(harness.poll(anna, upTo: 0, ticket: 1) == ["deliver 1 '2' more 0 lost 1"])
        _ = try harness.end(1, .proven)
        #expect(harness.poll(anna, upTo: 0, ticket: 2) == ["deliver 2 '2' more 0 again lost 1"])
        #expect(
            harness.poll(anna, acknowledging: "2", ticket: 3, mayHold: false)
                == ["acknowledged@0 1", "empty 3 more 0"]
        )
    }

    @Test(arguments: Backing.allCases)
    func `in acknowledged mode an answer without a packet tells as well`(on backing: Backing) throws
    {
        let harness = self.harness(on: backing)
        let anna = try harness.login("anna")
        self.append(1, to: harness)
        harness.advance(milliseconds: 10_001)
        _ = harness.sweep()
        #expect(harness.poll(anna, upTo: 0, ticket: 1, mayHold: false) == ["empty 1 more 0 lost 1"])
        #expect(harness.told(anna, ticket: 1) == [])
        #expect(harness.poll(anna, upTo: 0, ticket: 2, mayHold: false) == ["empty 2 more 0"])
    }

    @Test(arguments: Backing.allCases)
    func `a packet whose first answer did not tell of a loss does not take it away`(
        on backing: Backing
    ) throws {
        let harness = self.harness(on: backing)
        let anna = try harness.login("anna")
        self.append(1, to: harness)
        #expect(harness.poll(anna, upTo: 0, ticket: 1) == ["deliver 1 '1' more 0"])
        _ = harness.append("2", for: ["anna"])
        #expect(harness.poll(anna, upTo: 0, ticket: 2) == ["deliver 2 '1' more 0 again lost 1"])
        #expect(
            harness.poll(anna, acknowledging: "1", ticket: 3, mayHold: false)
                == ["acknowledged@0 1", "empty 3 more 0 lost 1"]
        )
    }

    @Test(arguments: Backing.allCases)
    func `a client that is away hears of it when it is back, for as long as packets wait`(
        on backing: Backing
    )
        throws
    {
        let harness = self.harness(on: backing)
        _ = try harness.login("anna", ttl: .seconds(1))
        self.append(1, to: harness)
        harness.advance(milliseconds: 10_001)
        _ = harness.sweep()
        harness.advance(milliseconds: 10_000)
        _ = harness.sweep()
        let anna = try harness.login("anna", ttl: .seconds(1))
        #expect(harness.poll(anna, ticket: 1, mayHold: false) == ["empty 1 more 0 lost 1"])
        harness.advance(milliseconds: 10_001)
        _ = harness.sweep()
        #expect(harness.store.statistics().clients == 0)
        let again = try harness.login("anna")
        #expect(harness.poll(again, ticket: 2, mayHold: false) == ["empty 2 more 0"])
        #expect(harness.told(anna, ticket: 1) == [])
    }

    @Test func `a journal hears what happened, each after what it follows from`() throws {
        let journal = Notes()
        let harness = self.harness(.dropOldest, journal: journal)
        let anna = try harness.login("anna")
        self.append(2, to: harness)
        _ = harness.poll(anna, ticket: 1)
        _ = try harness.end(1, .proven)
        self.append(1, to: harness)
        harness.advance(milliseconds: 10_001)
        _ = harness.sweep()
        #expect(
            journal.texts.withLock { $0 } == [
                "logIn", "append", "append", "dropped", "told anna 1", "append", "died expired",
            ]
        )
    }
}

/// A journal that lets everything happen at once and remembers it.
private final class Notes: Journal {
    let texts = Mutex<[String]>([])

    func write(_ operation: StoreOperation) -> JournalAnswer {
        let text =
            switch operation {
            case .logIn: "logIn"
            case .append: "append"
            case .dropped: "dropped"
            case .died(let letter): "died \(letter.reason)"
            case .lossesTold(let client, _, let count): "told \(client) \(count)"
            default: "something else"
            }
        self.texts.withLock { $0.append(text) }
        return .done
    }
}

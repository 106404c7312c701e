import Testing

@testable import RelayStore

/// A sync that fails, and then a power cut: what was to be synced is read as if it was, and is gone.
struct FailedSyncTests {
    @Test(arguments: 0..<10 as Range<UInt64>)
    func `what is answered after a failed sync survives a power cut`(seed: UInt64) throws {
        let disk = try PowerCutDisk(seed: seed)
        let clock = SimulatedClock()
        let life = try PowerCutLife(on: disk, clock: clock)
        #expect(Self.append("one", to: life, clock) == ["stored 1"])
        // The commit, and what the writer tries next.
        disk.failSyncs(2)
        #expect(
            Self.append("two", to: life, clock)
                == ["repliesAccepted", "refused 1 storeFailed"]
        )
        #expect(Self.append("three", to: life, clock) == ["stored 1"])

        disk.cut(after: 0)
        life.end()
        disk.restore()
        var emptied = EmptiedStore(try PowerCutLife(on: disk, clock: clock), clock)
        defer { emptied.life.end() }
        let found = emptied.all(of: ["anna"], tokens: [:])
        #expect(found.outboxes["anna"]?.map(\.text) == ["one", "three"], "seed \(seed)")
    }

    /// What the store says to it.
    private static func append(
        _ text: String,
        to life: PowerCutLife,
        _ clock: SimulatedClock
    ) -> [String] {
        var effects = Effects()
        _ = life.store.append(
            StoreHarness.reply(text, for: ["anna"]),
            in: life.realm,
            ticket: StoreHarness.ticket(1),
            at: clock.now,
            &effects
        )
        while life.turn() {}
        return life.takeEffects().map(\.text)
    }
}

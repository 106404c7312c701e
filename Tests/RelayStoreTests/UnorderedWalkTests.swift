import Testing

@testable import RelayStore

/// Random steps with packets that may overtake each other, and with reloads that change whether they may.
struct UnorderedWalkTests {
    @Test(arguments: 1...40 as ClosedRange<UInt64>)
    func `every packet is sent until it is consumed, and never twice at once`(seed: UInt64) throws {
        var walk = try Walk(seed: seed)
        for _ in 0..<600 { try walk.step() }
        try walk.finish()
        #expect(walk.packets.isEmpty, "seed \(seed)")
        #expect(walk.doubled.isEmpty, "seed \(seed)")
        #expect(walk.excesses == 0, "seed \(seed)")
        #expect(walk.harness.store.backlog(of: walk.harness.pool).packets == 0, "seed \(seed)")
    }

    /// A store and what is known of its packets.
    private struct Walk {
        let harness: StoreHarness
        private let sessions: [Session]
        private var generator: SeededGenerator
        private var lastNumber = 0

        /// Those that are not consumed.
        private(set) var packets: Set<String> = []
        private var underWay: Set<String> = []
        /// Those whose attempt has failed.
        private var waiting: Set<String> = []
        /// Those that were sent while they were under way.
        private(set) var doubled: Set<String> = []
        /// How often more were under way than may be.
        private(set) var excesses = 0

        init(seed: UInt64) throws {
            self.generator = SeededGenerator(seed: seed)
            self.harness = StoreHarness(Self.settings(keepsOrder: false))
            let harness = self.harness
            self.sessions = try ["anna", "bert"].map { try harness.login($0) }
        }

        private static func settings(keepsOrder: Bool) -> RealmSettings {
            var settings = RealmSettings()
            settings.keepsOrder = keepsOrder
            return settings
        }

        mutating func step() throws {
            switch Int.random(in: 0..<12, using: &self.generator) {
            case 0...5:
                let client = Int.random(in: 0..<self.sessions.count, using: &self.generator)
                self.lastNumber += 1
                let text = "\(client)-\(self.lastNumber)"
                self.packets.insert(text)
                self.note(self.harness.send(text, from: self.sessions[client], loop: 1))
            case 6...7:
                guard let text = self.any(of: self.underWay) else { return }
                try self.consume(text)
            case 8:
                guard let text = self.any(of: self.underWay) else { return }
                self.underWay.remove(text)
                self.waiting.insert(text)
                self.note(try self.harness.attemptFailed(text))
            case 9:
                guard let text = self.any(of: self.waiting) else { return }
                self.waiting.remove(text)
                self.note(try self.harness.nextAttempt(text))
            case 10:
                guard let text = self.any(of: self.underWay.union(self.waiting)) else { return }
                self.underWay.remove(text)
                self.waiting.remove(text)
                _ = try self.harness.lane(of: text) { store, send, _, _ in
                    store.releaseLane(send.lane, loop: send.loop)
                }
            default:
                let keepsOrder = Bool.random(using: &self.generator)
                _ = self.harness.store.realm(
                    named: "app",
                    settings: Self.settings(keepsOrder: keepsOrder)
                )
                self.note(self.harness.adoptLanes(loop: 2))
            }
        }

        /// Takes up what was given up and consumes everything.
        mutating func finish() throws {
            self.note(self.harness.adoptLanes(loop: 2))
            for text in self.waiting.sorted() { self.note(try self.harness.nextAttempt(text)) }
            while let text = self.underWay.min() { try self.consume(text) }
        }

        private mutating func any(of texts: Set<String>) -> String? {
            // Sorted, so that a seed plays the same whatever the order of a set is.
            texts.sorted().randomElement(using: &self.generator)
        }

        private mutating func consume(_ text: String) throws {
            self.underWay.remove(text)
            self.packets.remove(text)
            self.note(try self.harness.consumed(text))
        }

        private mutating func note(_ effects: [String]) {
            for effect in effects where effect.hasPrefix("send@") {
                let text = String(effect.split(separator: "'")[1])
                if !self.underWay.insert(text).inserted { self.doubled.insert(text) }
            }
            for client in self.sessions.indices {
                let count = self.underWay.count { $0.hasPrefix("\(client)-") }
                if count > Lane.lanesMax { self.excesses += 1 }
            }
        }
    }
}

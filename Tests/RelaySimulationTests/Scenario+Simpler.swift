import RelayEngine
import SimulatedSystem

/// Simpler worlds, for who looks for the simplest one that still shows a fault.
extension Scenario {
    /// Worlds that lack something of this one, those that lack most first.
    var simpler: [Scenario] {
        var worlds: [Scenario] = []
        if self.cast.count > 2 {
            let half = self.cast.count / 2
            worlds.append(self.with { $0.cast = Array(self.cast[..<half]) })
            worlds.append(self.with { $0.cast = Array(self.cast[half...]) })
        }
        if self.duration > .seconds(1) {
            worlds.append(self.with { $0.duration = self.duration / 2 })
        }
        worlds += self.withoutRarities
        if self.cast.count > 1 {
            worlds += self.cast.indices.map { index in
                self.with { $0.cast.remove(at: index) }
            }
        }
        if self.duration > .seconds(1) {
            worlds.append(self.with { $0.duration = self.duration * 3 / 4 })
        }
        return worlds
    }

    /// Worlds that lack one trait each that this one has.
    private var withoutRarities: [Scenario] {
        let isCalm = self.network == .calm && self.machine == .calm
        let traits: [(isThere: Bool, remove: (inout Scenario) -> Void)] = [
            (self.webClients > 0, { $0.webClients = 0 }),
            (self.pushes, { $0.pushes = false }),
            (self.reloads > 0, { $0.reloads = 0 }),
            (self.hasMoods, { $0.hasMoods = false }),
            (
                self.isFaulty || !isCalm,
                {
                    $0.isFaulty = false
                    $0.network = .calm
                    $0.machine = .calm
                }
            ),
            (self.machine != .calm, { $0.machine = .calm }),
            (self.endsSessions, { $0.endsSessions = false }),
            (self.hasKeyedFetches, { $0.hasKeyedFetches = false }),
            (self.fetchesForClients, { $0.fetchesForClients = false }),
            (self.fetches, { $0.fetches = false }),
            (self.hasSidePool, { $0.hasSidePool = false }),
            (self.hasHugeReplies, { $0.hasHugeReplies = false }),
            (self.outboxPacketsMax != nil, { $0.outboxPacketsMax = nil }),
            (self.inboxPacketsMax != nil, { $0.inboxPacketsMax = nil }),
            (self.clientPacketsMax != nil, { $0.clientPacketsMax = nil }),
            (self.packetTTL != nil, { $0.packetTTL = nil }),
            (self.attemptsMax != nil, { $0.attemptsMax = nil }),
            (self.targets > 1, { $0.targets = 1 }),
            (self.workers > 1, { $0.workers = 1 }),
        ]
        return traits.filter(\.isThere).map { self.with($0.remove) }
    }

    private func with(_ change: (inout Scenario) -> Void) -> Scenario {
        var scenario = self
        change(&scenario)
        return scenario
    }

    /// The simplest world that can be found from this one by leaving out one thing after the other, such that
    /// `fails` still holds; it is asked `attempts` times at most.
    func simplest(attempts: Int, _ fails: (Scenario) -> Bool) -> Scenario {
        var best = self
        var left = attempts
        search: while true {
            for candidate in best.simpler {
                guard left > 0 else { return best }
                left -= 1
                if fails(candidate) {
                    best = candidate
                    continue search
                }
            }
            return best
        }
    }
}

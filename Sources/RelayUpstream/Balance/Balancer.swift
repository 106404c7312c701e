import RelayConfig
import RelayEngine

/// Chooses a target by the pool's `balance`, on one event loop.
///
/// A state machine: it is told which targets may be chosen, and performs nothing. Targets with `backup` are
/// chosen only where no other can be.
struct Balancer {
    private let balance: PoolConfiguration.Balance
    private let weights: [Int]
    private let isBackup: [Bool]
    private let hasBackups: Bool
    private let hash: TargetHash
    private var turns: WeightedRoundRobin
    /// Where the next search for the fewest requests begins, so that equals take turns.
    private var start = 0
    private var random: LoopRandom

    /// The balancer of these targets.
    init(
        _ balance: PoolConfiguration.Balance,
        targets: [TargetConfiguration],
        random: LoopRandom
    ) {
        self.balance = balance
        self.weights = targets.map(\.weight)
        self.isBackup = targets.map(\.isBackup)
        self.hasBackups = targets.contains { $0.isBackup }
        self.hash = TargetHash(targets.map(\.url.text))
        self.turns = WeightedRoundRobin(count: targets.count)
        self.random = random
    }

    /// The next target; nil if none may be chosen.
    ///
    /// - Parameters:
    ///   - key: what the choice by hash goes by; nil: in turn.
    ///   - share: how much of its weight a target gets, in percent; 0: it may not be chosen.
    ///   - load: how many requests it has under way.
    mutating func next(key: BalanceKey?, share: (Int) -> Int, load: (Int) -> Int) -> Int? {
        let (weights, isBackup) = (self.weights, self.isBackup)
        let chosen = self.choose(
            key,
            weight: { isBackup[$0] ? 0 : weights[$0] * share($0) },
            load: load
        )
        guard chosen == nil, self.hasBackups else { return chosen }
        return self.choose(
            key,
            weight: { isBackup[$0] ? weights[$0] * share($0) : 0 },
            load: load
        )
    }

    private mutating func choose(
        _ key: BalanceKey?,
        weight: (Int) -> Int,
        load: (Int) -> Int
    ) -> Int? {
        switch self.balance {
        case .roundRobin:
            return self.turns.next(weight)
        case .leastRequests:
            return self.leastLoaded(weight, load)
        case .randomTwo:
            return self.better(weight, load)
        case .hash:
            guard let key else { return self.turns.next(weight) }
            return self.hash.target(for: key, weight)
        }
    }

    /// The one with the fewest requests for its weight; of equals the next in turn.
    private mutating func leastLoaded(_ weight: (Int) -> Int, _ load: (Int) -> Int) -> Int? {
        let count = self.weights.count
        var chosen: (target: Int, load: Int, weight: Int)?
        for step in 0..<count {
            let target = (self.start + step) % count
            let weight = weight(target)
            guard weight > 0 else { continue }
            // What it would have with this request.
            let load = load(target) + 1
            if let best = chosen, load * best.weight >= best.load * weight { continue }
            chosen = (target, load, weight)
        }
        if let chosen { self.start = (chosen.target + 1) % count }
        return chosen?.target
    }

    /// Two at random, by weight, and of them the one with fewer requests for its weight.
    ///
    /// Nearly as even as the fewest of all, and no herd: loops that see the same counts do not all choose the
    /// same target (Mitzenmacher, The Power of Two Choices, 2001).
    private mutating func better(_ weight: (Int) -> Int, _ load: (Int) -> Int) -> Int? {
        guard let first = self.random(without: nil, weight) else { return nil }
        guard let second = self.random(without: first, weight) else { return first }
        let isSecondBetter =
            (load(second) + 1) * weight(first) < (load(first) + 1) * weight(second)
        return isSecondBetter ? second : first
    }

    private mutating func random(without excluded: Int?, _ weight: (Int) -> Int) -> Int? {
        var total = 0
        for target in self.weights.indices where target != excluded { total += weight(target) }
        guard total > 0 else { return nil }
        var rest = Int.random(in: 0..<total, using: &self.random)
        for target in self.weights.indices where target != excluded {
            rest -= weight(target)
            if rest < 0 { return target }
        }
        return nil
    }
}

import RelayConfig
import RelayEngine
import SimulatedSystem
import Testing

@testable import RelayUpstream

struct BalancerTests {
    private static func targets(
        _ weights: [Int],
        backups: Set<Int> = []
    ) -> [TargetConfiguration] {
        weights.enumerated().map { index, weight in
            var target = TargetConfiguration(url: .tcp("10.0.0.\(index)", 80))
            target.weight = weight
            target.isBackup = backups.contains(index)
            return target
        }
    }

    private static func balancer(
        _ balance: PoolConfiguration.Balance,
        _ weights: [Int],
        backups: Set<Int> = [],
        seed: UInt64 = 1
    ) -> Balancer {
        Balancer(
            balance,
            targets: Self.targets(weights, backups: backups),
            random: LoopRandom(seed: seed)
        )
    }

    private static func key(_ number: Int) -> BalanceKey {
        let bytes = Array("client \(number)".utf8)
        return BalanceKey(bytes.span)
    }

    private static let allWays: [PoolConfiguration.Balance] = [
        .roundRobin, .leastRequests, .randomTwo, .hash(.clientAddress),
    ]

    // MARK: Every way

    @Test(arguments: allWays)
    func `never chooses what may not be chosen`(balance: PoolConfiguration.Balance) {
        var generator = SeededGenerator(seed: 7)
        var balancer = Self.balancer(balance, [1, 5, 2, 1], backups: [3])
        for number in 0..<1000 {
            let open = (0..<4).map { _ in Bool.random(using: &generator) }
            let chosen = balancer.next(
                key: Bool.random(using: &generator) ? Self.key(number) : nil,
                share: { open[$0] ? 100 : 0 },
                load: { $0 }
            )
            if let chosen {
                #expect(open[chosen])
                #expect(chosen != 3 || !open[0...2].contains(true))
            } else {
                #expect(!open.contains(true))
            }
        }
    }

    @Test(arguments: allWays)
    func `gives every target its share by weight`(balance: PoolConfiguration.Balance) {
        var balancer = Self.balancer(balance, [1, 3, 6])
        var counts = [0, 0, 0]
        for number in 0..<10_000 {
            // What was sent stays under way, so that the counts are what the fewest go by.
            let loads = counts
            let chosen = balancer.next(
                key: Self.key(number),
                share: { _ in 100 },
                load: { loads[$0] }
            )
            if let chosen { counts[chosen] += 1 }
        }
        for (count, expected) in zip(counts, [1000, 3000, 6000]) {
            #expect(abs(count - expected) < 250, "\(counts)")
        }
    }

    @Test(arguments: allWays)
    func `a share below the whole counts as less weight`(balance: PoolConfiguration.Balance) {
        var balancer = Self.balancer(balance, [1, 1])
        var counts = [0, 0]
        for number in 0..<11_000 {
            let loads = counts
            let chosen = balancer.next(
                key: Self.key(number),
                share: { $0 == 0 ? 10 : 100 },
                load: { loads[$0] }
            )
            if let chosen { counts[chosen] += 1 }
        }
        #expect(abs(counts[0] - 1000) < 250, "\(counts)")
    }

    // MARK: By requests

    @Test func `takes the fewest requests for the weight, equals in turn`() {
        var balancer = Self.balancer(.leastRequests, [1, 1, 2])
        let (none, some) = ([0, 0, 9], [3, 2, 6])
        let first = (0..<4).map { _ in
            balancer.next(key: nil, share: { _ in 100 }, load: { none[$0] })
        }
        #expect(first == [0, 1, 0, 1])
        let second = balancer.next(key: nil, share: { _ in 100 }, load: { some[$0] })
        #expect(second == 1)
    }

    @Test func `of two at random the one with more requests never wins`() {
        for seed in UInt64(0)..<200 {
            var balancer = Self.balancer(.randomTwo, [1, 1, 1, 1], seed: seed)
            let chosen = balancer.next(key: nil, share: { _ in 100 }, load: { $0 == 2 ? 9 : 0 })
            #expect(chosen != 2, "seed \(seed)")
        }
    }

    // MARK: By hash

    @Test(arguments: [2, 3, 5, 10, 50])
    func `losing one of N targets moves its keys alone, about one in N`(count: Int) {
        for weights in [
            [Int](repeating: 1, count: count), (0..<count).map { 1 + $0 % 3 },
        ] {
            let hash = TargetHash(Self.targets(weights).map(\.url.text))
            let total = weights.reduce(0, +)
            let keys = 10_000
            for lost in [0, count - 1] {
                var moved = 0
                for number in 0..<keys {
                    let key = Self.key(number)
                    let before = hash.target(for: key) { weights[$0] }
                    let after = hash.target(for: key) { $0 == lost ? 0 : weights[$0] }
                    if before != lost {
                        #expect(before == after)
                    } else {
                        moved += 1
                        #expect(after != lost)
                    }
                }
                let expected = Double(keys * weights[lost]) / Double(total)
                // Five standard deviations of a binomial distribution.
                #expect(abs(Double(moved) - expected) < 5 * expected.squareRoot())
            }
        }
    }

    @Test func `keys of a lost target spread over all others`() {
        let hash = TargetHash(Self.targets([1, 1, 1, 1]).map(\.url.text))
        var taken: [Int?: Int] = [:]
        for number in 0..<4000 {
            let key = Self.key(number)
            guard hash.target(for: key, { _ in 1 }) == 0 else { continue }
            taken[hash.target(for: key) { $0 == 0 ? 0 : 1 }, default: 0] += 1
        }
        #expect(taken.count == 3)
        #expect(taken.values.allSatisfy { (250...420).contains($0) }, "\(taken)")
    }

    @Test func `does not depend on the order of the targets`() {
        let targets = Self.targets([1, 1, 1, 1, 1])
        let hash = TargetHash(targets.map(\.url.text))
        let reversed = TargetHash(targets.reversed().map(\.url.text))
        for number in 0..<500 {
            let target = hash.target(for: Self.key(number)) { _ in 1 }
            let other = reversed.target(for: Self.key(number)) { _ in 1 }
            #expect(target == other.map { 4 - $0 })
        }
    }

    @Test func `without a key it goes in turn`() {
        var balancer = Self.balancer(.hash(.clientID), [1, 1])
        let chosen = (0..<4).map { _ in
            balancer.next(key: nil, share: { _ in 100 }, load: { _ in 0 })
        }
        #expect(chosen == [0, 1, 0, 1])
    }

    @Test func `addresses that are neighbours have different keys`() {
        let keys = (0..<256).map { BalanceKey(IPAddress.v4(0x0A00_0000 + UInt32($0))) }
        #expect(Set(keys).count == 256)
        #expect(BalanceKey(.v6(high: 1, low: 2)) != BalanceKey(.v6(high: 2, low: 1)))
    }
}

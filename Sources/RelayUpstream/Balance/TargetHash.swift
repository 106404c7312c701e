import Glibc
package import RelayConfig

/// What the choice of a target by hash goes by: the same key, the same target for as long as it can be used.
package struct BalanceKey: Sendable, Hashable {
    /// Well mixed bits.
    let bits: UInt64

    /// The key of these bytes.
    ///
    /// FNV-1a, mixed: whoever knows it can choose his target, which he can as well by trying.
    package init(_ bytes: Span<UInt8>) {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for index in bytes.indices {
            hash = (hash ^ UInt64(bytes[index])) &* 0x0000_0100_0000_01B3
        }
        self.bits = mixed(hash)
    }

    /// The key of a client at this address.
    package init(_ address: IPAddress) {
        self.bits =
            switch address {
            case .v4(let bits): mixed(UInt64(bits) &+ 1)
            case .v6(let high, let low): mixed(mixed(high) ^ low)
            }
    }
}

/// Rendezvous hashing: every target draws a lot for a key, and the best lot wins (Thaler and Ravishankar, 1998).
///
/// If a target is lost then only its keys move, each to the target with the next lot, which spreads them over
/// all others; if it comes back they come back. Weighted lots (-weight / ln(u), Schindelhauer and Schomaker,
/// 2005) give every target its share. Costs a multiplication per target, and a logarithm where weights differ.
struct TargetHash {
    /// A number for each target, of its name: the lots do not depend on the order of the targets.
    private let seeds: [UInt64]

    /// Targets of these names.
    init(_ names: [String]) {
        self.seeds = names.map { name in
            let bytes = Array(name.utf8)
            return BalanceKey(bytes.span).bits
        }
    }

    /// The target of a key among those whose weight is not 0; nil if there is none.
    func target(for key: BalanceKey, _ weight: (Int) -> Int) -> Int? {
        var chosen: (target: Int, lot: UInt64, weight: Int)?
        for target in self.seeds.indices {
            let weight = weight(target)
            guard weight > 0 else { continue }
            let lot = mixed(key.bits ^ self.seeds[target])
            guard let best = chosen else {
                chosen = (target, lot, weight)
                continue
            }
            let isBetter =
                weight == best.weight
                ? lot > best.lot : Self.score(lot, weight) > Self.score(best.lot, best.weight)
            if isBetter { chosen = (target, lot, weight) }
        }
        return chosen?.target
    }

    /// Grows with the lot, so that for equal weights the lots alone decide the same.
    private static func score(_ lot: UInt64, _ weight: Int) -> Double {
        // Between 0 and 1, neither of which it is.
        let share = (Double(lot >> 11) + 0.5) * 0x1p-53
        return -Double(weight) / log(share)
    }
}

/// The finaliser of SplitMix64: every bit of the input changes half of the output's.
func mixed(_ bits: UInt64) -> UInt64 {
    var mixed = bits
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
}

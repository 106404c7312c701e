import RelayConfig
import RelayEngine
import RelayObservation

/// Which target a request goes to.
extension UpstreamPool {
    /// The next target by `balance` among those that are usable, not ejected and not in `tried`.
    ///
    /// A target that is down and due for a probe comes first, for one caller per target and backoff step; while
    /// none is usable everybody else gets nil. What a caller got, it must use: `start` tells the pool how it
    /// ended. Where all that are usable are ejected, all of them are used. `key` is what the choice by hash goes by; without one it is in turn.
    package func pickTarget(excluding tried: TargetSet, key: BalanceKey?) -> Int? {
        let now = self.loop.now
        let targets = self.shared.targets
        for index in targets.indices where !tried.contains(index) {
            if targets[index].claimProbe(at: now) { return index }
        }
        var ejection = self.shared.ejection
        if let ejected = ejection,
            !targets.indices.contains(where: {
                targets[$0].isUsable && !ejected.isEjected($0, at: now)
            })
        {
            ejection = nil
        }
        return self.balancer.next(
            key: key,
            share: { target in
                guard !tried.contains(target), targets[target].isUsable,
                    !(ejection?.isEjected(target, at: now) ?? false)
                else { return 0 }
                return self.share(of: target, at: now)
            },
            load: { targets[$0].underWay.value }
        )
    }

    /// The same without a key.
    package func pickTarget(excluding tried: TargetSet) -> Int? {
        self.pickTarget(excluding: tried, key: nil)
    }

    /// Whether some target is usable as far as is known.
    package var isUsable: Bool { self.shared.targets.contains(where: \.isUsable) }

    /// How much of its weight a target gets, in percent: less during `slow_start`, in which it grows with the time.
    private func share(of target: Int, at now: MonotonicTime) -> Int {
        let whole = self.configuration.slowStart
        guard whole > .zero else { return 100 }
        let connected = self.shared.targets[target].upSince
        let readmitted = self.shared.ejection?.readmitted(target, at: now)
        guard let since = connected.map({ max($0, readmitted ?? $0) }) ?? readmitted else {
            return 100
        }
        let up = now - since
        guard up < whole else { return 100 }
        return max(Int(100 * max(up, .zero).wholeNanoseconds / whole.wholeNanoseconds), 1)
    }
}

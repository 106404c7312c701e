import RelayConfig
import RelayStore

/// The fetches of the targets that are this loop's.
extension PacketLoop {
    /// Begins the fetches of new pools, ends those of pools that are gone or whose targets were made
    /// anew, and lets the others go on.
    func updateFetchers() {
        var kept: [PoolID: [Fetcher]] = [:]
        for (id, fetchers) in self.fetchers {
            for fetcher in fetchers {
                if let pool = self.pools[id], pool.targets === fetcher.pool.targets,
                    pool.configuration.fetch == fetcher.pool.configuration.fetch
                {
                    fetcher.pool = pool
                    kept[id, default: []].append(fetcher)
                } else {
                    fetcher.stop()
                }
            }
        }
        self.fetchers = kept
        guard self.draining == nil else { return }
        for pool in self.pools.values where kept[pool.id] == nil { self.beginFetches(of: pool) }
    }

    private func beginFetches(of pool: PacketPool) {
        guard pool.configuration.fetch.mode == .pool else { return }
        var fetchers: [Fetcher] = []
        for target in 0..<pool.targets.targetCount
        where self.loopOfFetches(pool, from: target) == Int(self.index) {
            for _ in 0..<pool.configuration.fetch.connections {
                fetchers.append(Fetcher(self, pool: pool, target: target))
            }
        }
        self.fetchers[pool.id] = fetchers
        for fetcher in fetchers { fetcher.start() }
    }

    /// The loop that has all fetches of a target, so that their number holds.
    ///
    /// Where a pool begins depends on its name alone, so that no reload moves them while they run.
    private func loopOfFetches(_ pool: PacketPool, from target: Int) -> Int {
        let first = pool.name.utf8.reduce(0) { ($0 + Int($1)) % self.loopCount }
        return (first + target) % self.loopCount
    }

    /// A target's answer to a packet says that there are more: it is asked now.
    func fetchAtOnce(_ pool: PacketPool, from target: Int) {
        guard pool.configuration.fetch.mode != .off else { return }
        let id = pool.id
        let loop = self.loopOfFetches(pool, from: target)
        guard loop != Int(self.index) else { return self.hurryFetch(id, from: target) }
        self.relay?.perform(on: loop) { $0.hurryFetch(id, from: target) }
    }

    private func hurryFetch(_ pool: PoolID, from target: Int) {
        for fetcher in self.fetchers[pool] ?? [] where fetcher.target == target {
            if fetcher.hurry() { return }
        }
    }
}

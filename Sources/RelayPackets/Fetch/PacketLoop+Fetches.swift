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
        // All fetches of a target are on one loop, so that their number holds; where a pool begins
        // depends on its name alone, so that no reload moves them while they run.
        let first = pool.name.utf8.reduce(0) { ($0 + Int($1)) % self.loopCount }
        var fetchers: [Fetcher] = []
        for target in 0..<pool.targets.targetCount
        where (first + target) % self.loopCount == Int(self.index) {
            for _ in 0..<pool.configuration.fetch.connections {
                fetchers.append(Fetcher(self, pool: pool, target: target))
            }
        }
        self.fetchers[pool.id] = fetchers
        for fetcher in fetchers { fetcher.start() }
    }
}

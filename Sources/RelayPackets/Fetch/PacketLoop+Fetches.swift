import Logging
import RelayConfig
import RelayObservation
import RelayPipeline
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
        self.updateClientFetches()
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
    func loopOfFetches(_ pool: PacketPool, from target: Int) -> Int {
        let first = pool.name.utf8.reduce(0) { ($0 + Int($1)) % self.loopCount }
        return (first + target) % self.loopCount
    }

    /// A target's answer to a packet says that there are more: it is asked now.
    func fetchAtOnce(_ pool: PacketPool, from target: Int) {
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

    /// Begins no fetch any more.
    func stopFetches() {
        for fetcher in self.fetchers.values.joined() { fetcher.stop() }
        self.fetchers = [:]
        for fetches in self.clientFetches.values { fetches.stop() }
    }

    // MARK: What came of a fetch

    /// Stores the packet that a fetch brought, which had `said` that these keys are stored.
    ///
    /// - Returns: whether there was one. A body that is for nobody counts as none here: an endpoint that says
    ///   'ok' to everything would be asked without a pause.
    func storeFetched(
        _ answer: inout BackendAnswer,
        of pool: PacketPool,
        from target: Int,
        said: [[UInt8]]
    ) -> Bool {
        if !pool.targetsFailingFetches.isEmpty { pool.targetsFailingFetches.remove(target) }
        if answer.hasInvalidKey { self.logInvalidKey(of: pool) }
        if let key = answer.key {
            let key = FetchKey(pool: pool.id, text: key)
            let origin = FetchOrigin(key: key, target: target, loop: self.index)
            // A backend that gives what it has just been told of does not listen, and is not hurried.
            return self.storeFetched(&answer, origin, of: pool) && !said.contains(key.text)
        }
        guard let reply = self.usableReply(&answer, of: pool) else { return false }
        self.operate { store, now, effects in
            _ = store.append(
                reply,
                in: pool.realm,
                ticket: Ticket(loop: self.index, handle: ExchangeHandle.none.rawValue),
                at: now,
                &effects
            )
        }
        return true
    }

    /// The same for a packet with a key.
    private func storeFetched(
        _ answer: inout BackendAnswer,
        _ origin: FetchOrigin,
        of pool: PacketPool
    ) -> Bool {
        if answer.hasInvalidSender { self.logInvalidSender(of: pool) }
        let packet: FetchedPacket
        switch answer.takePacket() {
        case .none:
            return false
        case .reply(let reply):
            packet = .reply(reply)
        case .unusable(let contents, let reason, let client):
            packet = .unusable(contents, reason, for: client)
        }
        self.operate { store, now, effects in
            _ = store.fetched(packet, origin, in: pool.realm, at: now, &effects)
        }
        // A body that is for nobody hurries nobody, as one without a key.
        if case .reply = packet { return true }
        return false
    }

    /// A fetch has failed; `isKnown` if the pool has said why already.
    ///
    /// - Parameter hint: what the line of the first failure says besides.
    func logFailedFetch(
        of pool: PacketPool,
        from target: Int,
        reason: String,
        hint: String = "",
        isKnown: Bool = false
    ) {
        self.counters.fetchesFailed.add(loop: Int(self.index))
        // Once for all fetches of the target, which this loop has to itself.
        let isFirst = pool.targetsFailingFetches.insert(target).inserted
        let targets = pool.configuration.targets
        self.logger.log(
            level: isFirst && !isKnown ? .warning : .debug,
            isFirst ? "fetch failed\(hint)" : "fetch failed",
            metadata: [
                "pool": "\(pool.name)",
                "target": "\(targets.indices.contains(target) ? targets[target].url.text : "")",
                "reason": "\(reason)",
            ]
        )
    }
}

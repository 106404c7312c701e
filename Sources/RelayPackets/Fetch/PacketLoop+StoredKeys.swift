import RelayObservation
import RelayStore
import RelayUpstream

/// What targets are told of the packets that they gave with a key.
///
/// It is said by the loop that fetched, in all its requests to the target.
extension PacketLoop {
    /// A fetched packet with a key has been dealt with.
    func fetched(_ origin: FetchOrigin, isStored: Bool) {
        if isStored { self.counters.storedToClient.add(loop: Int(self.index)) }
        let target = FetchTarget(pool: origin.key.pool, target: origin.target)
        self.storedKeys[target, default: StoredKeys()].insert(origin.key.text)
    }

    /// Adds `Stored` to a request if there is something to say to its target.
    ///
    /// - Returns: the keys that it says, for `answered`.
    func sayStoredKeys(in request: UpstreamRequest, of pool: PacketPool) -> [[UInt8]] {
        guard !self.storedKeys.isEmpty,
            let keys = self.storedKeys[FetchTarget(pool: pool.id, target: request.target)]
        else { return [] }
        return keys.appendField(to: &request.fields)
    }

    /// A request to a target, which `said` that these keys are stored, was answered: does what an answer asks
    /// for whatever its status and whether or not it carries a packet.
    ///
    /// - Parameter endedSessions: the clients whose sessions the answer ends.
    func answered(
        by target: Int,
        of pool: PacketPool,
        endedSessions: [ClientName],
        said: [[UInt8]]
    ) {
        self.endSessions(of: endedSessions, in: pool.realm)
        self.keysSaid(said, to: target, of: pool)
    }

    /// A request that said these keys was answered.
    private func keysSaid(_ said: [[UInt8]], to target: Int, of pool: PacketPool) {
        guard !said.isEmpty else { return }
        let target = FetchTarget(pool: pool.id, target: target)
        self.storedKeys[target]?.answered(said)
        if self.storedKeys[target]?.isEmpty == true { self.storedKeys[target] = nil }
    }

    /// Forgets what was to be said to targets that are gone, by the pools as they were.
    func forgetStoredKeys(of before: [PoolID: PacketPool]) {
        for target in Array(self.storedKeys.keys)
        where self.pools[target.pool]?.targets !== before[target.pool]?.targets {
            self.storedKeys[target] = nil
        }
    }
}

import RelayEngine
import RelayStore

/// What a reload changes.
extension PacketLoop {
    /// The pools that take packets from now on; on the loop, at start and at each reload.
    ///
    /// Lanes and fetches go on where their pool is still there; packets for one that is not wait in
    /// the store, and are taken up within a second when a later generation brings it back.
    package func install(_ pools: [PacketPool]) {
        self.loop.assertOnLoop()
        let before = self.pools
        self.pools = Dictionary(pools.map { ($0.id, $0) }) { first, _ in first }
        if !self.storedKeys.isEmpty { self.forgetStoredKeys(of: before) }
        self.poolsReplaced()
        self.updateFetchers()
    }
}

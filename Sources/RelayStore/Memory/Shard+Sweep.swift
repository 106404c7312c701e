/// What happens without anybody asking for it: sessions and packets run out, records are forgotten.
extension Shard {
    /// Looks after 64 records, so that the lock is never held for long.
    ///
    /// - Returns: the claims of the sessions that have ended.
    mutating func sweep(
        chunk: Int,
        at now: StoreInstant,
        _ effects: inout Effects
    ) -> [TokenClaim] {
        var ended: [TokenClaim] = []
        for place in SetBits(self.clients.occupied(inChunk: chunk)) {
            let slot = UInt32(chunk * Slab<ClientRecord>.chunkSize + place)
            if self.clients[slot].session?.isLive(at: now) == false,
                let claim = self.endSession(slot, &effects)
            {
                ended.append(claim)
            }
            self.expireOutbox(slot, at: now, &effects)
            self.expireLanes(slot, at: now, &effects)
            self.expireExtras(slot, at: now, &effects)
            if self.clients[slot].isForgettable { self.removeClient(slot) }
        }
        return ended
    }

    /// Gives back the memory of what has gone.
    mutating func releaseMemory() {
        self.clients.releaseVacantChunks()
        self.packets.releaseVacantChunks()
        self.extras.releaseVacantChunks()
        self.slots.shrinkIfSparse()
    }

    /// Lanes that are nobody's go with their last packet; the owner of another one asks for it.
    private mutating func expireLanes(
        _ slot: UInt32,
        at now: StoreInstant,
        _ effects: inout Effects
    ) {
        for lane in self.clients[slot].lanes.indices.reversed() {
            self.expireLane(slot, lane, at: now, &effects)
            if self.clients[slot].lanes[lane].isUnowned, self.clients[slot].lanes[lane].isEmpty {
                self.clients[slot].lanes.remove(at: lane)
                self.counts.unownedLanes -= 1
            }
        }
    }
}

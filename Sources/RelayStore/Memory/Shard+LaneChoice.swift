/// Which of a client's lanes to a pool a packet takes.
///
/// Where packets keep their order there is one. Where they need not, a client has up to
/// ``Lane/lanesMax``, and whichever is free takes the oldest packet that waits behind another one.
extension Shard {
    /// The lane on which a new packet goes to a pool.
    ///
    /// Where packets may overtake each other it is a lane of its own while there may be one more, then
    /// the shortest, but first one that nobody has taken up.
    mutating func laneForPacket(_ slot: UInt32, to pool: PoolID) -> Int {
        guard !self.keepsOrder(slot) else { return self.firstLane(slot, to: pool) }
        if let number = self.freeLaneNumber(slot, to: pool) {
            return self.appendLane(slot, to: pool, number: number)
        }
        var best: (lane: Int, isUnowned: Bool, count: Int)?
        for index in self.clients[slot].lanes.indices {
            let lane = self.clients[slot].lanes[index]
            guard lane.pool == pool else { continue }
            let isBetter =
                best.map {
                    $0.isUnowned == lane.isUnowned ? lane.count < $0.count : lane.isUnowned
                } ?? true
            if isBetter { best = (index, lane.isUnowned, lane.count) }
        }
        return best?.lane ?? self.firstLane(slot, to: pool)
    }

    /// The lane of a packet that was kept, behind those restored before it.
    ///
    /// One on which attempts were made is the first of its lane.
    mutating func laneForKeptPacket(
        _ slot: UInt32,
        to pool: PoolID,
        wasTried: Bool
    ) -> Int {
        if wasTried, let number = self.freeLaneNumber(slot, to: pool) {
            return self.appendLane(slot, to: pool, number: number)
        }
        return self.firstLane(slot, to: pool)
    }

    /// Sends what waits behind other packets, as far as lanes may be added, where packets may overtake
    /// each other.
    mutating func spread(
        _ slot: UInt32,
        to pool: PoolID,
        by loop: UInt16,
        at now: StoreInstant,
        _ effects: inout Effects
    ) {
        guard !self.keepsOrder(slot) else { return }
        while let number = self.freeLaneNumber(slot, to: pool) {
            let lane = self.appendLane(slot, to: pool, number: number)
            guard self.takeFromOtherLane(slot, lane) else {
                self.clients[slot].lanes.remove(at: lane)
                return
            }
            self.sendFirst(slot, lane, by: loop, at: now, &effects)
        }
    }

    /// Moves the oldest packet that waits behind another one of the same client and pool to a lane
    /// without packets.
    ///
    /// - Returns: whether there is one, and packets may overtake each other.
    mutating func takeFromOtherLane(_ slot: UInt32, _ lane: Int) -> Bool {
        guard self.clients[slot].lanes.count > 1, !self.keepsOrder(slot) else { return false }
        let pool = self.clients[slot].lanes[lane].pool
        var oldest: (lane: Int, number: PacketNumber)?
        for index in self.clients[slot].lanes.indices
        where index != lane && self.clients[slot].lanes[index].pool == pool {
            guard let number = self.clients[slot].lanes[index].secondNumber(in: self.packets)
            else { continue }
            if oldest.map({ number < $0.number }) ?? true { oldest = (index, number) }
        }
        guard let oldest else { return false }
        var other = self.clients[slot].lanes[oldest.lane]
        self.clients[slot].lanes[lane].takeSecond(of: &other, in: &self.packets)
        self.clients[slot].lanes[oldest.lane] = other
        return true
    }

    private func keepsOrder(_ slot: UInt32) -> Bool {
        self.rules.realms[self.clients[slot].realm.index].settings.keepsOrder
    }

    private mutating func firstLane(_ slot: UInt32, to pool: PoolID) -> Int {
        self.clients[slot].lane(to: pool, number: 0)
            ?? self.appendLane(slot, to: pool, number: 0)
    }

    /// The lowest number that no lane to the pool has; nil if there may be no more.
    private func freeLaneNumber(_ slot: UInt32, to pool: PoolID) -> UInt8? {
        var taken: UInt64 = 0
        for index in self.clients[slot].lanes.indices
        where self.clients[slot].lanes[index].pool == pool {
            taken |= 1 << UInt64(self.clients[slot].lanes[index].number)
        }
        let number = (~taken).trailingZeroBitCount
        return number < Lane.lanesMax ? UInt8(number) : nil
    }

    private mutating func appendLane(_ slot: UInt32, to pool: PoolID, number: UInt8) -> Int {
        self.clients[slot].lanes.append(Lane(to: pool, number: number))
        return self.clients[slot].lanes.count - 1
    }
}

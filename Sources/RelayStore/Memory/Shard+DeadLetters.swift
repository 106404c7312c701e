/// Dead letters that are packets again.
extension Shard {
    /// Puts a packet that was a dead letter at the end of its client's lane; the first loop sends it if the lane is
    /// nobody's.
    ///
    /// - Returns: its number.
    mutating func sendAgain(
        _ contents: PacketContents,
        from client: ClientName,
        in realm: RealmID,
        to pool: PoolID,
        number: PacketNumber?,
        at now: StoreInstant,
        _ effects: inout Effects
    ) -> PacketNumber {
        let number = number.map(self.numbers.take) ?? self.numbers.next(at: now)
        let slot: UInt32
        if let known = self.slot(of: client, in: realm) {
            slot = known
        } else {
            _ = self.rules.realms[realm.index].strangers.add(max: .max)
            slot = self.insertClient(client, in: realm, isStranger: true)
        }
        _ = self.rules.pools[pool.index].account.add(
            bytes: contents.byteCount,
            packetsMax: .max,
            bytesMax: .max
        )
        let packet = StoredPacket(contents, number: number, storedAt: now.nanoseconds)
        self.enqueue(packet, slot, to: pool, by: 0, at: now, &effects)
        return number
    }
}

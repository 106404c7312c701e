/// The keys by which clients name their packets: what one of them sends again is not stored again.
extension PacketStore {
    /// Whether the session's client has sent a packet with this key within the dedupe window; false
    /// for a session that has ended.
    package func hasSeen(_ key: PacketKey, from session: Session, at now: StoreInstant) -> Bool {
        self.withShard(session.client.shard) { shard in
            guard let slot = shard.slot(of: session) else { return false }
            return shard.hasSeen(key, slot, at: now)
        }
    }

    /// The same, with what follows from it.
    ///
    /// Effects: `.duplicate` if it has.
    func isRepeat(
        _ key: PacketKey?,
        from session: Session,
        ticket: Ticket,
        at now: StoreInstant,
        _ effects: inout Effects
    ) -> Bool {
        guard let key, self.hasSeen(key, from: session, at: now) else { return false }
        effects.append(.duplicate(ticket))
        return true
    }

    /// Remembers the key of a packet that is about to be stored.
    ///
    /// False if another thread has been faster, or the session has ended.
    func claim(_ key: PacketKey, from session: Session, at now: StoreInstant) -> Bool {
        self.withShard(session.client.shard) { shard in
            guard let slot = shard.slot(of: session), !shard.hasSeen(key, slot, at: now) else {
                return false
            }
            shard.remember(key, slot, at: now)
            return true
        }
    }
}

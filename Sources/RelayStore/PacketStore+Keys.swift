import Synchronization

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
    func claim(
        _ key: PacketKey,
        _ number: PacketNumber?,
        from session: Session,
        at now: StoreInstant,
        _ effects: inout Effects
    ) -> Bool {
        self.withShard(session.client.shard) { shard in
            guard let slot = shard.slot(of: session), !shard.hasSeen(key, slot, at: now) else {
                return false
            }
            shard.remember(key, slot, number: number, at: now, &effects)
            return true
        }
    }

    // MARK: For a journal

    /// Whether the keys of the realm's clients are remembered.
    func remembersKeys(in realm: RealmID) -> Bool {
        // Every shard has the rules.
        self.withShard(0) { $0.rules.realms[realm.index].remembersKeys }
    }

    /// The longest time for which the keys of any realm are remembered, in nanoseconds.
    var longestDedupeWindow: UInt64 {
        self.withShard(0) { $0.rules.realms.reduce(0) { max($0, $1.dedupeWindow) } }
    }

    /// How long, in nanoseconds, and how many keys of pushed packets are remembered in each realm.
    var dedupeLimits: [(realm: RealmID, window: UInt64, keysMax: Int)] {
        self.withShard(0) { shard in
            shard.rules.realms.enumerated().map { index, realm in
                (RealmID(index: index), realm.dedupeWindow, realm.settings.dedupeKeysMax)
            }
        }
    }

    /// A packet was pushed in the realm with this key, at a time in nanoseconds, and before those restored until
    /// now.
    func restorePushKey(
        _ key: PacketKey,
        in realm: RealmID,
        _ numbers: [PacketNumber],
        at time: UInt64
    ) {
        self.pushKeys.withLock { $0.restore(key, in: realm, numbers, at: time) }
    }

    /// A backend gave a packet with this key, which is known for so many nanoseconds from now on.
    func restoreFetchKey(_ key: FetchKey, window: UInt64, at now: StoreInstant) {
        self.fetchKeys.withLock { $0.finish(key, window: window, at: now) }
    }

    /// A key of the client's packet with this number, behind those restored before; it came at this
    /// time, in nanoseconds.
    func restoreKey(
        _ key: PacketKey,
        of packet: PacketNumber,
        at time: UInt64,
        from client: ClientHandle
    ) {
        self.withShard(client.shard) { shard in
            guard let slot = shard.slot(of: client) else { return }
            // How many are kept is known only with the configuration: the next key sees to it.
            let extras = shard.extras(of: slot)
            shard.extras[extras].seen.insert(key, of: packet, at: time)
        }
    }
}

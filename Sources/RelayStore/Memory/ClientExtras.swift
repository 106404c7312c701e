/// What the store knows of few clients only: it stands in a table of its own, so that all others do
/// not pay for it.
struct ClientExtras: Sendable {
    /// The place of a record that has none.
    static let none = UInt32.max

    /// The keys of packets that the client sent.
    var seen = SeenKeys()

    /// The packets that the client has lost.
    var losses: Losses

    /// No keys and no losses; see `Losses.init`.
    init(lossBase: UInt64) {
        self.losses = Losses(base: lossBase)
    }
}

extension Shard {
    /// Whether the client has sent a packet with this key within the dedupe window.
    mutating func hasSeen(_ key: PacketKey, _ slot: UInt32, at now: StoreInstant) -> Bool {
        let extras = self.clients[slot].extras
        guard extras != ClientExtras.none else { return false }
        let window = self.rules.realms[self.clients[slot].realm.index].dedupeWindow
        self.extras[extras].seen.expire(window: window, at: now)
        return self.extras[extras].seen.contains(key)
    }

    /// Remembers a key that was not seen; the oldest ones of the client go out if there are too many.
    ///
    /// - Parameter number: that of its packet, if a journal has the key under it.
    mutating func remember(
        _ key: PacketKey,
        _ slot: UInt32,
        number: PacketNumber?,
        at now: StoreInstant,
        _ effects: inout Effects
    ) {
        let realm = self.rules.realms[self.clients[slot].realm.index]
        guard realm.remembersKeys else { return }
        let extras = self.extras(of: slot)
        while self.extras[extras].seen.count >= realm.settings.dedupeKeysMax,
            let oldest = self.extras[extras].seen.removeOldest()
        {
            if self.isJournaled { effects.changes.append(.keyForgotten(oldest)) }
        }
        self.extras[extras].seen.insert(key, of: number ?? 0, at: now.nanoseconds)
    }

    /// Forgets what has run out, and the whole if nothing is left.
    ///
    /// Of a client without a session losses are kept as long as a packet would wait, so that it hears
    /// of them when it comes back; of one that never logged in they are not.
    mutating func expireExtras(
        _ slot: UInt32,
        at now: StoreInstant,
        _ effects: inout Effects
    ) {
        let extras = self.clients[slot].extras
        guard extras != ClientExtras.none else { return }
        let rules = self.rules.realms[self.clients[slot].realm.index]
        self.extras[extras].seen.expire(window: rules.dedupeWindow, at: now)
        self.extras[extras].seen.releaseMemory()
        guard self.extras[extras].seen.isEmpty else { return }
        let losses = self.extras[extras].losses
        let isAway = self.clients[slot].session == nil
        let isOver =
            self.clients[slot].isStranger || now.nanoseconds(since: losses.lastAt) > rules.packetTTL
        guard losses.notice == nil || isAway && isOver else { return }
        self.lossBase = max(self.lossBase, losses.total)
        self.lossesTold(slot, losses.notice?.count ?? 0, &effects)
        self.extras.remove(extras)
        self.clients[slot].extras = ClientExtras.none
    }

    /// The place of the client's extras, which are made if it has none.
    mutating func extras(of slot: UInt32) -> UInt32 {
        if self.clients[slot].extras == ClientExtras.none {
            self.clients[slot].extras = self.extras.insert(ClientExtras(lossBase: self.lossBase))
        }
        return self.clients[slot].extras
    }
}

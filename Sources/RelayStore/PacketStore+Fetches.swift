import Synchronization

/// Packets that backends give with a key when they are asked.
extension PacketStore {
    /// Stores a packet that came by fetch under a key, once however often it comes within the dedupe window of the
    /// realm.
    ///
    /// Effects: `.fetched` once it has been dealt with, for every time that it comes after that, too; and for
    /// others. One that comes while the first is being written is not stored and has no effect: it comes again.
    package func fetched(
        _ packet: FetchedPacket,
        _ origin: FetchOrigin,
        in realm: RealmID,
        at now: StoreInstant,
        _ effects: inout Effects
    ) -> Progress {
        switch self.fetchKeys.withLock({ $0.begin(origin.key, at: now) }) {
        case .dealtWith:
            effects.append(.fetched(origin, isStored: false))
            return .done
        case .storing:
            return .pending
        case .new:
            break
        }
        if let progress = self.journaled(.fetched(packet, origin, in: realm), &effects) {
            return progress
        }
        self.fetchWritten(packet, origin, in: realm, at: now, &effects)
        return .done
    }

    func fetchWritten(
        _ packet: FetchedPacket,
        _ origin: FetchOrigin,
        in realm: RealmID,
        number: PacketNumber? = nil,
        at now: StoreInstant,
        _ effects: inout Effects
    ) {
        var isStored = false
        switch packet {
        case .reply(let reply):
            isStored = true
            _ = self.store(reply, in: realm, number: number, at: now, &effects)
            self.bury(&effects)
        case .unusable(let contents, let reason, nil):
            self.bury(contents, reason, of: nil, origin, in: realm, at: now, &effects)
        case .unusable(let contents, let reason, let recipients?):
            recipients.forEach {
                self.bury(contents, reason, of: $0, origin, in: realm, at: now, &effects)
            }
        }
        // Last: what is said to be dealt with must be.
        let window = self.dedupeWindow(of: realm)
        self.fetchKeys.withLock { $0.finish(origin.key, window: window, at: now) }
        effects.append(.fetched(origin, isStored: isStored))
    }

    private func bury(
        _ contents: PacketContents,
        _ reason: DeadLetter.Reason,
        of client: ClientName?,
        _ origin: FetchOrigin,
        in realm: RealmID,
        at now: StoreInstant,
        _ effects: inout Effects
    ) {
        self.bury(
            contents,
            reason,
            in: realm,
            client: client,
            pool: origin.key.pool,
            at: now,
            &effects
        )
    }
}

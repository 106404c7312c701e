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
        self.fetchWritten(packet, origin, in: realm, isWritten: false, at: now, &effects)
        return .done
    }

    /// - Parameter isWritten: whether a journal has it, as the dead letter that it may be, too.
    func fetchWritten(
        _ packet: FetchedPacket,
        _ origin: FetchOrigin,
        in realm: RealmID,
        number: PacketNumber? = nil,
        isWritten: Bool,
        at now: StoreInstant,
        _ effects: inout Effects
    ) {
        var isStored = false
        switch packet {
        case .reply(let reply):
            isStored = true
            _ = self.store(reply, in: realm, number: number, at: now, &effects)
            self.bury(&effects)
        case .unusable:
            let letters = packet.letters(from: origin, in: realm, at: now)
            var id = isWritten ? number ?? self.takeLetterIDs(letters.count) : 0
            for var letter in letters {
                self.countLoss(letter)
                if isWritten {
                    letter.id = id
                    id += 1
                    self.keepDeadLetter(letter)
                    effects.append(.died(letter))
                } else {
                    effects.happened.append(.died(letter))
                }
            }
            self.bury(&effects)
        }
        // Last: what is said to be dealt with must be.
        let window = self.dedupeWindow(of: realm)
        self.fetchKeys.withLock { $0.finish(origin.key, window: window, at: now) }
        effects.append(.fetched(origin, isStored: isStored))
    }
}

extension FetchedPacket {
    /// The dead letters that an unusable one is, one for each client that it was for.
    func letters(
        from origin: FetchOrigin,
        in realm: RealmID,
        at now: StoreInstant
    ) -> [DeadLetter] {
        guard case .unusable(let contents, let reason, let recipients) = self else { return [] }
        var clients: [ClientName?] = []
        if let recipients { recipients.forEach { clients.append($0) } } else { clients = [nil] }
        return clients.map {
            DeadLetter(
                reason: reason,
                in: realm,
                client: $0,
                pool: origin.key.pool,
                contents: contents,
                at: now
            )
        }
    }
}

import DequeModule

/// The keys of pushed packets, so that a repeat is known: one key space per realm.
///
/// A struct that stands behind a lock and performs nothing. Costs nothing where no push has a key.
struct PushKeys: Sendable {
    private var tables: [RealmID: Table] = [:]

    /// What a push with a key has to do.
    enum Claim: Equatable {
        /// Store the packet, then say what became of it.
        case first
        /// Answer as the first one was answered, with these numbers.
        case stored([PacketNumber])
        /// Nothing: the first one is under way, and its outcome is answered to this one, too.
        case underWay
    }

    /// Looks a key up, and claims it if it is not known.
    mutating func claim(
        _ key: PacketKey,
        in realm: RealmID,
        _ ticket: Ticket,
        window: UInt64,
        at now: StoreInstant
    ) -> Claim {
        self.tables[realm, default: Table()]
            .claim(key.fingerprint, ticket, window: window, at: now)
    }

    /// The numbers of the packet that was stored with a key within `window` nanoseconds, if it was.
    mutating func numbers(
        of key: PacketKey,
        in realm: RealmID,
        window: UInt64,
        at now: StoreInstant
    ) -> [PacketNumber]? {
        self.tables[realm]?.numbers(of: key.fingerprint, window: window, at: now)
    }

    /// The first packet with the key is stored; the oldest keys go out if there are more than `max`.
    ///
    /// - Returns: who repeated it meanwhile.
    mutating func stored(
        _ key: PacketKey,
        in realm: RealmID,
        _ numbers: [PacketNumber],
        max: Int,
        at now: StoreInstant
    ) -> [Ticket] {
        self.tables[realm]?.stored(key.fingerprint, numbers, max: max, at: now) ?? []
    }

    /// The first packet with the key is not stored, and the key is free again.
    ///
    /// - Returns: who repeated it meanwhile.
    mutating func refused(_ key: PacketKey, in realm: RealmID) -> [Ticket] {
        self.tables[realm]?.refused(key.fingerprint) ?? []
    }

    /// A packet was stored with this key before the process began, at a time in nanoseconds, and before those
    /// restored until now.
    mutating func restore(
        _ key: PacketKey,
        in realm: RealmID,
        _ numbers: [PacketNumber],
        at time: UInt64
    ) {
        self.tables[realm, default: Table()].restore(key.fingerprint, numbers, at: time)
    }

    /// Forgets the keys whose time is over; `windows` are the realms', in nanoseconds.
    mutating func expire(windows: [UInt64], at now: StoreInstant) {
        for realm in Array(self.tables.keys) {
            self.tables[realm]?.expire(window: windows[realm.index], at: now)
            if self.tables[realm]?.isEmpty ?? false { self.tables[realm] = nil }
        }
    }

    /// How many keys are known in a realm.
    func count(in realm: RealmID) -> Int { self.tables[realm]?.count ?? 0 }
}

extension PushKeys {
    /// The keys of one realm.
    private struct Table: Sendable {
        private var entries: [PacketKey.Fingerprint: Entry] = [:]

        /// The keys of stored packets, oldest first.
        private var order: Deque<PacketKey.Fingerprint> = []

        private enum Entry: Sendable {
            /// The packet is being stored; these repeated it.
            case underWay([Ticket])
            /// The packet has these numbers, since a moment.
            case stored([PacketNumber], at: UInt64)
        }

        var isEmpty: Bool { self.entries.isEmpty }

        var count: Int { self.entries.count }

        mutating func claim(
            _ key: PacketKey.Fingerprint,
            _ ticket: Ticket,
            window: UInt64,
            at now: StoreInstant
        ) -> Claim {
            self.expire(window: window, at: now)
            switch self.entries[key] {
            case .stored(let numbers, _):
                return .stored(numbers)
            case .underWay(let repeats):
                self.entries[key] = .underWay(repeats + [ticket])
                return .underWay
            case nil:
                self.entries[key] = .underWay([])
                return .first
            }
        }

        mutating func numbers(
            of key: PacketKey.Fingerprint,
            window: UInt64,
            at now: StoreInstant
        ) -> [PacketNumber]? {
            self.expire(window: window, at: now)
            guard case .stored(let numbers, _) = self.entries[key] else { return nil }
            return numbers
        }

        mutating func stored(
            _ key: PacketKey.Fingerprint,
            _ numbers: [PacketNumber],
            max: Int,
            at now: StoreInstant
        ) -> [Ticket] {
            guard case .underWay(let repeats) = self.entries[key] else { return [] }
            self.entries[key] = .stored(numbers, at: now.nanoseconds)
            self.order.append(key)
            while self.order.count > max { self.forgetOldest() }
            return repeats
        }

        mutating func refused(_ key: PacketKey.Fingerprint) -> [Ticket] {
            guard case .underWay(let repeats) = self.entries.removeValue(forKey: key) else {
                return []
            }
            return repeats
        }

        mutating func restore(
            _ key: PacketKey.Fingerprint,
            _ numbers: [PacketNumber],
            at time: UInt64
        ) {
            // One that was forgotten and came again counts from then on.
            guard self.entries[key] == nil else { return }
            self.entries[key] = .stored(numbers, at: time)
            self.order.prepend(key)
        }

        mutating func expire(window: UInt64, at now: StoreInstant) {
            while let oldest = self.order.first, case .stored(_, let at) = self.entries[oldest],
                now.nanoseconds(since: at) > window
            {
                self.forgetOldest()
            }
        }

        private mutating func forgetOldest() {
            guard let oldest = self.order.popFirst() else { return }
            self.entries[oldest] = nil
        }
    }
}

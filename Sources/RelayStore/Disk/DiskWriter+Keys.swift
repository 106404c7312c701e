/// The keys of packets, each written in the transaction of its packet.
extension DiskWriter {
    /// A key belongs to a client, or to those who push in a realm.
    struct KeyClaim: Hashable {
        /// Nil for a pushed packet.
        let client: ClientHandle?
        let realm: RealmID
        let fingerprint: PacketKey.Fingerprint
    }

    /// Whether nothing is to be written for an operation now, because of the key of its packet.
    func isRepeat(
        _ operation: StoreOperation,
        at now: StoreInstant,
        _ outcome: inout Outcome
    ) -> Bool {
        let claim: KeyClaim
        switch operation {
        case .send(_, let session, _, let key?, let ticket),
            .sendDirect(_, let session, _, let key?, let ticket):
            if self.store.hasSeen(key, from: session, at: now) {
                outcome.repeats.append(.duplicate(ticket))
                return true
            }
            claim = KeyClaim(
                client: session.client,
                realm: session.realm,
                fingerprint: key.fingerprint
            )
        case .push(_, let key?, let realm, let ticket) where self.store.remembersKeys(in: realm):
            if let numbers = self.store.pushed(key, in: realm, at: now) {
                outcome.repeats.append(.pushed(ticket, numbers, isDuplicate: true))
                return true
            }
            claim = KeyClaim(client: nil, realm: realm, fingerprint: key.fingerprint)
        default: return false
        }
        let isFirst = outcome.keys.insert(claim).inserted
        if !isFirst { outcome.deferred.append(operation) }
        return !isFirst
    }

    /// The key of a packet, if it has one that is to be remembered.
    func write(
        _ key: PacketKey?,
        of number: PacketNumber,
        from session: Session,
        to rows: RowWriter,
        at now: StoreInstant
    ) throws(DatabaseError) {
        guard let key, self.store.remembersKeys(in: session.realm) else { return }
        try rows.insertKey(
            key,
            of: number,
            from: session.name,
            in: session.realm,
            atMicroseconds: now.unixMicroseconds
        )
    }

    /// The key that a backend gave a packet, if it is to be remembered.
    func write(
        _ key: FetchKey,
        in realm: RealmID,
        to rows: RowWriter,
        at now: StoreInstant
    ) throws(DatabaseError) {
        let window = self.store.dedupeWindow(of: realm) / 1000
        guard window > 0 else { return }
        let (end, isNever) = now.unixMicroseconds.addingReportingOverflow(window)
        try rows.insertFetchKey(key, untilMicroseconds: isNever ? .max : end)
    }

    /// The file forgets the keys that have run out in memory, and those beyond the newest.
    func trimKeys(_ rows: RowWriter, at now: StoreInstant) throws(DatabaseError) {
        try rows.trimKeys(olderThan: now.microseconds(before: self.store.longestDedupeWindow))
        for (realm, window, count) in self.store.dedupeLimits {
            let time = now.microseconds(before: window)
            try rows.trimPushKeys(of: realm, olderThan: time, newest: count)
        }
        try rows.trimFetchKeys(at: now.unixMicroseconds, newest: FetchKeys.countMax)
    }
}

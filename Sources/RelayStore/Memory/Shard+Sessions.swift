/// Sessions: a login claims its token in the token table between the two steps that it takes here.
extension Shard {
    /// First step: the record, which stays until the second.
    mutating func loginBegan(_ name: ClientName, in realm: RealmID) -> ClientHandle {
        let slot =
            self.slot(of: name, in: realm) ?? self.insertClient(name, in: realm, isStranger: false)
        self.clients[slot].loginsUnderWay += 1
        return self.handle(of: slot)
    }

    /// Second step, if the token is another client's.
    mutating func loginRefused(_ client: ClientHandle) {
        guard let slot = self.slot(of: client) else { return }
        self.clients[slot].loginsUnderWay -= 1
    }

    /// Second step: the session takes the place of the one before, whose polls are answered.
    ///
    /// - Returns: the claim that has ended: the one of the session before, or `claim` itself if a
    ///   login that began later was faster.
    mutating func loginGranted(
        _ login: Login,
        _ claim: TokenClaim,
        at now: StoreInstant,
        _ effects: inout Effects
    ) -> TokenClaim? {
        guard let slot = self.slot(of: claim.client) else { return claim }
        self.clients[slot].loginsUnderWay -= 1
        if let newer = self.clients[slot].session, newer.epoch > claim.epoch { return claim }

        let ended = self.endSession(slot, &effects)
        self.clients[slot].session = SessionRecord(
            token: login.token,
            tokenHash: claim.hash,
            epoch: claim.epoch,
            ttl: login.tokenTTL.nanosecondsClamped,
            usedAt: now.nanoseconds,
            isDebugServer: login.isDebugServer
        )
        self.counts.sessions += 1
        if self.clients[slot].isStranger {
            self.clients[slot].isStranger = false
            self.rules.realms[login.realm.index].strangers.remove()
        }
        return ended
    }

    /// Ends a session: what it holds is answered, what waits for the client stays.
    ///
    /// - Returns: its claim, which is to be released outside of the lock.
    mutating func endSession(_ slot: UInt32, _ effects: inout Effects) -> TokenClaim? {
        guard let session = self.clients[slot].session else { return nil }
        self.clients[slot].session = nil
        self.counts.sessions -= 1
        while let ticket = self.clients[slot].polls.takeOldest() {
            self.counts.heldPolls -= 1
            self.answerEmpty(ticket, slot, &effects)
        }
        return TokenClaim(
            hash: session.tokenHash,
            client: self.handle(of: slot),
            epoch: session.epoch
        )
    }

    /// Whether a claim stands against another client's: its session is alive, or its login is under
    /// way.
    ///
    /// A session that has run out ends here, so that no use can revive it.
    mutating func keeps(
        _ claim: TokenClaim,
        at now: StoreInstant,
        _ effects: inout Effects
    ) -> Bool {
        guard let slot = self.slot(of: claim.client) else { return false }
        if let session = self.clients[slot].session, session.tokenHash == claim.hash {
            if session.isLive(at: now) { return true }
            _ = self.endSession(slot, &effects)
        }
        return self.clients[slot].loginsUnderWay > 0
    }

    /// The session of the client, if this is its token; that counts as a use, which may be due to be
    /// recorded.
    mutating func session(
        of client: ClientHandle,
        token: Span<UInt8>,
        in realm: RealmID,
        at now: StoreInstant
    ) -> (session: Session?, isUseDue: Bool) {
        guard let slot = self.slot(of: client), self.clients[slot].realm == realm,
            let session = self.clients[slot].session, session.isLive(at: now),
            KeyHash.areEqual(session.token, token)
        else { return (nil, false) }
        self.clients[slot].session?.usedAt = max(session.usedAt, now.nanoseconds)
        let isUseDue = self.isJournaled && session.isUseDue(at: now)
        let found = Session(
            client: client,
            name: self.clients[slot].name,
            realm: realm,
            isDebugServer: session.isDebugServer,
            acknowledges: session.acknowledges,
            epoch: session.epoch
        )
        return (found, isUseDue)
    }

    /// Whether this is the id of a debug server whose session is alive.
    func isDebugServer(_ name: ClientName, in realm: RealmID, at now: StoreInstant) -> Bool {
        guard let slot = self.slot(of: name, in: realm), let session = self.clients[slot].session
        else { return false }
        return session.isDebugServer && session.isLive(at: now)
    }
}

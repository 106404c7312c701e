import Synchronization

/// Logins and tokens.
///
/// A token is found in two steps, under one lock after the other: the token table says which client
/// it may belong to, the client's record says whether it is the token of its session. So a record
/// alone decides, and a session that it has given up is dead at once.
extension PacketStore {
    /// Stores the session of a login in place of the client's session before.
    ///
    /// Effects: `.loggedIn`, or `.refused(.tokenTaken)`; `.answerEmpty` for polls of the session
    /// before.
    package func logIn(
        _ login: Login,
        ticket: Ticket,
        at now: StoreInstant,
        _ effects: inout Effects
    ) -> Progress {
        let written = self.journal == nil ? login : login.withDigest()
        if let progress = self.journaled(.logIn(written, ticket), &effects) { return progress }
        self.loginWritten(written, ticket: ticket, at: now, &effects)
        return .done
    }

    func loginWritten(
        _ login: Login,
        ticket: Ticket,
        at now: StoreInstant,
        _ effects: inout Effects
    ) {
        let client = self.withShard(of: login.name, in: login.realm) {
            $0.loginBegan(login.name, in: login.realm)
        }
        let claim = TokenClaim(
            hash: KeyHash.mixed(KeyHash.of(login.token.span), realm: login.realm),
            client: client,
            epoch: self.epochs.wrappingAdd(1, ordering: .relaxed).newValue
        )
        guard self.claimToken(claim, at: now, &effects) else {
            self.withShard(client.shard) { $0.loginRefused(client) }
            effects.append(.refused(ticket, .tokenTaken))
            return
        }
        let ended = self.withShard(client.shard) {
            $0.loginGranted(login, claim, at: now, &effects)
        }
        if let ended { self.release(ended) }
        effects.append(.loggedIn(ticket))
    }

    /// The session that a token belongs to, if it is alive in this realm; counts as a use of it.
    package func session(
        forToken token: Span<UInt8>,
        in realm: RealmID,
        at now: StoreInstant
    ) -> Session? {
        if let journal = self.journal {
            return self.session(forToken: token, in: realm, at: now, usesIn: journal)
        }
        return self.findSession(forToken: token, in: realm, at: now).session
    }

    /// The same where sessions are kept, with digests for tokens.
    ///
    /// The first use in each sixteenth of the session's time is recorded.
    private func session(
        forToken token: Span<UInt8>,
        in realm: RealmID,
        at now: StoreInstant,
        usesIn journal: any Journal
    ) -> Session? {
        let digest = TokenDigest.of(token)
        let (session, isDue) = self.findSession(forToken: digest.span, in: realm, at: now)
        if isDue { journal.record([.sessionUsed(digest, at: now)]) }
        return session
    }

    private func findSession(
        forToken token: Span<UInt8>,
        in realm: RealmID,
        at now: StoreInstant
    ) -> (session: Session?, isUseDue: Bool) {
        let hash = KeyHash.mixed(KeyHash.of(token), realm: realm)
        guard let client = self.withTokens(near: hash, { $0.owner(of: hash) }) else {
            return (nil, false)
        }
        return self.withShard(client.shard) {
            $0.session(of: client, token: token, in: realm, at: now)
        }
    }

    /// Whether the session may send to this id: it is a debug server, or the id is that of one.
    package func mayAddress(
        _ recipient: ClientName,
        from session: Session,
        at now: StoreInstant
    ) -> Bool {
        session.isDebugServer
            || self.withShard(of: recipient, in: session.realm) {
                $0.isDebugServer(recipient, in: session.realm, at: now)
            }
    }

    /// False if the token is that of another client whose session is alive.
    private func claimToken(
        _ claim: TokenClaim,
        at now: StoreInstant,
        _ effects: inout Effects
    ) -> Bool {
        var dead: TokenClaim?
        while let other = self.withTokens(near: claim.hash, { $0.claim(claim, replacing: dead) }) {
            let isKept = self.withShard(other.client.shard) {
                $0.keeps(other, at: now, &effects)
            }
            if isKept { return false }
            dead = other
        }
        return true
    }
}

/// Sessions that end before their time: what they hold is answered, what waits for the client stays.
extension PacketStore {
    /// The client ends its session: its token is good for nothing from then on.
    ///
    /// Effects: `.loggedOut`, or `.refused(.sessionEnded)` if the session had ended already;
    /// `.answerEmpty` for its held polls.
    package func logOut(
        _ session: Session,
        ticket: Ticket,
        _ effects: inout Effects
    ) -> Progress {
        if let progress = self.journaled(.logOut(session, ticket), &effects) { return progress }
        self.logoutWritten(session, ticket: ticket, &effects)
        return .done
    }

    func logoutWritten(_ session: Session, ticket: Ticket, _ effects: inout Effects) {
        let ended = self.withShard(session.client.shard) { $0.endSession(session, &effects) }
        guard let ended else {
            effects.append(.refused(ticket, .sessionEnded))
            return
        }
        self.release(ended)
        effects.append(.loggedOut(ticket))
    }

    /// A backend ends the session of a client, if it has one.
    ///
    /// Effects: `.answerEmpty` for its held polls.
    package func endSession(
        of client: ClientName,
        in realm: RealmID,
        _ effects: inout Effects
    ) -> Progress {
        // Written even if there is none now: the login may be in the journal before it.
        if let progress = self.journaled(.endSession(client, in: realm), &effects) {
            return progress
        }
        self.sessionEndWritten(client, in: realm, &effects)
        return .done
    }

    func sessionEndWritten(_ client: ClientName, in realm: RealmID, _ effects: inout Effects) {
        let ended = self.withShard(of: client, in: realm) { shard -> TokenClaim? in
            shard.slot(of: client, in: realm).flatMap { shard.endSession($0, &effects) }
        }
        if let ended { self.release(ended) }
    }
}

extension Shard {
    /// Ends this session, if it is the client's newest.
    ///
    /// - Returns: its claim, which is to be released outside of the lock.
    fileprivate mutating func endSession(
        _ session: Session,
        _ effects: inout Effects
    ) -> TokenClaim? {
        self.slot(of: session).flatMap { self.endSession($0, &effects) }
    }
}

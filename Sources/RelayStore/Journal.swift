/// An operation that a journal can keep before it happens: each that stores or consumes something.
package enum StoreOperation: Sendable {
    /// See `PacketStore.logIn`.
    case logIn(Login, Ticket)
    /// See `PacketStore.send`, to a pool.
    ///
    /// Durably: the packet waits in the inbox, and its key, if it has one, is one that the client has
    /// sent now; both or neither. Of operations of one client with the same key the first counts in
    /// the order of commits, and those after it within the dedupe window leave nothing. The store
    /// answers a repeat itself that comes after that commit; one that comes before is written, too.
    case send(PacketContents, from: Session, to: PoolID, key: PacketKey?, Ticket)
    /// See `PacketStore.send`, to recipients.
    ///
    /// Durably: the same, with an outbox for each of the recipients.
    case sendDirect(PacketContents, from: Session, to: Recipients, key: PacketKey?, Ticket)
    /// See `PacketStore.consumed`. The only one that has to be written in the end.
    case consumed(LaneHandle, PacketNumber, reply: Reply?, loop: UInt16)
    /// See `PacketStore.append`.
    case append(Reply, in: RealmID, Ticket)
    /// See `PacketStore.poll`, with an acknowledgement.
    ///
    /// Durably: the session is in acknowledged mode for the rest of its life, and the packets of its
    /// client up to and including the number are gone, those that were never delivered among them.
    /// Only the change of mode has to be written before the answer: a client whose acknowledgement
    /// is forgotten repeats it with its next request. So a journal may say `.done` and write it with what
    /// comes next if `Session.acknowledges` is set.
    case acknowledge(Session, upTo: PacketNumber, PollWish, Ticket)

    /// The exchange that is told if it could not be written; nil for one that has to be.
    package var ticket: Ticket? {
        switch self {
        case .logIn(_, let ticket), .send(_, _, _, _, let ticket),
            .sendDirect(_, _, _, _, let ticket),
            .append(_, _, let ticket), .acknowledge(_, _, _, let ticket):
            ticket
        case .consumed: nil
        }
    }
}

/// Keeps operations before they happen.
///
/// An operation that is being written has not happened: its packet has no number and nobody sees it.
/// It happens when the journal's owner gives it to `PacketStore.committed`; numbers follow the order
/// of commits.
package protocol Journal: Sendable {
    /// Begins to write an operation. May be called from any thread.
    ///
    /// - Returns: `.done` if it happens at once, `.pending` if it will be committed or failed later.
    func write(_ operation: StoreOperation) -> Progress
}

/// What hears of operations that were pending.
package protocol StoreEvents: Sendable {
    /// What follows from a commit for one event loop, in order. Without a loop any may perform it;
    /// `repliesAccepted` is for all.
    ///
    /// Called on the thread that committed.
    func committed(_ effects: [Effect], loop: UInt16?)
}

extension PacketStore {
    /// Operations that were pending are written, and happen now, in this order.
    ///
    /// - Parameter failed: exchanges whose operations could not be written; nothing has happened.
    package func committed(
        _ operations: [StoreOperation],
        failed: [Ticket] = [],
        at now: StoreInstant,
        to events: any StoreEvents
    ) {
        var effects = Effects()
        for operation in operations { self.perform(operation, at: now, &effects) }
        for ticket in failed { effects.append(.refused(ticket, .storeFailed)) }

        var byLoop: [(loop: UInt16?, effects: [Effect])] = []
        while let effect = effects.next() {
            if let index = byLoop.firstIndex(where: { $0.loop == effect.loop }) {
                byLoop[index].effects.append(effect)
            } else {
                byLoop.append((effect.loop, [effect]))
            }
        }
        for (loop, effects) in byLoop { events.committed(effects, loop: loop) }
    }

    /// Gives an operation to the journal, if there is one.
    func isPending(_ operation: @autoclosure () -> StoreOperation) -> Bool {
        guard let journal = self.journal else { return false }
        switch journal.write(operation()) {
        case .done: return false
        case .pending: return true
        }
    }

    private func perform(
        _ operation: StoreOperation,
        at now: StoreInstant,
        _ effects: inout Effects
    ) {
        switch operation {
        case .logIn(let login, let ticket):
            self.loginWritten(login, ticket: ticket, at: now, &effects)
        case .send(let contents, let session, let pool, let key, let ticket):
            self.packetWritten(
                contents,
                from: session,
                to: pool,
                key: key,
                ticket: ticket,
                at: now,
                &effects
            )
        case .sendDirect(let contents, let session, let recipients, let key, let ticket):
            self.packetWritten(
                contents,
                from: session,
                to: recipients,
                key: key,
                ticket: ticket,
                at: now,
                &effects
            )
        case .consumed(let lane, let number, let reply, let loop):
            self.consumptionWritten(lane, number, reply: reply, loop: loop, at: now, &effects)
        case .append(let reply, let realm, let ticket):
            self.replyWritten(reply, in: realm, ticket: ticket, at: now, &effects)
        case .acknowledge(let session, let number, let wish, let ticket):
            self.acknowledgementWritten(
                session,
                upTo: number,
                wish,
                ticket: ticket,
                at: now,
                &effects
            )
        }
    }
}

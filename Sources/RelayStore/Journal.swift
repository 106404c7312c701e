/// An operation that a journal can keep.
///
/// Those with a ticket, and `consumed`, are kept before they happen. The others follow from what the
/// store does by itself: they have happened when the journal hears of them, each after what it follows
/// from, and are written with what comes next; the answer to `Journal.write` means nothing then.
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
    /// See `PacketStore.consumed`. Has to be written in the end.
    case consumed(LaneHandle, PacketNumber, reply: Reply?, loop: UInt16)
    /// See `PacketStore.append`.
    case append(Reply, in: RealmID, Ticket)
    /// See `PacketStore.fetched`. Has to be written in the end.
    ///
    /// Durably: the packet waits in the outboxes of its recipients, or is a dead letter, and its key is one that
    /// the pool has given now; both or neither. A key is to be known again after a restart for the rest of the
    /// dedupe window, because the backend gives the packet until it hears of it. The store answers repeats
    /// itself, those that come before the commit among them: of one key there is one operation.
    case fetched(FetchedPacket, FetchOrigin, in: RealmID)
    /// See `PacketStore.poll`, with an acknowledgement.
    ///
    /// Durably: the session is in acknowledged mode for the rest of its life, and the packets of its
    /// client up to and including the number are gone, those that were never delivered among them.
    /// Only the change of mode has to be written before the answer: a client whose acknowledgement
    /// is forgotten repeats it with its next request. So a journal may say `.done` and write it with what
    /// comes next if `Session.acknowledges` is set.
    case acknowledge(Session, upTo: PacketNumber, PollWish, Ticket)
    /// See `PacketStore.logOut`.
    ///
    /// Durably: the session's row is gone, if it is still the one of that client; packets stay.
    case logOut(Session, Ticket)
    /// See `PacketStore.endSession`.
    ///
    /// Durably: the row of the session that the client has by then is gone, if it has one; packets
    /// stay. Has to be written in the end, because the backend that said so does not say it again.
    case endSession(ClientName, in: RealmID)
    /// See `PacketStore.push`.
    ///
    /// Durably: a packet for each recipient, and with a key a row (realm, key, numbers, time) that
    /// is kept for the realm's dedupe window, newest keys first; all in one transaction or nothing.
    /// If that row exists already, nothing is stored and the numbers are those of the row.
    case push(Reply, key: PacketKey?, in: RealmID, Ticket)

    /// See `PacketStore.retryDeadLetter`. Has to be written in the end.
    ///
    /// Durably: the dead letter is gone, and a packet with these contents waits in the outbox of its client or in
    /// the inbox of its pool, behind all others; both or neither.
    case retry(DeadLetter, PacketContents)

    /// A packet became a dead letter.
    ///
    /// Durably: it has left the inbox or the outbox that it was in, if it has a number, and is a dead
    /// letter; of those the newest are kept, as `StoreLimits` says. A packet to a client
    /// that the store knows is one more that this client has lost, unless its reason is
    /// `unknownClient` or `noRecipient`.
    case died(DeadLetter)
    /// The oldest packet of a full outbox was forgotten.
    ///
    /// Durably: it has left the outbox, and its client has lost one more.
    case dropped(PacketNumber, of: ClientName, in: RealmID)
    /// A client is known to have been told of so many losses more, or they are too old to be told.
    ///
    /// Durably: so many fewer are those that it has to be told of. A journal that forgets this tells
    /// the client once more.
    case lossesTold(ClientName, in: RealmID, count: UInt64)

    /// The exchange that is told if it could not be written; nil for one that has to be.
    package var ticket: Ticket? {
        switch self {
        case .logIn(_, let ticket), .send(_, _, _, _, let ticket),
            .sendDirect(_, _, _, _, let ticket), .append(_, _, let ticket),
            .acknowledge(_, _, _, let ticket), .logOut(_, let ticket), .push(_, _, _, let ticket):
            ticket
        case .consumed, .fetched, .endSession, .retry, .died, .dropped, .lossesTold: nil
        }
    }

    /// Whether it may fail, with a 503 for its exchange; the others are written in the end.
    var mayBeRefused: Bool {
        switch self {
        case .consumed, .acknowledge, .fetched, .logOut, .endSession, .retry, .died, .dropped,
            .lossesTold:
            false
        case .logIn, .send, .sendDirect, .append, .push: true
        }
    }
}

/// What has happened to something that a journal keeps, and that nobody waits for.
package enum StoreChange: Sendable {
    /// The packet is gone: the client has it, or it was dropped or refused after all.
    case removed(PacketNumber, Direction)
    /// So many attempts on the packet were counted.
    case attempted(PacketNumber, UInt32)
    /// The key of the packet with this number need not be known any more.
    ///
    /// Said of those that go out because there are too many, and not of those that have run out.
    case keyForgotten(PacketNumber)
    /// The packet that was pushed with a key in the realm, its first number this one, has other numbers: 0
    /// where it became a dead letter; nil if it was refused after all, and its key is free.
    case pushSettled(PacketNumber, in: RealmID, [PacketNumber]?)
    /// The dead letter with this id was dropped.
    case letterForgotten(UInt64)
    /// The session of the token with this digest was used.
    case sessionUsed([UInt8], at: StoreInstant)
}

/// What a journal says to an operation that it is to write.
package enum JournalAnswer: Sendable {
    /// It happens at once.
    case done
    /// It will be committed or failed later.
    case pending
    /// It will not be written, and has not happened.
    case refused
}

/// A packet that was written and stands in a shard now, its bytes in memory.
struct PlacedPacket: Sendable {
    let shard: UInt8
    let slot: UInt32
    let number: PacketNumber
    let byteCount: Int
}

/// An operation that is written, with the number that its first packet got.
struct WrittenOperation: Sendable {
    let operation: StoreOperation
    /// Nil if the store is to number it; the id of its first dead letter, if it is dead letters.
    let number: PacketNumber?
}

/// Keeps operations before they happen.
///
/// An operation that is being written has not happened: its packet has no number and nobody sees it.
/// It happens when the journal's owner gives it to `PacketStore.committed`; numbers follow the order
/// of commits.
package protocol Journal: AnyObject, Sendable {
    /// Begins to write an operation. May be called from any thread.
    ///
    /// What a backend has taken and what a client has acknowledged is never refused.
    func write(_ operation: StoreOperation) -> JournalAnswer

    /// Keeps what has happened, some time soon and in this order. From any thread.
    func record(_ changes: [StoreChange])

    /// Has effects performed whose packets are not in memory, each when its packet was read. From any
    /// thread.
    func read(_ effects: [Effect])

    /// Whether there is room for what backends give.
    var acceptsReplies: Bool { get }
}

/// A journal that keeps nothing but operations.
extension Journal {
    package func record(_ changes: [StoreChange]) {}
    package func read(_ effects: [Effect]) {}
    package var acceptsReplies: Bool { true }
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
        _ = self.committed(
            operations.map { WrittenOperation(operation: $0, number: nil) },
            refused: failed.map { ($0, .storeFailed) },
            at: now,
            to: events
        )
    }

    /// The same with the numbers that were given when they were written.
    ///
    /// - Parameter repeats: what exchanges hear whose packets had the key of one that was written before.
    /// - Returns: the packets whose bytes are in memory from now on.
    func committed(
        _ operations: [WrittenOperation],
        refused: [(ticket: Ticket, refusal: Refusal)],
        repeats: [Effect] = [],
        at now: StoreInstant,
        to events: any StoreEvents
    ) -> [PlacedPacket] {
        var effects = Effects()
        for written in operations {
            self.perform(written.operation, number: written.number, at: now, &effects)
        }
        for (ticket, refusal) in refused { effects.append(.refused(ticket, refusal)) }
        for answer in repeats { effects.append(answer) }
        self.publish(&effects, to: events)
        return effects.placed
    }

    /// Gives each loop what it has to perform.
    func publish(_ effects: inout Effects, to events: any StoreEvents) {
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
    ///
    /// - Parameter refusal: why it would be refused if it happened now; then nothing is written.
    /// - Returns: nil if it happens at once.
    func journaled(
        _ operation: @autoclosure () -> StoreOperation,
        unless refusal: @autoclosure () -> Refusal? = nil,
        _ effects: inout Effects
    ) -> Progress? {
        guard let journal = self.journal else { return nil }
        let operation = operation()
        if operation.mayBeRefused, let ticket = operation.ticket, let refusal = refusal() {
            effects.append(.refused(ticket, refusal))
            return .done
        }
        switch journal.write(operation) {
        case .done: return nil
        case .pending: return .pending
        case .refused:
            if let ticket = operation.ticket { effects.append(.refused(ticket, .storeFailed)) }
            return .done
        }
    }

    private func perform(
        _ operation: StoreOperation,
        number: PacketNumber?,
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
                number: number,
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
                number: number,
                key: key,
                ticket: ticket,
                at: now,
                &effects
            )
        case .consumed(let lane, let consumed, let reply, let loop):
            self.consumptionWritten(
                lane,
                consumed,
                reply: reply,
                replyNumber: number,
                loop: loop,
                at: now,
                &effects
            )
        case .fetched(let packet, let origin, let realm):
            self.fetchWritten(
                packet,
                origin,
                in: realm,
                number: number,
                isWritten: true,
                at: now,
                &effects
            )
        case .append(let reply, let realm, let ticket):
            self.replyWritten(reply, in: realm, number: number, ticket: ticket, at: now, &effects)
        case .retry(let letter, let contents):
            self.retryWritten(letter, contents, number: number, at: now, &effects)
        case .died, .dropped, .lossesTold:
            break
        case .acknowledge(let session, let number, let wish, let ticket):
            self.acknowledgementWritten(
                session,
                upTo: number,
                wish,
                ticket: ticket,
                at: now,
                &effects
            )
        case .logOut(let session, let ticket):
            self.logoutWritten(session, ticket: ticket, &effects)
        case .endSession(let client, let realm):
            self.sessionEndWritten(client, in: realm, &effects)
        case .push(let packet, let key, let realm, let ticket):
            self.pushWritten(
                packet,
                key: key,
                in: realm,
                number: number,
                ticket: ticket,
                at: now,
                &effects
            )
        }
    }
}

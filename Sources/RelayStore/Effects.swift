import DequeModule

/// One thing that follows from an operation of the store and that the caller has to perform.
///
/// `loop` says which event loop performs it: the caller's own at once, another by message.
package enum Effect: Sendable {
    /// The session is stored; its token is good from now on.
    case loggedIn(Ticket)

    /// The session has ended; its token is good for nothing any more.
    case loggedOut(Ticket)

    /// A pushed packet is stored for each of its recipients, under these numbers in their order; 0
    /// stands where it became a dead letter. A duplicate was stored before, when it got them.
    case pushed(Ticket, [PacketNumber], isDuplicate: Bool)

    /// The packet is stored. With several recipients, for all of them; the number is the first one's.
    /// 0 if all of them were dead letters.
    case stored(Ticket, PacketNumber)

    /// The client has sent a packet with the same key before: this one is not stored.
    case duplicate(Ticket)

    /// Nothing was stored and nothing taken.
    case refused(Ticket, Refusal)

    /// The poll gets this packet. If its exchange is gone, say so with `deliveryReturned`.
    case deliver(Delivery)

    /// The poll is answered now, without a packet; `more` packets wait. If there is a notice, say so
    /// with `lossesTold` when the answer has arrived.
    case answerEmpty(Ticket, more: Int, LossNotice?)

    /// The poll waits for a packet. If its exchange is gone, say so with `pollEnded`.
    case held(Ticket, ClientHandle)

    /// A request of the loop acknowledged so many packets, which are gone.
    case acknowledged(loop: UInt16, packets: Int)

    /// Another poll of the client waits while the delivery on this ticket is neither proven nor
    /// failed: find out. Comes once for each such poll, and at once if polls are left that were held
    /// before.
    case checkProof(Ticket, ClientHandle, PacketNumber)

    /// The loop owns the lane and sends this packet.
    case send(LaneSend)

    /// The lane of this loop has no packet any more and is nobody's.
    case laneIdle(loop: UInt16, LaneHandle)

    /// A packet with a key that a fetch of the loop brought has been dealt with: now, and if `isStored` it is in an
    /// outbox, or when it came before.
    case fetched(FetchOrigin, isStored: Bool)

    /// For the log: a packet became a dead letter.
    case died(DeadLetter)

    /// The dead letter with this id is a packet with this number; 0 if it became a dead letter again at once.
    case retried(UInt64, PacketNumber)

    /// For the log: the oldest packet of a full outbox was forgotten (`drop_oldest`).
    case dropped(realm: RealmID, client: ClientName, PacketNumber)

    /// For every loop: outboxes were full and have room again, so packets may be sent to backends
    /// and fetched again.
    case repliesAccepted

    /// The event loop that it concerns; nil if any may do it, or for `repliesAccepted` all must.
    package var loop: UInt16? {
        switch self {
        case .loggedIn(let ticket), .loggedOut(let ticket), .pushed(let ticket, _, _),
            .stored(let ticket, _), .duplicate(let ticket), .refused(let ticket, _),
            .answerEmpty(let ticket, _, _), .held(let ticket, _), .checkProof(let ticket, _, _):
            ticket.loop
        case .acknowledged(let loop, _): loop
        case .deliver(let delivery): delivery.ticket.loop
        case .send(let send): send.loop
        case .laneIdle(let loop, _): loop
        case .fetched(let origin, _): origin.loop
        case .died, .retried, .dropped, .repliesAccepted: nil
        }
    }
}

/// Why an operation was refused.
package enum Refusal: Sendable, Hashable {
    /// The session was replaced, ended or ran out: 401.
    case sessionEnded
    /// The token is the live token of another client: 502.
    case tokenTaken
    /// The pool's inbox has no room: 503.
    case inboxFull
    /// The outboxes of the store have no room: 503.
    case outboxFull
    /// The recipient is no live debug server, and the sender is none either: 403.
    case recipientForbidden
    /// The store could not write: 503.
    case storeFailed
}

/// Whether an operation is over when the call returns.
package enum Progress: Sendable {
    /// What follows from it stands in the effects.
    case done
    /// What follows from it comes through `StoreEvents`.
    case pending
}

/// What follows from operations, in order: a list that is used again and again.
///
/// An event loop keeps one, gives it to each operation, and performs what it finds.
package struct Effects: ~Copyable, Sendable {
    /// What is still to be performed.
    ///
    /// Moved in and out: a `Deque` copies what it is given, and an effect is large and full of references.
    private var waiting = UniqueDeque<Effect>()

    /// What happened under the lock of a shard and is told after it: to the journal, and to the log.
    var happened: [StoreOperation] = []

    /// What a journal has to keep of what happened.
    var changes: [StoreChange] = []

    /// Effects whose packets have to be read first.
    var absent: [Effect] = []

    /// Packets whose bytes came into memory.
    var placed: [PlacedPacket] = []

    /// An empty list.
    package init() {}

    /// Whether all is performed.
    package var isEmpty: Bool { self.waiting.isEmpty }

    /// Takes the first effect out.
    ///
    /// Operations called meanwhile may add others.
    package mutating func next() -> Effect? { self.waiting.popFirst() }

    /// Adds one that hands a packet out, which may have to be read first.
    mutating func appendPacket(_ effect: Effect, isAbsent: Bool) {
        if isAbsent { self.absent.append(effect) } else { self.append(effect) }
    }

    /// Adds one to the end.
    mutating func append(_ effect: consuming Effect) { self.waiting.append(effect) }
}

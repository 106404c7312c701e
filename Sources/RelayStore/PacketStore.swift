/// Where packets wait (signatures; the bodies follow).
package final class PacketStore: Sendable {
    package static let shardCount = 64

    package init(limits: StoreLimits, now: StoreInstant, journal: (any Journal)? = nil) {
        fatalError()
    }

    // Configuration: at start and at each reload.
    package func realm(named name: String, settings: RealmSettings) -> RealmID { fatalError() }
    package func pool(named name: String, limits: InboxLimits) -> PoolID { fatalError() }
    package func setLimits(_ limits: StoreLimits) { fatalError() }
    package func name(of realm: RealmID) -> String { fatalError() }
    package func name(of pool: PoolID) -> String { fatalError() }

    /// The id, sharing the record's bytes if the client has one; nil for what cannot be an id.
    package func clientName(_ bytes: Span<UInt8>, in realm: RealmID) -> ClientName? { fatalError() }

    // Sessions.
    /// Effects: `.loggedIn` or `.refused(.tokenTaken)`; `.answerEmpty` for polls of the old session.
    package func logIn(
        _ login: Login,
        ticket: Ticket,
        at now: StoreInstant,
        _ effects: inout Effects
    ) -> Progress { fatalError() }
    /// Counts as a use of the token.
    package func session(
        forToken token: Span<UInt8>,
        in realm: RealmID,
        at now: StoreInstant
    ) -> Session? { fatalError() }
    /// Whether `session` may send to this id (2.4), for the check on the request's head.
    package func mayAddress(
        _ recipient: ClientName,
        from session: Session,
        at now: StoreInstant
    ) -> Bool { fatalError() }

    // Client to backend. Effects: `.stored`, then `.send` if the lane was nobody's; or `.refused`.
    package func send(
        _ contents: PacketContents,
        from session: Session,
        to pool: PoolID,
        ticket: Ticket,
        at now: StoreInstant,
        _ effects: inout Effects
    ) -> Progress { fatalError() }
    package func send(
        _ contents: PacketContents,
        from session: Session,
        to recipients: Recipients,
        ticket: Ticket,
        at now: StoreInstant,
        _ effects: inout Effects
    ) -> Progress { fatalError() }

    // Lanes: by the loop that owns the lane. What names another packet than the one under way does nothing.
    package func consumed(
        _ lane: LaneHandle,
        _ number: PacketNumber,
        reply: Reply?,
        loop: UInt16,
        at now: StoreInstant,
        _ effects: inout Effects
    ) -> Progress { fatalError() }
    package func rejected(
        _ lane: LaneHandle,
        _ number: PacketNumber,
        reason: DeadLetter.Reason,
        loop: UInt16,
        at now: StoreInstant,
        _ effects: inout Effects
    ) { fatalError() }
    /// The packet waits at the head, nobody sends it until `nextAttempt`. Expired meanwhile: dead letter, and the next one is sent.
    package func attemptFailed(
        _ lane: LaneHandle,
        _ number: PacketNumber,
        isCounted: Bool,
        loop: UInt16,
        at now: StoreInstant,
        _ effects: inout Effects
    ) { fatalError() }
    /// Effects: `.send` or `.laneIdle`.
    package func nextAttempt(
        _ lane: LaneHandle,
        loop: UInt16,
        at now: StoreInstant,
        _ effects: inout Effects
    ) { fatalError() }
    /// The lane becomes nobody's, its packets wait; a new packet of the client or `adoptLanes` takes it up.
    package func releaseLane(_ lane: LaneHandle, loop: UInt16) { fatalError() }
    /// Takes up the lanes of a shard that wait for `pool` and are nobody's: `.send` for each.
    package func adoptLanes(
        of pool: PoolID,
        shard: Int,
        loop: UInt16,
        at now: StoreInstant,
        _ effects: inout Effects
    ) { fatalError() }
    /// Packets and bytes that wait for a pool.
    package func backlog(of pool: PoolID) -> Backlog { fatalError() }
    package func pools() -> [(name: String, pool: PoolID, backlog: Backlog)] { fatalError() }

    // Towards clients.
    /// Whether outboxes have room: otherwise neither send packets to backends nor fetch.
    package var acceptsReplies: Bool { fatalError() }
    /// A packet that came by fetch. Effects: `.stored(ticket, …)`.
    package func append(
        _ reply: Reply,
        in realm: RealmID,
        ticket: Ticket,
        at now: StoreInstant,
        _ effects: inout Effects
    ) -> Progress { fatalError() }
    /// Effects: `.deliver`, `.held` (if `mayHold`), `.answerEmpty`, or `.refused(.sessionEnded)`; and for others.
    package func poll(
        _ session: Session,
        ticket: Ticket,
        mayHold: Bool,
        at now: StoreInstant,
        _ effects: inout Effects
    ) { fatalError() }
    /// Hang-up, or the hold is over. True: the poll was held and is the caller's to answer. False: an effect for it is on its way.
    package func pollEnded(_ client: ClientHandle, ticket: Ticket) -> Bool { fatalError() }
    package func deliveryProven(
        _ client: ClientHandle,
        _ number: PacketNumber,
        ticket: Ticket,
        at now: StoreInstant,
        _ effects: inout Effects
    ) { fatalError() }
    /// Bytes were written: the packet will be marked redelivered.
    package func deliveryFailed(
        _ client: ClientHandle,
        _ number: PacketNumber,
        ticket: Ticket,
        at now: StoreInstant,
        _ effects: inout Effects
    ) { fatalError() }
    /// Nothing was written: the exchange was gone when the delivery reached it.
    package func deliveryReturned(
        _ client: ClientHandle,
        _ number: PacketNumber,
        ticket: Ticket,
        at now: StoreInstant,
        _ effects: inout Effects
    ) { fatalError() }

    /// A packet of a backend that cannot be stored (`noRecipient`, `tooLarge`).
    package func bury(
        _ contents: PacketContents,
        _ reason: DeadLetter.Reason,
        in realm: RealmID,
        client: ClientName?,
        pool: PoolID,
        at now: StoreInstant,
        _ effects: inout Effects
    ) { fatalError() }

    // Now and then: one shard at a time, 0 ..< shardCount; all of them about once a second.
    package func sweep(shard: Int, at now: StoreInstant, _ effects: inout Effects) { fatalError() }
    package func statistics() -> StoreStatistics { fatalError() }
}

package struct Backlog: Sendable, Equatable {
    package var packets: Int
    package var bytes: Int
}

package struct StoreStatistics: Sendable, Equatable {
    package var clients = 0
    package var sessions = 0
    package var heldPolls = 0
    package var deliveries = 0
    package var waitingForBackends = Backlog(packets: 0, bytes: 0)
    package var waitingForClients = Backlog(packets: 0, bytes: 0)
    package var deadLetters = Backlog(packets: 0, bytes: 0)
}

package protocol Journal: Sendable {}

/// What hears of operations that were pending.
package protocol StoreEvents: Sendable {
    /// What follows from a commit for one event loop (nil: any; `repliesAccepted` is for all). Called on the thread that committed.
    func committed(_ effects: [Effect], loop: UInt16?)
}

/// A packet that will not be tried again, with its reason.
package struct DeadLetter: Sendable {
    /// Why it is one.
    package let reason: Reason

    /// Where it was going.
    package let direction: Direction

    /// The realm of its client.
    package let realm: RealmID

    /// The client that sent it, or that it was for.
    ///
    /// Nil if it was for nobody.
    package let client: ClientName?

    /// The pool it was for, or that it came from.
    ///
    /// Nil for a packet to a client that was stored: the store does not keep where it came from.
    package let pool: PoolID?

    /// Its number.
    ///
    /// Nil if it was never stored.
    package let number: PacketNumber?

    /// How many attempts on it were counted.
    package let attempts: UInt32

    /// What it carries.
    package let contents: PacketContents

    /// When it became one.
    package let diedAt: StoreInstant

    /// By what people name it: larger than that of any one before in this store.
    ///
    /// 0 until it is kept.
    package internal(set) var id: UInt64 = 0

    /// Why a packet is a dead letter.
    package enum Reason: Sendable, Hashable {
        /// It waited longer than `packet_ttl`.
        case expired
        /// It was the oldest of a full outbox.
        case overflow
        /// A backend refused it with this status.
        case rejected(status: UInt16)
        /// It failed as often as `attempts` of the retry policy allows.
        case attemptsExhausted
        /// A backend gave it without saying for whom.
        case noRecipient
        /// A backend gave it for an id that never logged in, beyond `unknown_clients`.
        case unknownClient
        /// A backend gave it with a body above `packet_size`; nothing of it is kept.
        case tooLarge
        /// The disk gave other bytes than were written; nothing of it is kept.
        case damaged
    }
}

extension DeadLetter {
    /// A packet of a backend that was never stored.
    init(
        reason: Reason,
        in realm: RealmID,
        client: ClientName?,
        pool: PoolID,
        contents: PacketContents,
        at now: StoreInstant
    ) {
        self.init(
            reason: reason,
            direction: .toClient,
            realm: realm,
            client: client,
            pool: pool,
            number: nil,
            attempts: 0,
            contents: reason == .tooLarge ? .empty : contents,
            diedAt: now
        )
    }
}

/// Where a packet goes.
package enum Direction: Sendable, Hashable {
    /// From a client to a backend.
    case toBackend
    /// To a client, from a backend or another client.
    case toClient
}

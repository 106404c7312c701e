/// A realm by a small number: the store gives one to each name and never changes it.
///
/// Clients, tokens and debug servers of one realm are unknown in every other.
package struct RealmID: Sendable, Hashable {
    /// Its place in the store's table of realms.
    let index: Int
}

/// A pool by a small number: the store gives one to each name and never changes it, so that
/// packets find their pool again after a reload.
package struct PoolID: Sendable, Hashable {
    /// Its place in the store's table of pools.
    let index: Int
}

/// Who asked: an exchange, and the event loop that it lives on.
///
/// Both numbers mean something to the caller alone; the store gives them back.
package struct Ticket: Sendable, Hashable {
    /// The exchange on that loop.
    ///
    /// Unique there while the store may still answer to it.
    package let handle: UInt64

    /// The event loop that is to hear of it.
    package let loop: UInt16

    /// A ticket of the exchange `handle` on event loop `loop`.
    package init(loop: UInt16, handle: UInt64) {
        self.loop = loop
        self.handle = handle
    }
}

/// Names the record of a client in the store.
///
/// The record may be forgotten and its place given to another client. A handle that is too old is
/// refused then, never followed.
package struct ClientHandle: Sendable, Hashable {
    /// The shard, 0 to 63.
    let shard: UInt8

    /// The place in the shard.
    let slot: UInt32

    /// Which occupant of the place is meant; never repeats in a shard.
    let generation: UInt64

    /// Hashes what tells any two handles apart in one step.
    package func hash(into hasher: inout Hasher) {
        hasher.combine(self.generation << 6 | UInt64(self.shard))
    }
}

/// Names the lane from one client to one pool.
package struct LaneHandle: Sendable, Hashable {
    /// The client whose packets travel on it.
    package let client: ClientHandle

    /// Where they go.
    package let pool: PoolID

    /// Which of the client's lanes to the pool it is: 0 unless packets may overtake each other.
    package let number: UInt8

    /// The client's first lane to the pool, whether there is one or not.
    package var first: LaneHandle { LaneHandle(client: self.client, pool: self.pool, number: 0) }
}

/// A packet's number: unique in the store, growing from packet to packet, at least 1 and below 2^53.
package typealias PacketNumber = UInt64

/// A moment, on both clocks.
///
/// The store reads no clock itself.
package struct StoreInstant: Sendable, Equatable {
    /// Nanoseconds of a clock that never goes back.
    ///
    /// Everything is measured with it.
    package var nanoseconds: UInt64

    /// Microseconds since 1970.
    ///
    /// Packets are numbered by it.
    package var unixMicroseconds: UInt64

    /// The moment that both clocks show.
    package init(nanoseconds: UInt64, unixMicroseconds: UInt64) {
        self.nanoseconds = nanoseconds
        self.unixMicroseconds = unixMicroseconds
    }

    /// Nanoseconds since `earlier`, 0 if that lies ahead: clocks are read on several threads.
    func nanoseconds(since earlier: UInt64) -> UInt64 {
        self.nanoseconds > earlier ? self.nanoseconds &- earlier : 0
    }
}

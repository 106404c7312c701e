/// `buffer`: takes packets from clients and keeps packets for them.
///
/// Sizes count bodies and carried headers, unless it says otherwise.
package struct BufferConfiguration: Sendable, Equatable {
    /// The world its clients live in: the realm of the `auth` stage before it.
    ///
    /// Not a key.
    package var realm: String

    /// `hold`: how long a poll waits for a packet.
    ///
    /// Default 10s; 0s to 1h. 0s answers at once. Above 55s proxies in between are likely to cut it
    /// off.
    package var hold: Duration = .seconds(10)

    /// `path`: where clients send and poll.
    ///
    /// Default `/`; a path in its normal form.
    package var path = "/"

    /// `ordering`: whether the packets of a client wait for each other on their way to a pool.
    ///
    /// Default client.
    package var ordering: Ordering = .client

    /// `packet_size`: the bytes of a packet's body, in both directions; from a client more is a
    /// 413, from a backend it is lost.
    ///
    /// Default 1MiB; 1 to 1GiB, and not above `client_bytes` or `inbox_bytes`.
    package var packetBytesMax = 1 << 20

    /// `packet_ttl`: how long a packet waits, in both directions; then it is a dead letter.
    ///
    /// Default 24h; 1s to 3650d.
    package var packetTTL: Duration = .seconds(86400)

    /// `client_packets`: packets that wait for one client.
    ///
    /// Default 1024; 1 to 100000000.
    package var clientPacketsMax = 1024

    /// `client_bytes`: bytes that wait for one client.
    ///
    /// Default 4MiB; 1KiB to 1TiB.
    package var clientBytesMax = 4 << 20

    /// `overflow`: what becomes of the oldest packet, of those not under way, when a client's
    /// outbox is full.
    ///
    /// Default dead_letter.
    package var overflow: Overflow = .deadLetter

    /// `inbox_packets`: packets of a pool that are not consumed yet; beyond it clients get a 503.
    ///
    /// Default 100000; 1 to 100000000.
    package var inboxPacketsMax = 100_000

    /// `inbox_bytes`: the same in bytes.
    ///
    /// Default 1GiB; 1KiB to 1TiB.
    package var inboxBytesMax = 1 << 30

    /// `outbox_packets`: packets that wait for all clients of the store together; beyond it relay
    /// neither sends packets to backends nor fetches.
    ///
    /// Default 1000000; 1 to 1000000000.
    package var outboxPacketsMax = 1_000_000

    /// `outbox_bytes`: the same in bytes.
    ///
    /// Default 4GiB; 1KiB to 1TiB.
    package var outboxBytesMax = 4 << 30

    /// `unknown_clients`: how many ids that never logged in may have packets waiting; what comes
    /// for more is a dead letter.
    ///
    /// Default 10000; 0 to 100000000.
    package var unknownClientsMax = 10_000

    /// `dedupe_window`: how long relay remembers the `Packet-Id` of a packet that a client sent, so
    /// that a repeat is not stored again.
    ///
    /// Default 10m; 0s to 365d. 0s stores every repeat.
    package var dedupeWindow: Duration = .seconds(600)

    /// `dedupe_keys`: how many of them it remembers of one client, the newest.
    ///
    /// Default 1024; 0 to 1000000. 0 stores every repeat.
    package var dedupeKeysMax = 1024

    /// A `buffer` stage with every default.
    package init(realm: String) {
        self.realm = realm
    }

    /// Whether the packets of a client may overtake each other.
    package enum Ordering: String, Sendable, CaseIterable {
        /// They reach the backend in the order in which they were stored, one at a time.
        case client
        /// They may: up to 64 of them are under way at once.
        case none
    }

    /// What becomes of the oldest packet of a full outbox.
    package enum Overflow: String, Sendable, CaseIterable {
        /// It is kept as a dead letter.
        case deadLetter = "dead_letter"
        /// It is forgotten, and counted as lost.
        case dropOldest = "drop_oldest"
    }
}

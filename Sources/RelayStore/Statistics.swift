/// Packets and bytes that wait somewhere.
package struct Backlog: Sendable, Equatable {
    /// How many packets.
    package var packets: Int

    /// The bytes of their headers and bodies.
    package var bytes: Int

    /// So many packets with so many bytes.
    package init(packets: Int, bytes: Int) {
        self.packets = packets
        self.bytes = bytes
    }
}

/// How much there is of everything in a store.
package struct StoreStatistics: Sendable, Equatable {
    /// Clients with a record.
    package var clients = 0

    /// Sessions; one that has run out counts until the next sweep.
    package var sessions = 0

    /// Polls that are held.
    package var heldPolls = 0

    /// Deliveries that are neither proven nor failed.
    package var deliveries = 0

    /// Packets not consumed yet.
    package var waitingForBackends = Backlog(packets: 0, bytes: 0)

    /// Packets not proven to be delivered yet.
    package var waitingForClients = Backlog(packets: 0, bytes: 0)

    /// Dead letters that are kept.
    package var deadLetters = Backlog(packets: 0, bytes: 0)

    /// Nothing of anything.
    package init() {}
}

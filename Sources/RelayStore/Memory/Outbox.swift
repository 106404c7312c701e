import DequeModule

/// The packets that wait for one client, and the delivery of the first of them.
///
/// Of a client's packets only the first is ever delivered; so whether it was delivered before is
/// kept here and not with each packet.
struct Outbox: Sendable {
    /// Bytes of all packets, the one under way among them.
    private(set) var bytes = 0

    /// Who sent the packets of which that is known, in order: for few packets it is.
    private var senders: Deque<Sender> = []

    private var queue = PacketQueue()

    /// The exchange that the first packet is leased to.
    private(set) var delivery: Ticket?

    /// Whether a delivery of the first packet failed after bytes were written.
    private var isRedelivered = false

    private struct Sender: Sendable {
        let number: PacketNumber
        let name: ClientName
    }

    /// How many packets there are, the one under way among them.
    var count: Int { self.queue.count }

    var isEmpty: Bool { self.queue.isEmpty }

    /// How many packets wait: all but the one under way.
    var waiting: Int { self.queue.count - (self.delivery == nil ? 0 : 1) }

    /// When the oldest packet was stored that is not under way.
    func oldestWaitingStoredAt(in packets: borrowing Slab<StoredPacket>) -> UInt64? {
        self.delivery == nil
            ? self.queue.headStoredAt(in: packets) : self.queue.secondStoredAt(in: packets)
    }

    /// The packet under way.
    func underWay(in packets: borrowing Slab<StoredPacket>) -> StoredPacket? {
        self.delivery == nil ? nil : self.queue.head(in: packets)
    }

    /// Adds a packet behind all others.
    ///
    /// - Returns: its place.
    mutating func append(
        _ packet: consuming StoredPacket,
        from sender: ClientName?,
        in packets: inout Slab<StoredPacket>
    ) -> UInt32 {
        self.bytes += packet.byteCount
        if let sender {
            self.senders.append(Sender(number: packet.number, name: sender))
        }
        return self.queue.append(packet, in: &packets)
    }

    /// Takes the oldest packet out that is not under way.
    mutating func removeOldestWaiting(from packets: inout Slab<StoredPacket>) -> StoredPacket? {
        if self.delivery == nil { return self.removeHead(from: &packets) }
        guard let packet = self.queue.removeSecond(from: &packets) else { return nil }
        self.packetRemoved(packet)
        return packet
    }

    /// Leases the first packet, which is not under way, to an exchange.
    mutating func lease(to ticket: Ticket, in packets: borrowing Slab<StoredPacket>) -> Packet? {
        guard let stored = self.queue.head(in: packets) else { return nil }
        self.delivery = ticket
        let sender = self.senders.first
        return Packet(
            number: stored.number,
            contents: stored.contents,
            from: sender?.number == stored.number ? sender?.name : nil,
            storedAtNanoseconds: stored.storedAt,
            attempts: 0,
            isRedelivered: self.isRedelivered
        )
    }

    /// Whether this packet is leased to this exchange.
    func isLeased(
        _ number: PacketNumber,
        to ticket: Ticket,
        in packets: borrowing Slab<StoredPacket>
    ) -> Bool {
        self.delivery == ticket && self.queue.headNumber(in: packets) == number
    }

    /// The client has the packet under way.
    mutating func deliveryProven(in packets: inout Slab<StoredPacket>) -> StoredPacket? {
        self.delivery = nil
        return self.removeHead(from: &packets)
    }

    /// The packet under way waits again, as the first.
    mutating func deliveryEnded(bytesWereWritten: Bool) {
        self.delivery = nil
        if bytesWereWritten { self.isRedelivered = true }
    }

    private mutating func removeHead(from packets: inout Slab<StoredPacket>) -> StoredPacket? {
        guard let packet = self.queue.removeHead(from: &packets) else { return nil }
        self.isRedelivered = false
        self.packetRemoved(packet)
        return packet
    }

    private mutating func packetRemoved(_ packet: borrowing StoredPacket) {
        self.bytes -= packet.byteCount
        guard !self.senders.isEmpty else { return }
        // It is the first or the second, as the packet was.
        let number = packet.number
        if let index = self.senders.firstIndex(where: { $0.number >= number }),
            self.senders[index].number == number
        {
            self.senders.remove(at: index)
        }
        if self.senders.isEmpty { self.senders = [] }
    }
}

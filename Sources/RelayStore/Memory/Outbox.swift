import DequeModule

/// The packets that wait for one client, and the deliveries of the first of them.
///
/// Of a client's packets only the first is ever delivered; so whether it was delivered before is
/// kept here and not with each packet. In the plain protocol one exchange at a time has it, and it
/// goes when that proves its arrival; in acknowledged mode several may have it beside each other,
/// and it goes when it is acknowledged.
struct Outbox: Sendable {
    /// Bytes of all packets, the one under way among them.
    private(set) var bytes = 0

    /// Who sent the packets of which that is known, in order: for few packets it is.
    private var senders: Deque<Sender> = []

    private var queue = PacketQueue()

    /// The exchange that the first packet is leased to; the latest of them, if it is several.
    private(set) var delivery: Ticket?

    /// Whether a delivery of the first packet has ended after bytes were written.
    private var isRedelivered = false

    /// Whether the first packet was leased in acknowledged mode, so that proof does not end it.
    private var needsAcknowledgement = false

    /// The other exchanges that have the first packet, which only acknowledged mode allows.
    private var otherDeliveries: [Ticket] = []

    private struct Sender: Sendable {
        let number: PacketNumber
        let name: ClientName
    }

    /// How many packets there are, the one under way among them.
    var count: Int { self.queue.count }

    var isEmpty: Bool { self.queue.isEmpty }

    /// How many packets wait: all but the one under way, unless that needs to be acknowledged.
    var waiting: Int {
        self.delivery == nil || self.needsAcknowledgement ? self.count : self.count - 1
    }

    /// How many exchanges have the first packet.
    var deliveries: Int { self.delivery == nil ? 0 : self.otherDeliveries.count + 1 }

    /// Whether there is a packet that is not under way.
    var hasWaiting: Bool { self.queue.count > (self.delivery == nil ? 0 : 1) }

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

    /// Leases the first packet to an exchange; one that is under way only in acknowledged mode.
    mutating func lease(
        to ticket: Ticket,
        needsAcknowledgement: Bool,
        in packets: borrowing Slab<StoredPacket>
    ) -> Packet? {
        guard let stored = self.queue.head(in: packets) else { return nil }
        let isRepeated = self.isRedelivered || self.delivery != nil
        if let other = self.delivery {
            self.otherDeliveries.append(other)
        } else {
            self.needsAcknowledgement = false
        }
        self.delivery = ticket
        if needsAcknowledgement { self.needsAcknowledgement = true }
        let sender = self.senders.first
        return Packet(
            number: stored.number,
            contents: stored.contents,
            from: sender?.number == stored.number ? sender?.name : nil,
            storedAtNanoseconds: stored.storedAt,
            attempts: 0,
            isRedelivered: isRepeated
        )
    }

    /// Whether this packet is leased to this exchange.
    func isLeased(
        _ number: PacketNumber,
        to ticket: Ticket,
        in packets: borrowing Slab<StoredPacket>
    ) -> Bool {
        (self.delivery == ticket || self.otherDeliveries.contains(ticket))
            && self.queue.headNumber(in: packets) == number
    }

    /// The exchange has delivered the packet under way.
    ///
    /// - Returns: the packet, which is gone; nil if it stays until it is acknowledged.
    mutating func deliveryProven(
        on ticket: Ticket,
        in packets: inout Slab<StoredPacket>
    ) -> StoredPacket? {
        if self.needsAcknowledgement {
            self.deliveryEnded(on: ticket, bytesWereWritten: true)
            return nil
        }
        return self.removeHead(from: &packets)
    }

    /// The exchange does not have the packet under way any more, which is still the first.
    mutating func deliveryEnded(on ticket: Ticket, bytesWereWritten: Bool) {
        if self.delivery == ticket {
            self.delivery = self.otherDeliveries.popLast()
        } else {
            self.otherDeliveries.removeAll { $0 == ticket }
        }
        // An empty array keeps its memory.
        if self.otherDeliveries.isEmpty { self.otherDeliveries = [] }
        if bytesWereWritten { self.isRedelivered = true }
    }

    /// The number of the oldest packet.
    func firstNumber(in packets: borrowing Slab<StoredPacket>) -> PacketNumber? {
        self.queue.headNumber(in: packets)
    }

    /// The numbers that are not above `number`, in order.
    func numbers(
        upTo number: PacketNumber,
        in packets: borrowing Slab<StoredPacket>
    ) -> [PacketNumber] {
        self.queue.numbers(upTo: number, in: packets)
    }

    /// Takes the first packet out if its number is not above `number`, under way or not.
    mutating func removeHead(
        upTo number: PacketNumber,
        from packets: inout Slab<StoredPacket>
    ) -> StoredPacket? {
        guard let head = self.queue.headNumber(in: packets), head <= number else { return nil }
        return self.removeHead(from: &packets)
    }

    private mutating func removeHead(from packets: inout Slab<StoredPacket>) -> StoredPacket? {
        guard let packet = self.queue.removeHead(from: &packets) else { return nil }
        self.isRedelivered = false
        self.delivery = nil
        if !self.otherDeliveries.isEmpty { self.otherDeliveries = [] }
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

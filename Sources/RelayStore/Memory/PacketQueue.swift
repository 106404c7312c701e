/// A packet as it stands in the memory of a shard: 32 bytes, and its contents.
struct StoredPacket: Sendable {
    /// The bytes of its contents; empty while they are in the journal only.
    private var bytes: [UInt8]

    /// Its number.
    let number: PacketNumber

    /// When it was stored, in nanoseconds of the clock that never goes back.
    let storedAt: UInt64

    /// How many of `bytes` are header fields, or how many there would be if `bytes` has none: far fewer
    /// than 4 GiB.
    private var headerCount: UInt32

    /// The place of the packet behind it.
    fileprivate(set) var next = PacketQueue.none

    /// A packet that is to be put into a queue.
    init(_ contents: PacketContents, number: PacketNumber, storedAt: UInt64) {
        self.bytes = contents.bytes
        self.headerCount = UInt32(contents.headerCount)
        self.number = number
        self.storedAt = storedAt
    }

    var contents: PacketContents {
        PacketContents(stored: self.bytes, headerCount: Int(self.headerCount))
    }

    /// What limits count.
    var byteCount: Int { self.bytes.isEmpty ? Int(self.headerCount) : self.bytes.count }

    /// The packet has so many bytes, which are in the journal.
    mutating func restore(byteCount: Int) { self.headerCount = UInt32(clamping: byteCount) }

    /// Leaves the bytes to the journal.
    mutating func forgetBytes() {
        self.headerCount = UInt32(clamping: self.byteCount)
        self.bytes = []
    }

}

/// Packets in order, chained through the slab of their shard: 12 bytes a queue.
struct PacketQueue: Sendable {
    /// No place.
    static let none = UInt32.max

    private var first = Self.none
    private var last = Self.none
    private var length: UInt32 = 0

    var count: Int { Int(self.length) }

    var isEmpty: Bool { self.length == 0 }

    /// The oldest packet.
    func head(in packets: borrowing Slab<StoredPacket>) -> StoredPacket? {
        self.isEmpty ? nil : packets[self.first]
    }

    /// The number of the oldest packet.
    func headNumber(in packets: borrowing Slab<StoredPacket>) -> PacketNumber? {
        self.isEmpty ? nil : packets[self.first].number
    }

    /// The numbers that are not above `number`, in order.
    func numbers(
        upTo number: PacketNumber,
        in packets: borrowing Slab<StoredPacket>
    ) -> [PacketNumber] {
        var numbers: [PacketNumber] = []
        var place = self.first
        while numbers.count < self.count, packets[place].number <= number {
            numbers.append(packets[place].number)
            place = packets[place].next
        }
        return numbers
    }

    /// When the oldest packet was stored.
    func headStoredAt(in packets: borrowing Slab<StoredPacket>) -> UInt64? {
        self.isEmpty ? nil : packets[self.first].storedAt
    }

    /// When the packet behind the oldest was stored.
    func secondStoredAt(in packets: borrowing Slab<StoredPacket>) -> UInt64? {
        self.length < 2 ? nil : packets[packets[self.first].next].storedAt
    }

    /// The number of the packet behind the oldest.
    func secondNumber(in packets: borrowing Slab<StoredPacket>) -> PacketNumber? {
        self.length < 2 ? nil : packets[packets[self.first].next].number
    }

    /// Adds a packet at the end.
    ///
    /// - Returns: its place.
    @discardableResult
    mutating func append(
        _ packet: consuming StoredPacket,
        in packets: inout Slab<StoredPacket>
    ) -> UInt32 {
        let slot = packets.insert(packet)
        self.link(slot, in: &packets)
        return slot
    }

    /// Adds the packet at this place, which is in no queue, at the end.
    mutating func link(_ slot: UInt32, in packets: inout Slab<StoredPacket>) {
        packets[slot].next = Self.none
        if self.isEmpty { self.first = slot } else { packets[self.last].next = slot }
        self.last = slot
        self.length += 1
    }

    /// Takes the oldest packet out.
    mutating func removeHead(from packets: inout Slab<StoredPacket>) -> StoredPacket? {
        guard !self.isEmpty else { return nil }
        let packet = packets.remove(self.first)
        self.first = packet.next
        self.length -= 1
        if self.isEmpty { self.last = Self.none }
        return packet
    }

    /// Takes the packet behind the oldest out.
    mutating func removeSecond(from packets: inout Slab<StoredPacket>) -> StoredPacket? {
        self.unlinkSecond(in: &packets).map { packets.remove($0) }
    }

    /// Takes the packet behind the oldest out of the queue and leaves it at its place, which it
    /// returns.
    mutating func unlinkSecond(in packets: inout Slab<StoredPacket>) -> UInt32? {
        guard self.length > 1 else { return nil }
        let slot = packets[self.first].next
        packets[self.first].next = packets[slot].next
        if self.last == slot { self.last = self.first }
        self.length -= 1
        return slot
    }
}

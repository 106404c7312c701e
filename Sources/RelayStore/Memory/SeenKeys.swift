import DequeModule

/// The keys of the packets that a client has sent within the dedupe window: the newest ones.
///
/// Found by a hash and forgotten in the order in which they came: 32 bytes a key, and at most 16 for
/// the index.
struct SeenKeys: Sendable {
    /// Oldest first.
    private var keys: Deque<Seen> = []

    /// The number of the first of them, by which the index counts.
    ///
    /// Wraps around, below the largest number, which the index has for what is vacant.
    private var first: UInt32 = 0

    private var index = SlotIndex()

    private struct Seen: Sendable {
        let fingerprint: PacketKey.Fingerprint
        /// In nanoseconds of the clock that never goes back.
        let at: UInt64
        let packet: PacketNumber
    }

    private static let numbers: UInt32 = 1 << 31

    var count: Int { self.keys.count }

    var isEmpty: Bool { self.keys.isEmpty }

    /// Whether the key is among them.
    func contains(_ key: PacketKey) -> Bool {
        let fingerprint = key.fingerprint
        return self.index.find(fingerprint.low) { number in
            self.keys[Int((number &- self.first) % Self.numbers)].fingerprint == fingerprint
        } != nil
    }

    /// Adds the key of a packet, which came at this time, in nanoseconds.
    mutating func insert(_ key: PacketKey, of packet: PacketNumber, at time: UInt64) {
        let number = (self.first &+ UInt32(self.keys.count)) % Self.numbers
        self.keys.append(Seen(fingerprint: key.fingerprint, at: time, packet: packet))
        self.index.insert(key.fingerprint.low, number)
    }

    /// Forgets those that came longer ago than `window`, in nanoseconds.
    mutating func expire(window: UInt64, at now: StoreInstant) {
        while let oldest = self.keys.first, now.nanoseconds(since: oldest.at) > window {
            self.removeOldest()
        }
    }

    /// Gives memory back that fewer keys do not need.
    mutating func releaseMemory() {
        self.index.shrinkIfSparse()
        if self.keys.isEmpty { self.keys = [] }
    }

    /// Forgets the oldest one.
    ///
    /// - Returns: the number of its packet.
    @discardableResult
    mutating func removeOldest() -> PacketNumber? {
        guard let oldest = self.keys.popFirst() else { return nil }
        self.index.remove(oldest.fingerprint.low, self.first)
        self.first = (self.first + 1) % Self.numbers
        return oldest.packet
    }
}

/// The way from one client to one pool: its packets in order, of which one at a time is under way.
///
/// Where packets may overtake each other a client has several lanes to a pool.
struct Lane: Sendable {
    /// The pool's place in the table of pools, and in the low six bits the lane's number: the record of
    /// a client holds one lane, and has no room for another word.
    private let place: UInt32

    /// So many lanes to a pool a client has at most, and so many packets under way there, where
    /// packets may overtake each other.
    static let lanesMax = 64

    /// How many attempts on the first packet were counted; no other was ever tried.
    private(set) var attempts: UInt32 = 0

    private var queue = PacketQueue()

    /// Whose it is.
    private(set) var state = State.unowned

    /// Whose a lane is, and whether its first packet is under way.
    enum State: Sendable, Equatable {
        /// Nobody's: its packets, if any, wait for somebody to take it up.
        case unowned
        /// The loop sends the first packet.
        case sending(UInt16)
        /// The backend took the first packet, whose reply is being stored.
        case completing(UInt16)
        /// The loop waits before it sends the first packet again.
        case waiting(UInt16)
    }

    /// A lane without packets, nobody's; `number` is below ``lanesMax``.
    init(to pool: PoolID, number: UInt8) {
        self.place = UInt32(truncatingIfNeeded: pool.index) << 6 | UInt32(number & 63)
    }

    var pool: PoolID { PoolID(index: Int(self.place >> 6)) }

    /// Which of the client's lanes to the pool it is.
    var number: UInt8 { UInt8(self.place & 63) }

    var count: Int { self.queue.count }

    var isEmpty: Bool { self.queue.isEmpty }

    var isUnowned: Bool { self.state == .unowned }

    private var isUnderWay: Bool {
        switch self.state {
        case .unowned, .waiting: false
        case .sending, .completing: true
        }
    }

    /// Whether the loop is sending the packet of this number.
    func isSending(
        _ number: PacketNumber,
        by loop: UInt16,
        in packets: borrowing Slab<StoredPacket>
    ) -> Bool {
        self.state == .sending(loop) && self.queue.headNumber(in: packets) == number
    }

    /// Whether the reply to the packet of this number is being stored for the loop.
    func isCompleting(
        _ number: PacketNumber,
        by loop: UInt16,
        in packets: borrowing Slab<StoredPacket>
    ) -> Bool {
        self.state == .completing(loop) && self.queue.headNumber(in: packets) == number
    }

    /// Whether the loop has the lane and may give it up: not between a reply and the end of its
    /// packet.
    func mayBeReleased(by loop: UInt16) -> Bool {
        self.state == .sending(loop) || self.state == .waiting(loop)
    }

    /// When the oldest packet was stored that is not under way.
    func oldestWaitingStoredAt(in packets: borrowing Slab<StoredPacket>) -> UInt64? {
        self.isUnderWay
            ? self.queue.secondStoredAt(in: packets) : self.queue.headStoredAt(in: packets)
    }

    /// Adds a packet behind all others.
    ///
    /// - Returns: its place.
    mutating func append(
        _ packet: consuming StoredPacket,
        in packets: inout Slab<StoredPacket>
    ) -> UInt32 {
        self.queue.append(packet, in: &packets)
    }

    /// The number of the packet behind the first.
    func secondNumber(in packets: borrowing Slab<StoredPacket>) -> PacketNumber? {
        self.queue.secondNumber(in: packets)
    }

    /// Moves the packet behind the first of `other` to the end of this lane.
    mutating func takeSecond(of other: inout Lane, in packets: inout Slab<StoredPacket>) {
        guard let place = other.queue.unlinkSecond(in: &packets) else { return }
        self.queue.link(place, in: &packets)
    }

    /// The loop takes the lane and sends the first packet.
    mutating func send(
        by loop: UInt16,
        from client: ClientName,
        in packets: borrowing Slab<StoredPacket>
    ) -> Packet? {
        guard let stored = self.queue.head(in: packets) else { return nil }
        self.state = .sending(loop)
        return Packet(
            number: stored.number,
            contents: stored.contents,
            from: client,
            storedAtNanoseconds: stored.storedAt,
            attempts: self.attempts,
            isRedelivered: false
        )
    }

    /// The backend took the packet that the loop sends, and gave a reply.
    mutating func replyReceived(by loop: UInt16) {
        self.state = .completing(loop)
    }

    /// The packet that the loop sends is to be sent again later.
    mutating func attemptFailed(by loop: UInt16, isCounted: Bool) {
        self.state = .waiting(loop)
        if isCounted, self.attempts < .max { self.attempts += 1 }
    }

    /// So many attempts on the first packet were counted before a restart.
    mutating func restore(attempts: UInt32) { self.attempts = attempts }

    /// The lane is nobody's from now on.
    mutating func release() {
        self.state = .unowned
    }

    /// Takes the first packet out, with the attempts on it.
    mutating func removeHead(
        from packets: inout Slab<StoredPacket>
    ) -> (packet: StoredPacket, attempts: UInt32)? {
        guard let packet = self.queue.removeHead(from: &packets) else { return nil }
        defer { self.attempts = 0 }
        return (packet, self.attempts)
    }

    /// Takes the oldest packet out that is not under way, with the attempts on it.
    mutating func removeOldestWaiting(
        from packets: inout Slab<StoredPacket>
    ) -> (packet: StoredPacket, attempts: UInt32)? {
        guard self.isUnderWay else { return self.removeHead(from: &packets) }
        return self.queue.removeSecond(from: &packets).map { ($0, 0) }
    }
}

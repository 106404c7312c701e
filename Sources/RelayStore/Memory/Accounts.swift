import Synchronization

/// Gives each packet its number.
final class PacketNumbers: Sendable {
    private let last: Atomic<UInt64>

    /// Numbers from this moment on, so that a store that forgets begins above those it gave before,
    /// even if the clock is set back later.
    init(from now: StoreInstant) {
        self.last = Atomic(max(now.unixMicroseconds, 1) - 1)
    }

    /// The largest number that was given; before the first, one below all that will be.
    var newest: PacketNumber { self.last.load(ordering: .relaxed) }

    /// A number that a journal gave, or may have given; no smaller one is given from now on.
    func take(_ number: PacketNumber) -> PacketNumber {
        self.last.max(number, ordering: .relaxed)
        return number
    }

    /// The next number: the time, or one more than the last.
    ///
    /// Called under the lock of the shard that stores the packet, so that numbers grow in the order
    /// in which a client's packets are stored.
    func next(at now: StoreInstant) -> PacketNumber {
        var last = self.last.load(ordering: .relaxed)
        while true {
            let number = max(last &+ 1, now.unixMicroseconds)
            let (isOurs, current) = self.last.weakCompareExchange(
                expected: last,
                desired: number,
                ordering: .relaxed
            )
            if isOurs { return number }
            last = current
        }
    }
}

/// What waits for the backends of one pool, in all shards.
final class PoolAccount: Sendable {
    private let packets = Atomic<Int>(0)
    private let bytes = Atomic<Int>(0)

    var backlog: Backlog {
        Backlog(
            packets: self.packets.load(ordering: .relaxed),
            bytes: self.bytes.load(ordering: .relaxed)
        )
    }

    /// Counts a packet, if that stays within the limits.
    func add(bytes count: Int, packetsMax: Int, bytesMax: Int) -> Bool {
        let packets = self.packets.wrappingAdd(1, ordering: .relaxed).newValue
        let bytes = self.bytes.wrappingAdd(count, ordering: .relaxed).newValue
        if packets <= packetsMax, bytes <= bytesMax { return true }
        self.remove(bytes: count)
        return false
    }

    /// A packet has gone.
    func remove(bytes count: Int) {
        self.packets.wrappingSubtract(1, ordering: .relaxed)
        self.bytes.wrappingSubtract(count, ordering: .relaxed)
    }
}

/// How many clients of one realm never logged in and have a record, in all shards.
final class StrangerAccount: Sendable {
    private let count = Atomic<Int>(0)

    /// Counts one more, if that stays within the limit.
    func add(max: Int) -> Bool {
        if self.count.wrappingAdd(1, ordering: .relaxed).newValue <= max { return true }
        self.remove()
        return false
    }

    /// One has logged in or is forgotten.
    func remove() {
        self.count.wrappingSubtract(1, ordering: .relaxed)
    }
}

/// What waits for all clients, and whether there is room for more.
///
/// Full at the limit, and not full again before a sixteenth of it has gone, so that loops do not
/// stop and start at every packet. The limit is soft: what a backend has given is stored.
final class OutboxAccount: Sendable {
    private let packets = Atomic<Int>(0)
    private let bytes = Atomic<Int>(0)
    private let packetsMax: Atomic<Int>
    private let bytesMax: Atomic<Int>
    private let full = Atomic<Bool>(false)

    /// Nothing waits.
    init(_ limits: StoreLimits) {
        self.packetsMax = Atomic(limits.outboxPacketsMax)
        self.bytesMax = Atomic(limits.outboxBytesMax)
    }

    var isFull: Bool { self.full.load(ordering: .relaxed) }

    var backlog: Backlog {
        Backlog(
            packets: self.packets.load(ordering: .relaxed),
            bytes: self.bytes.load(ordering: .relaxed)
        )
    }

    /// Other limits hold from the next `review` on.
    func setLimits(_ limits: StoreLimits) {
        self.packetsMax.store(limits.outboxPacketsMax, ordering: .relaxed)
        self.bytesMax.store(limits.outboxBytesMax, ordering: .relaxed)
    }

    /// A packet waits.
    func add(bytes count: Int, _ effects: inout Effects) {
        self.packets.wrappingAdd(1, ordering: .sequentiallyConsistent)
        self.bytes.wrappingAdd(count, ordering: .sequentiallyConsistent)
        self.review(&effects)
    }

    /// A packet has gone.
    func remove(bytes count: Int, _ effects: inout Effects) {
        self.packets.wrappingSubtract(1, ordering: .sequentiallyConsistent)
        self.bytes.wrappingSubtract(count, ordering: .sequentiallyConsistent)
        if self.full.load(ordering: .sequentiallyConsistent) { self.review(&effects) }
    }

    /// Decides whether there is room.
    ///
    /// Concurrency: who finds it full says so first and looks again after that; who takes a packet
    /// out does so first and looks for the flag after that. One of both sees the other, so the flag
    /// never stays with nothing left to take out.
    func review(_ effects: inout Effects) {
        if self.isAtLeast(0) { self.full.store(true, ordering: .sequentiallyConsistent) }
        guard self.full.load(ordering: .sequentiallyConsistent), !self.isAtLeast(1) else { return }
        if self.full.exchange(false, ordering: .sequentiallyConsistent) {
            effects.append(.repliesAccepted)
        }
    }

    /// Whether packets or bytes have reached the limit, or with `sixteenths` come near it.
    private func isAtLeast(_ sixteenths: Int) -> Bool {
        let packetsMax = self.packetsMax.load(ordering: .relaxed)
        let bytesMax = self.bytesMax.load(ordering: .relaxed)
        return self.packets.load(ordering: .sequentiallyConsistent)
            >= packetsMax - packetsMax / 16 * sixteenths
            || self.bytes.load(ordering: .sequentiallyConsistent)
                >= bytesMax - bytesMax / 16 * sixteenths
    }
}

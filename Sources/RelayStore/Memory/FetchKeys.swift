import DequeModule

/// The keys that backends gave packets that answered fetches, so that each packet is stored once.
///
/// A key is known for the dedupe window of the pool's realm, and the oldest goes first where there are too many.
/// About 200 bytes a key.
struct FetchKeys: Sendable {
    /// How many are known of all pools; beyond it a packet whose key has gone is stored again if its backend has not
    /// seen `Stored` yet.
    static let countMax = 100_000

    /// How far a packet is.
    enum Standing: Sendable {
        /// It is new, and being stored from now on.
        case new
        /// It is being stored.
        case storing
        /// It is stored, a dead letter, or lost.
        case dealtWith
    }

    private var isDealtWith: [FetchKey: Bool] = [:]

    /// Those dealt with, oldest first.
    private var order: Deque<(key: FetchKey, endsAt: UInt64)> = []

    /// A packet of this key has come.
    mutating func begin(_ key: FetchKey, at now: StoreInstant) -> Standing {
        self.expire(at: now)
        switch self.isDealtWith[key] {
        case true?: return .dealtWith
        case false?: return .storing
        case nil:
            self.isDealtWith[key] = false
            return .new
        }
    }

    /// The packet has been dealt with; its key is known for `window` nanoseconds from now on.
    mutating func finish(_ key: FetchKey, window: UInt64, at now: StoreInstant) {
        guard self.isDealtWith.updateValue(true, forKey: key) != true else { return }
        let (endsAt, isNever) = now.nanoseconds.addingReportingOverflow(window)
        self.order.append((key, isNever ? .max : endsAt))
        while self.order.count > Self.countMax, let oldest = self.order.popFirst() {
            self.isDealtWith[oldest.key] = nil
        }
    }

    /// Forgets those whose time is over.
    ///
    /// Where realms have different windows, a key may stay until older ones of a longer window have gone.
    mutating func expire(at now: StoreInstant) {
        while let oldest = self.order.first, oldest.endsAt < now.nanoseconds {
            self.order.removeFirst()
            self.isDealtWith[oldest.key] = nil
        }
    }
}

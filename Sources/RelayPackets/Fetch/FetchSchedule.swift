import RelayEngine

/// When the next fetch of one target follows the one before.
struct FetchSchedule {
    /// When a fetch was sent last.
    private var sentAt = MonotonicTime(nanoseconds: 0)

    /// How many have failed in a row.
    private(set) var failures = 0

    /// A fetch goes out.
    mutating func sent(at now: MonotonicTime) { self.sentAt = now }

    /// It was answered, or ended by its own timeout, which is an answer without a packet.
    ///
    /// - Returns: when the next one follows: at once after a packet, or where there is more, else `interval`
    ///   after this one was sent.
    mutating func answered(
        hasPacket: Bool,
        announcesMore: Bool = false,
        interval: Duration,
        at now: MonotonicTime
    ) -> MonotonicTime {
        self.failures = 0
        return hasPacket || announcesMore ? now : max(now, self.sentAt + interval)
    }

    /// It failed, or was answered with an error; the next one follows by backoff.
    ///
    /// - Returns: the number of the retry, 1 at first.
    mutating func failed() -> Int {
        self.failures += 1
        return self.failures
    }
}

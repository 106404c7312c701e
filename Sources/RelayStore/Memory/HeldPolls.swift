/// The polls of one client that wait for a packet, oldest first.
struct HeldPolls: Sendable {
    /// How many are held beside each other (DESIGN of the protocol: at most five).
    static let countMax = 5

    /// How long a poll is safe from a newcomer, in nanoseconds.
    static let graceNanoseconds: UInt64 = 1_000_000_000

    private var polls = ShortList<HeldPoll>()

    private struct HeldPoll: Sendable {
        let since: UInt64
        let ticket: Ticket
    }

    var count: Int { self.polls.count }

    var isEmpty: Bool { self.polls.isEmpty }

    /// Holds one more poll.
    ///
    /// Those held for a second or longer make way for it, and so does the oldest if there are too
    /// many.
    mutating func hold(_ ticket: Ticket, at now: StoreInstant, displaced: (Ticket) -> Void) {
        var index = 0
        while index < self.polls.count {
            if now.nanoseconds(since: self.polls[index].since) >= Self.graceNanoseconds {
                displaced(self.polls.remove(at: index).ticket)
            } else {
                index += 1
            }
        }
        if self.polls.count == Self.countMax { displaced(self.polls.remove(at: 0).ticket) }
        self.polls.append(HeldPoll(since: now.nanoseconds, ticket: ticket))
    }

    /// Takes the newest out: the next packet is for it.
    mutating func takeNewest() -> Ticket? {
        self.isEmpty ? nil : self.polls.remove(at: self.polls.count - 1).ticket
    }

    /// Takes the oldest out.
    mutating func takeOldest() -> Ticket? {
        self.isEmpty ? nil : self.polls.remove(at: 0).ticket
    }

    /// Takes this one out.
    ///
    /// False if it is not held.
    mutating func remove(_ ticket: Ticket) -> Bool {
        guard let index = self.polls.firstIndex(where: { $0.ticket == ticket }) else {
            return false
        }
        self.polls.remove(at: index)
        return true
    }
}

import DequeModule

/// The dead letters that are kept: the newest ones, within limits of age, number and bytes.
struct DeadLetters: Sendable {
    private var letters: Deque<DeadLetter> = []
    private var bytes = 0

    /// What holds for the whole store.
    var limits: StoreLimits

    /// No letters.
    init(_ limits: StoreLimits) {
        self.limits = limits
    }

    var backlog: Backlog { Backlog(packets: self.letters.count, bytes: self.bytes) }

    /// All of them, oldest first.
    var all: [DeadLetter] { Array(self.letters) }

    /// The one with this id.
    func letter(_ id: UInt64) -> DeadLetter? { self.letters.first { $0.id == id } }

    /// Takes the one with this id out; nil if there is none.
    mutating func remove(_ id: UInt64) -> DeadLetter? {
        guard let index = self.letters.firstIndex(where: { $0.id == id }) else { return nil }
        let letter = self.letters.remove(at: index)
        self.bytes -= letter.contents.byteCount
        return letter
    }

    /// Keeps one more; the oldest go out if there are too many.
    mutating func append(_ letter: DeadLetter) {
        self.letters.append(letter)
        self.bytes += letter.contents.byteCount
        self.trim()
    }

    /// Those that were kept long enough go out, and those beyond the limits.
    mutating func expire(at now: StoreInstant) {
        let kept = self.limits.deadLettersKept.nanosecondsClamped
        while let oldest = self.letters.first,
            now.nanoseconds(since: oldest.diedAt.nanoseconds) > kept
        {
            self.removeOldest()
        }
        self.trim()
        if self.letters.isEmpty { self.letters = [] }
    }

    private mutating func trim() {
        while !self.letters.isEmpty,
            self.letters.count > self.limits.deadLettersMax
                || self.bytes > self.limits.deadLetterBytesMax
        {
            self.removeOldest()
        }
    }

    private mutating func removeOldest() {
        guard let oldest = self.letters.popFirst() else { return }
        self.bytes -= oldest.contents.byteCount
    }
}

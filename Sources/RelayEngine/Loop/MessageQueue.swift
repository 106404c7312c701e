import Synchronization

/// What other threads want a loop to do, in order of posting.
///
/// Concurrency: the poster appends, sets `isFilled`, then asks whether the loop sleeps; the loop says
/// that it sleeps, then asks `isFilled`. All four are sequentially consistent, so one of the two sees
/// the other: no message waits for a loop that sleeps, and nobody wakes one that does not.
struct MessageQueue: ~Copyable {
    typealias Message = @Sendable (EventLoop) -> Void

    private let messages = Mutex<[Message]>([])
    private let isFilled = Atomic<Bool>(false)
    private let isAsleep = Atomic<Bool>(false)

    /// Appends a message; true if the caller must wake the loop.
    func append(_ message: @escaping Message) -> Bool {
        self.messages.withLock { $0.append(message) }
        self.isFilled.store(true, ordering: .sequentiallyConsistent)
        guard self.isAsleep.load(ordering: .sequentiallyConsistent) else { return false }
        return self.isAsleep.exchange(false, ordering: .sequentiallyConsistent)
    }

    /// Whether there may be messages.
    var hasMessages: Bool { self.isFilled.load(ordering: .relaxed) }

    /// Swaps all messages for `empty`, which keeps its storage for the next ones.
    func take(into empty: inout [Message]) {
        self.isFilled.store(false, ordering: .sequentiallyConsistent)
        self.messages.withLock { swap(&$0, &empty) }
    }

    /// The loop is about to sleep; false if it must not, because there are messages.
    func fallAsleep() -> Bool {
        self.isAsleep.store(true, ordering: .sequentiallyConsistent)
        if !self.isFilled.load(ordering: .sequentiallyConsistent) { return true }
        self.isAsleep.store(false, ordering: .relaxed)
        return false
    }

    /// The loop runs again.
    func wakeUp() {
        self.isAsleep.store(false, ordering: .relaxed)
    }
}

import RelayEngine

/// Virtual time, and what will happen in it.
///
/// Time stands still until `advance` moves it; events of the same time happen in the order in which
/// they were scheduled.
final class Timeline {
    /// Whether something on its way keeps the system from being quiet.
    enum Weight {
        /// Something is on its way: a segment, an answer, a job.
        case foreground
        /// A guard that usually does nothing: a retransmission limit, a clock jump.
        case background
    }

    /// Names a scheduled event.
    struct Ticket: Hashable {
        fileprivate let sequence: UInt64
    }

    private struct Entry {
        let time: MonotonicTime
        let sequence: UInt64
        let weight: Weight
        let action: () -> Void

        func precedes(_ other: Entry) -> Bool {
            (self.time, self.sequence) < (other.time, other.sequence)
        }
    }

    /// The virtual time, which starts at an hour, so that nothing takes 0 for 'not set'.
    private(set) var now = MonotonicTime(nanoseconds: 3_600_000_000_000)
    /// How many foreground events are on their way.
    private(set) var foregroundCount = 0
    /// How many events have happened.
    private(set) var happened = 0
    /// A binary heap, the earliest first.
    private var heap: [Entry] = []
    private var sequence: UInt64 = 0
    private var cancelled: Set<Ticket> = []

    /// When the next event is due; nil if none is.
    var nextTime: MonotonicTime? {
        self.dropCancelled()
        return self.heap.first?.time
    }

    /// Has `action` happen `delay` from now.
    @discardableResult
    func schedule(
        after delay: Duration,
        _ weight: Weight = .foreground,
        _ action: @escaping () -> Void
    ) -> Ticket {
        self.schedule(at: self.now + delay, weight, action)
    }

    /// Has `action` happen at `time`, or at once if that has passed.
    @discardableResult
    func schedule(
        at time: MonotonicTime,
        _ weight: Weight = .foreground,
        _ action: @escaping () -> Void
    ) -> Ticket {
        self.sequence += 1
        if weight == .foreground { self.foregroundCount += 1 }
        let entry = Entry(
            time: max(time, self.now),
            sequence: self.sequence,
            weight: weight,
            action: action
        )
        self.heap.append(entry)
        self.siftUp(self.heap.count - 1)
        return Ticket(sequence: entry.sequence)
    }

    /// Has a background event, which has not happened yet, not happen.
    func cancel(_ ticket: Ticket) {
        self.cancelled.insert(ticket)
    }

    /// Forgets all that is to happen.
    func clear() {
        self.heap = []
        self.cancelled = []
        self.foregroundCount = 0
    }

    /// Moves time forward to `time`, then has happen what is due; true if anything was.
    @discardableResult
    func advance(to time: MonotonicTime) -> Bool {
        self.now = max(self.now, time)
        let before = self.happened
        while let next = self.nextTime, next <= self.now, let entry = self.takeFirst() {
            if entry.weight == .foreground { self.foregroundCount -= 1 }
            self.happened += 1
            entry.action()
        }
        return self.happened != before
    }

    private func dropCancelled() {
        while let first = self.heap.first,
            self.cancelled.remove(Ticket(sequence: first.sequence)) != nil
        {
            _ = self.takeFirst()
        }
    }

    private func takeFirst() -> Entry? {
        guard let first = self.heap.first else { return nil }
        let last = self.heap.removeLast()
        if !self.heap.isEmpty {
            self.heap[0] = last
            self.siftDown()
        }
        return first
    }

    private func siftUp(_ start: Int) {
        var index = start
        while index > 0 {
            let parent = (index - 1) / 2
            guard self.heap[index].precedes(self.heap[parent]) else { return }
            self.heap.swapAt(index, parent)
            index = parent
        }
    }

    private func siftDown() {
        var index = 0
        while true {
            var least = index
            for child in [2 * index + 1, 2 * index + 2] where child < self.heap.count {
                if self.heap[child].precedes(self.heap[least]) { least = child }
            }
            if least == index { return }
            self.heap.swapAt(index, least)
            index = least
        }
    }
}

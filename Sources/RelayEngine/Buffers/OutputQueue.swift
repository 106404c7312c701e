import DequeModule

/// Bytes on their way to a socket, in order: copied ones side by side, large shared ones by reference.
///
/// A stream has one only while it has output; the loop keeps a few for the next.
///
/// `@safe`: the memory is private; spans of it live no longer than the call they are given to.
@safe
final class OutputQueue {
    private enum Segment {
        /// The next so many bytes of `memory`.
        case copied(Int)
        /// Bytes of somebody else's array.
        case shared([UInt8], Range<Int>)
    }

    /// The copied bytes stand in `start..<end`.
    private var memory = unsafe UnsafeMutableBufferPointer<UInt8>(start: nil, count: 0)
    private var start = 0
    private var end = 0
    /// What comes first; behind it, copied bytes that are in no segment yet.
    ///
    /// Empty unless something is shared.
    private var segments: Deque<Segment> = []
    /// The copied bytes behind the last segment.
    private var copiedBehind = 0

    /// How many bytes wait.
    private(set) var count = 0

    /// The next spare one of the loop, while this one is spare.
    fileprivate var nextSpare: OutputQueue?

    /// How much memory it holds on to.
    var capacity: Int { unsafe self.memory.count }

    /// Whether it goes out in one part.
    var isContiguous: Bool { self.segments.isEmpty }

    /// Enough for the head and the small body of most messages, and small enough that the allocator
    /// finds such memory at once.
    private static let capacityMin = 1024

    deinit {
        unsafe self.memory.deallocate()
    }

    /// Appends a copy of `bytes`.
    @inline(__always)
    func append(_ bytes: Span<UInt8>) {
        guard !bytes.isEmpty else { return }
        self.reserve(bytes.count)
        unsafe bytes.withUnsafeBytes { source in
            let room = unsafe UnsafeMutableRawBufferPointer(
                rebasing: UnsafeMutableRawBufferPointer(self.memory)[self.end...]
            )
            unsafe room.copyMemory(from: source)
        }
        self.appended(bytes.count)
    }

    /// Appends up to `capacity` bytes that `body` writes; returns how many.
    func append(upTo capacity: Int, _ body: (inout OutputSpan<UInt8>) -> Void) -> Int {
        guard capacity > 0 else { return 0 }
        self.reserve(capacity)
        let room = unsafe UnsafeMutableBufferPointer(
            rebasing: self.memory[self.end..<(self.end + capacity)]
        )
        var output = unsafe OutputSpan(buffer: room, initializedCount: 0)
        body(&output)
        let count = unsafe output.finalize(for: room)
        self.appended(count)
        return count
    }

    /// Appends `bytes[range]` by reference.
    func append(shared bytes: [UInt8], _ range: Range<Int>) {
        if self.copiedBehind > 0 {
            self.segments.append(.copied(self.copiedBehind))
            self.copiedBehind = 0
        }
        self.segments.append(.shared(bytes, range))
        self.count += range.count
    }

    /// Sends from the front, as much as one system call takes, and forgets what was sent.
    func send(to descriptor: Descriptor, _ system: SystemCalls) -> SystemResult {
        let result: SystemResult
        if self.segments.isEmpty {
            let bytes = unsafe UnsafeBufferPointer(rebasing: self.memory[self.start..<self.end])
            result = unsafe system.send(descriptor, bytes.span)
        } else {
            var parts: [OutputPart] = []
            result = self.gather(0, behind: self.start, &parts) { parts in
                system.send(descriptor, gathering: parts.span)
            }
        }
        self.remove(result.value)
        return result
    }

    /// Forgets everything.
    func removeAll() {
        self.remove(self.count)
    }
}

extension OutputQueue {
    private func appended(_ count: Int) {
        self.end += count
        self.count += count
        self.copiedBehind += count
    }

    /// Makes room for `count` more copied bytes.
    @inline(__always)
    private func reserve(_ count: Int) {
        if self.capacity - self.end < count { self.makeRoom(count) }
    }

    private func makeRoom(_ count: Int) {
        let used = self.end - self.start
        let bytes = unsafe UnsafeRawBufferPointer(
            rebasing: UnsafeRawBufferPointer(self.memory)[self.start..<self.end]
        )
        if self.capacity >= 2 * (used + count) {
            // The front half at least is free: moving down costs no more than was written since.
            unsafe UnsafeMutableRawBufferPointer(self.memory).copyMemory(from: bytes)
        } else {
            let capacity = max(OutputQueue.capacityMin, 2 * (used + count))
            let larger = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: capacity)
            unsafe UnsafeMutableRawBufferPointer(larger).copyMemory(from: bytes)
            unsafe self.memory.deallocate()
            unsafe self.memory = larger
        }
        self.start = 0
        self.end = used
    }

    /// Collects the parts from segment `index` on, each kept alive by the call that it was
    /// collected in, and calls `send` inside of all of them.
    ///
    /// `position` is where its copied bytes begin.
    private func gather(
        _ index: Int,
        behind position: Int,
        _ parts: inout [OutputPart],
        _ send: ([OutputPart]) -> SystemResult
    ) -> SystemResult {
        if parts.count == OutputPart.gatheredMax { return send(parts) }
        guard index < self.segments.count else {
            if self.copiedBehind > 0 { self.appendPart(position, self.copiedBehind, &parts) }
            return send(parts)
        }
        switch self.segments[index] {
        case .copied(let count):
            self.appendPart(position, count, &parts)
            return self.gather(index + 1, behind: position + count, &parts, send)
        case .shared(let bytes, let range):
            return unsafe bytes.withUnsafeBytes { whole in
                let part = unsafe UnsafeRawBufferPointer(rebasing: whole[range])
                if let base = part.baseAddress {
                    unsafe parts.append(OutputPart(base: base, count: part.count))
                }
                return self.gather(index + 1, behind: position, &parts, send)
            }
        }
    }

    private func appendPart(_ position: Int, _ count: Int, _ parts: inout [OutputPart]) {
        let part = unsafe UnsafeRawBufferPointer(
            rebasing: UnsafeRawBufferPointer(self.memory)[position..<(position + count)]
        )
        if let base = part.baseAddress {
            unsafe parts.append(OutputPart(base: base, count: count))
        }
    }

    /// Forgets `count` bytes from the front.
    @inline(__always)
    private func remove(_ count: Int) {
        let copied = self.segments.isEmpty ? count : self.removeSegments(count)
        self.count -= count
        self.start += copied
        self.copiedBehind -= copied
        if self.start == self.end {
            self.start = 0
            self.end = 0
        }
    }

    /// Forgets as much of `count` bytes as stands in segments; returns how many are left to forget
    /// behind them.
    private func removeSegments(_ count: Int) -> Int {
        var rest = count
        while rest > 0, let first = self.segments.popFirst() {
            switch first {
            case .copied(let length):
                let taken = min(rest, length)
                self.start += taken
                rest -= taken
                if taken < length { self.segments.prepend(.copied(length - taken)) }
            case .shared(let bytes, let range):
                let taken = min(rest, range.count)
                rest -= taken
                if taken < range.count {
                    self.segments.prepend(
                        .shared(bytes, (range.lowerBound + taken)..<range.upperBound)
                    )
                }
            }
        }
        return rest
    }
}

/// Empty output queues that no stream of a loop needs at the moment, the last used one first.
struct SpareQueues {
    private var first: OutputQueue?
    private var count = 0

    /// A spare queue, or a new one.
    mutating func take() -> OutputQueue {
        guard let queue = self.first.take() else { return OutputQueue() }
        self.first = queue.nextSpare.take()
        self.count -= 1
        return queue
    }

    /// Keeps an empty queue for the next stream.
    ///
    /// Many small ones and a few large ones, so that a burst's memory goes back to the system.
    mutating func put(_ queue: consuming OutputQueue) {
        let sparesMax =
            switch queue.capacity {
            case ...1024: 256
            case ...16_384: 64
            case ...262_144: 8
            default: 0
            }
        guard self.count < sparesMax else { return }
        queue.nextSpare = self.first.take()
        self.first = queue
        self.count += 1
    }
}

import DequeModule
import RelayObservation
import Synchronization

/// What waits for the thread that writes: operations, within bounds, and changes, which are never
/// refused.
///
/// From any thread; `next`, `finished` and `wait` are for the writer.
final class WriteQueue: Sendable {
    /// One thing to be written.
    enum Item: Sendable {
        case operation(StoreOperation)
        case change(StoreChange)
    }

    /// Why appends are refused.
    enum State: Sendable, Equatable {
        /// They are not.
        case writing
        /// The disk is full, or does not take a commit.
        case refusing
        /// The file is damaged: nothing will be written any more.
        case broken
        /// relay ends, and writes what is left.
        case stopping
    }

    private struct Waiting: Sendable {
        var items: Deque<Item> = []
        var operations = 0
        var bytes = 0
        var state = State.writing
        var isAsleep = false
    }

    /// Operations that may wait, those that are being written among them.
    static let operationsMax = 8192

    /// The bytes of their packets.
    static let bytesMax = 16 << 20

    /// What one transaction takes.
    static let batchMax = 1024
    static let batchBytesMax = 4 << 20

    private let waiting = Mutex(Waiting())
    private let wake = WriterWake()

    /// Adds an operation, unless it may be refused and there is no room.
    func add(_ operation: StoreOperation) -> JournalAnswer {
        let bytes = operation.byteCount
        let (answer, isAsleep) = self.waiting.withLock { waiting -> (JournalAnswer, Bool) in
            if operation.mayBeRefused {
                guard waiting.state == .writing || waiting.state == .stopping,
                    waiting.operations < Self.operationsMax, waiting.bytes < Self.bytesMax
                else { return (.refused, false) }
                waiting.operations += 1
                waiting.bytes += bytes
            }
            return (.pending, Self.add(.operation(operation), to: &waiting))
        }
        if isAsleep { self.wake.signal() }
        return answer
    }

    /// Adds changes.
    func add(_ changes: [StoreChange]) {
        let isAsleep = self.waiting.withLock { waiting in
            changes.reduce(false) { Self.add(.change($1), to: &waiting) || $0 }
        }
        if isAsleep { self.wake.signal() }
    }

    /// Takes the next batch out; empty if nothing waits.
    func next() -> [Item] {
        self.waiting.withLock { waiting in
            var batch: [Item] = []
            var bytes = 0
            while batch.count < Self.batchMax, bytes < Self.batchBytesMax,
                let item = waiting.items.popFirst()
            {
                if case .operation(let operation) = item { bytes += operation.byteCount }
                batch.append(item)
            }
            return batch
        }
    }

    /// A batch is dealt with: its operations do not wait any more.
    func finished(_ batch: [Item]) {
        self.waiting.withLock { waiting in
            for case .operation(let operation) in batch where operation.mayBeRefused {
                waiting.operations -= 1
                waiting.bytes -= operation.byteCount
            }
        }
    }

    /// Operations that may be refused, and were not dealt with after all, are the first again.
    func putBack(_ operations: [StoreOperation]) {
        self.waiting.withLock { waiting in
            for operation in operations.reversed() {
                waiting.items.prepend(.operation(operation))
                waiting.operations += 1
                waiting.bytes += operation.byteCount
            }
        }
    }

    /// Sleeps until there is something to write, or so many milliseconds if that is said.
    func wait(milliseconds: Int?) {
        let isIdle = self.waiting.withLock { waiting in
            waiting.isAsleep = waiting.items.isEmpty && waiting.state != .stopping
            return waiting.isAsleep
        }
        guard isIdle else { return }
        if let milliseconds {
            self.wake.wait(milliseconds: milliseconds)
        } else {
            self.wake.wait()
        }
        self.waiting.withLock { $0.isAsleep = false }
    }

    /// Sleeps for so long, or until relay ends.
    func pause(milliseconds: Int) { self.wake.wait(milliseconds: milliseconds) }

    /// Whether everything is written, and all that follows from it has been told.
    var isIdle: Bool { self.waiting.withLock { $0.isAsleep && $0.items.isEmpty } }

    /// Whether appends are taken.
    var state: State { self.waiting.withLock { $0.state } }

    /// Appends are taken or refused from now on; a stopping queue stays one.
    func become(_ state: State) {
        self.waiting.withLock { if $0.state != .stopping { $0.state = state } }
    }

    /// What is there is written, and then the writer ends.
    func stop() {
        let isAsleep = self.waiting.withLock { waiting in
            defer { waiting.isAsleep = false }
            waiting.state = .stopping
            return waiting.isAsleep
        }
        if isAsleep { self.wake.signal() }
    }

    /// How many operations wait, and the bytes of their packets.
    var backlog: Backlog {
        self.waiting.withLock { Backlog(packets: $0.operations, bytes: $0.bytes) }
    }

    /// - Returns: whether the writer has to be woken.
    private static func add(_ item: Item, to waiting: inout Waiting) -> Bool {
        waiting.items.append(item)
        defer { waiting.isAsleep = false }
        return waiting.isAsleep
    }
}

extension StoreOperation {
    /// The bytes that it stores.
    var byteCount: Int {
        switch self {
        case .logIn, .acknowledge, .logOut, .endSession, .died, .dropped, .lossesTold: 0
        case .send(let contents, _, _, _, _): contents.byteCount
        case .sendDirect(let contents, _, let recipients, _, _):
            contents.byteCount.multipliedReportingOverflow(by: recipients.count).partialValue
        case .consumed(_, _, let reply, _): reply?.byteCount ?? 0
        case .append(let reply, _, _), .push(let reply, _, _, _), .fetched(.reply(let reply), _, _):
            reply.byteCount
        case .retry(_, let contents): contents.byteCount
        case .fetched(.unusable, _, _): 0
        }
    }
}

extension Reply {
    /// The bytes that it takes for all its recipients.
    fileprivate var byteCount: Int {
        self.contents.byteCount.multipliedReportingOverflow(by: self.recipients.count).partialValue
    }
}

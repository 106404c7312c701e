import CLinux
import Glibc
import Synchronization

/// Finished log lines on their way to a file descriptor, with a writer thread behind it.
///
/// Bounded: while the reader of the descriptor stalls, lines are dropped and counted, and nobody who
/// logs ever waits. From any thread.
package final class LogRing: Sendable {
    private struct Queue {
        var lines: [UInt8] = []
        var dropped: UInt64 = 0
        var appended: UInt64 = 0
        var written: UInt64 = 0
        var isWriterAsleep = false
        var reopens = false
        var isClosed = false
    }

    private let bytesMax: Int
    private let queue = Mutex(Queue())
    private let output: Mutex<LogOutputFile>
    private let wake = WriterWake()

    /// A ring that holds at most `bytesMax` bytes of lines on their way to `sink`.
    ///
    /// Without `startingWriter` nothing is written until `drain()` is called by hand, for tests.
    package init(sink: LogSink, bytesMax: Int = 1 << 20, startingWriter: Bool = true) {
        self.bytesMax = bytesMax
        self.output = Mutex(LogOutputFile(sink: sink))
        if startingWriter { self.startWriter() }
    }

    /// Appends a line, its newline included; drops and counts it if there is no room.
    package func append(_ line: Span<UInt8>) {
        let wakes = self.queue.withLock { queue in
            guard !queue.isClosed, queue.lines.count + line.count <= self.bytesMax else {
                queue.dropped += 1
                return false
            }
            unsafe line.withUnsafeBytes { unsafe queue.lines.append(contentsOf: $0) }
            queue.appended += UInt64(line.count)
            defer { queue.isWriterAsleep = false }
            return queue.isWriterAsleep
        }
        if wakes { self.wake.signal() }
    }

    /// How many lines were dropped.
    package var dropped: UInt64 { self.queue.withLock { $0.dropped } }

    /// Has the sink opened again before the next line (log rotation).
    package func reopen() {
        let wakes = self.queue.withLock { queue in
            queue.reopens = true
            defer { queue.isWriterAsleep = false }
            return queue.isWriterAsleep
        }
        if wakes { self.wake.signal() }
    }

    /// Waits until what was appended before is written, or `timeout` has passed.
    ///
    /// Not from a loop.
    package func flush(timeout: Duration) {
        let goal = self.queue.withLock { $0.appended }
        let clock = ContinuousClock()
        let end = clock.now + timeout
        // Asked at the end of the process only, so that polling is simpler than another signal.
        while self.queue.withLock({ $0.written < goal }), clock.now < end {
            usleep(1000)
        }
    }

    /// Writes what is queued on the calling thread; for a ring without a writer.
    package func drain() {
        self.writeQueued()
    }

    /// Ends the writer once it has written what is queued; later lines are dropped.
    package func close() {
        self.queue.withLock { $0.isClosed = true }
        self.wake.signal()
    }

    private func startWriter() {
        Writer.start(named: "log") { self.serve() }
    }

    private func serve() {
        while true {
            self.writeQueued()
            let (sleeps, ends) = self.queue.withLock { queue in
                let isIdle = queue.lines.isEmpty && !queue.reopens
                queue.isWriterAsleep = isIdle && !queue.isClosed
                return (queue.isWriterAsleep, isIdle && queue.isClosed)
            }
            if ends { return }
            if sleeps { self.wake.wait() }
        }
    }

    /// Takes the queue and writes it.
    ///
    /// The lock is not held while writing.
    private func writeQueued() {
        let (lines, reopens) = self.queue.withLock { queue in
            var lines: [UInt8] = []
            swap(&lines, &queue.lines)
            defer { queue.reopens = false }
            return (lines, queue.reopens)
        }
        self.output.withLock { output in
            if reopens { output.reopen() }
            output.write(lines)
        }
        self.queue.withLock { $0.written += UInt64(lines.count) }
    }
}

/// Where log lines end.
package enum LogSink: Hashable, Sendable {
    /// A descriptor that stays open: 1, 2 or an inherited one.
    case descriptor(Int32)
    /// A file, appended to, made with mode 0640, opened again by `LogRing.reopen()`.
    case file(path: String)
}

/// The open sink.
private struct LogOutputFile: ~Copyable {
    private let sink: LogSink
    private var descriptor: Int32 = -1

    init(sink: LogSink) {
        self.sink = sink
        self.open()
    }

    deinit {
        if case .file = self.sink, self.descriptor >= 0 { close(self.descriptor) }
    }

    /// Opens the file anew; if that fails the old one goes on.
    mutating func reopen() {
        guard case .file = self.sink else { return }
        let old = self.descriptor
        self.open()
        if old >= 0, self.descriptor != old { close(old) }
    }

    /// Writes all of `bytes`, waiting as long as it takes; gives up on an error.
    func write(_ bytes: [UInt8]) {
        unsafe bytes.withUnsafeBytes { bytes in
            var written = 0
            while written < bytes.count {
                let count = unsafe Glibc.write(
                    self.descriptor,
                    bytes.baseAddress.map { unsafe $0 + written },
                    bytes.count - written
                )
                if count >= 0 {
                    written += count
                } else if errno == EAGAIN {
                    // Somebody made standard error non-blocking.
                    var waiting = pollfd(fd: self.descriptor, events: Int16(POLLOUT), revents: 0)
                    unsafe poll(&waiting, 1, 1000)
                } else if errno != EINTR {
                    return
                }
            }
        }
    }

    private mutating func open() {
        switch self.sink {
        case .descriptor(let descriptor):
            self.descriptor = descriptor
        case .file(let path):
            let opened = unsafe relay_open_for_append(path, 0o640)
            if opened >= 0 { self.descriptor = opened }
        }
    }
}

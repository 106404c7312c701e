/// Finished log lines on their way to a file descriptor, with a writer thread behind it.
///
/// Bounded: while the reader of the descriptor stalls, lines are dropped and counted, and nobody who
/// logs ever waits. From any thread.
package final class LogRing: Sendable {
    /// A ring that holds at most `bytesMax` bytes of lines on their way to `sink`.
    ///
    /// Without `startingWriter` nothing is written until `drain()` is called by hand, for tests.
    package init(sink: LogSink, bytesMax: Int = 1 << 20, startingWriter: Bool = true) {
        fatalError()
    }

    /// Appends a line, its newline included; drops and counts it if there is no room.
    package func append(_ line: Span<UInt8>) { fatalError() }

    /// How many lines were dropped.
    package var dropped: UInt64 { fatalError() }

    /// Has the sink opened again before the next line (log rotation).
    package func reopen() { fatalError() }

    /// Waits until what was appended before is written, or `timeout` has passed. Not from a loop.
    package func flush(timeout: Duration) { fatalError() }

    /// Writes what is queued on the calling thread; for a ring without a writer.
    package func drain() { fatalError() }
}

/// Where log lines end.
package enum LogSink: Hashable, Sendable {
    /// A descriptor that stays open: 1, 2 or an inherited one.
    case descriptor(Int32)
    /// A file, appended to, made with mode 0640, opened again by `LogRing.reopen()`.
    case file(path: String)
}

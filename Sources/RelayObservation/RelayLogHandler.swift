import CLinux
import Glibc
package import Logging
import Synchronization

/// What relay's own log looks like; shared by all loggers, changed at a reload.
package final class LogOutput: Sendable {
    fileprivate let ring: LogRing
    private let formatAndLevel: Mutex<(format: LogFormat, level: Logger.Level)>

    /// Log lines to `ring`, from `level` on, in `format`.
    package init(ring: LogRing, level: Logger.Level, format: LogFormat) {
        self.ring = ring
        self.formatAndLevel = Mutex((format, level))
    }

    /// The level and format from now on; from any thread.
    package func update(level: Logger.Level, format: LogFormat) {
        self.formatAndLevel.withLock { $0 = (format, level) }
    }

    /// A logger that writes here, with a `label` that says what part of relay speaks (field `component`).
    package func logger(label: String) -> Logger {
        Logger(label: label) { RelayLogHandler(label: $0, output: self) }
    }

    fileprivate var level: Logger.Level { self.formatAndLevel.withLock { $0.level } }

    fileprivate var format: LogFormat { self.formatAndLevel.withLock { $0.format } }
}

/// The shape of a log line.
package enum LogFormat: Hashable, Sendable {
    /// `2026-01-31T12:00:00.000Z info  message key=value`
    case text
    /// One JSON object: `time`, `level`, `message`, and the metadata fields.
    case json
}

/// Writes swift-log's lines into a log ring.
private struct RelayLogHandler: LogHandler {
    let label: String
    let output: LogOutput
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?
    /// A level that somebody gave this one logger.
    private var ownLevel: Logger.Level?

    init(label: String, output: LogOutput) {
        self.label = label
        self.output = output
    }

    var logLevel: Logger.Level {
        get { self.ownLevel ?? self.output.level }
        set { self.ownLevel = newValue }
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { self.metadata[key] }
        set { self.metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var fields = self.metadata
        fields["component"] = "\(self.label)"
        if let provided = self.metadataProvider?.get() {
            fields.merge(provided) { _, new in new }
        }
        if let given = event.metadata { fields.merge(given) { _, new in new } }
        if let error = event.error { fields["error"] = "\(error)" }
        let line = LogLine(
            nanoseconds: wallClockNanoseconds(),
            level: event.level,
            message: event.message.description,
            fields: fields
        )
        self.output.ring.append(line.bytes(self.output.format).span)
    }
}

private func wallClockNanoseconds() -> Int64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
}

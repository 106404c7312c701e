package import Logging

/// What relay's own log looks like; shared by all loggers, changed at a reload.
package final class LogOutput: Sendable {
    /// Log lines to `ring`, from `level` on, in `format`.
    package init(ring: LogRing, level: Logger.Level, format: LogFormat) { fatalError() }

    /// The level and format from now on; from any thread.
    package func update(level: Logger.Level, format: LogFormat) { fatalError() }

    /// A logger that writes here, with a `label` that says what part of relay speaks.
    package func logger(label: String) -> Logger { fatalError() }
}

/// The shape of a log line.
package enum LogFormat: Hashable, Sendable {
    /// `2026-01-31T12:00:00.000Z info  message key=value`
    case text
    /// One JSON object: `time`, `level`, `message`, and the metadata fields.
    case json
}

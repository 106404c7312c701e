package import Logging
package import RelayConfig
package import RelayObservation

/// What relay.yaml says of the log, in the words of those who write it.
extension LogConfiguration {
    /// `log.level`.
    package var loggerLevel: Logger.Level {
        switch self.level {
        case .trace: .trace
        case .debug: .debug
        case .info: .info
        case .notice: .notice
        case .warning: .warning
        case .error: .error
        case .critical: .critical
        }
    }

    /// `log.format`.
    package var logFormat: LogFormat {
        switch self.format {
        case .text: .text
        case .json: .json
        }
    }
}

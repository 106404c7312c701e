/// `log`: what is logged, and how.
package struct LogConfiguration: Sendable, Equatable {
    /// `level`: the least important line that is logged.
    ///
    /// Default info.
    package var level: Level = .info

    /// `format`: how a line looks.
    ///
    /// Default text.
    package var format: Format = .text

    /// `access`: a line for every request.
    ///
    /// Default off.
    package var access: Access = .off

    /// The defaults.
    package init() {}

    /// How important a line is, from the least to the most.
    package enum Level: String, Sendable, CaseIterable {
        case trace, debug, info, notice, warning, error, critical
    }

    /// How a line looks.
    package enum Format: String, Sendable, CaseIterable {
        /// For people.
        case text
        /// One JSON object a line.
        case json
    }

    /// Where the access log goes.
    package enum Access: String, Sendable, CaseIterable {
        /// Nowhere.
        case off
    }
}

/// A problem of the configuration: where it is, and what the operator can do about it.
package struct Diagnostic: Sendable, Hashable {
    /// What becomes of the configuration.
    package enum Severity: String, Sendable {
        /// It cannot be used.
        case error
        /// It can be used, and is likely not to do what was meant.
        case warning
    }

    /// Whether the configuration can be used in spite of it.
    package var severity: Severity

    /// Where it is.
    ///
    /// Nil for what has no place in a text, as a file that cannot be read.
    package var location: SourceLocation?

    /// One sentence without a full stop: the wrong value in single quotes, the remedy at its end.
    package var message: String

    /// The line at `location` as it stands in the file; nil if there is none to show.
    package var sourceLine: String?

    /// Describes a problem.
    package init(
        _ severity: Severity,
        at location: SourceLocation?,
        _ message: String,
        sourceLine: String? = nil
    ) {
        self.severity = severity
        self.location = location
        self.message = message
        self.sourceLine = sourceLine
    }
}

extension Diagnostic {
    /// The problem in one line: `relay.yaml:12:5: error: unknown key 'timout' in pool 'app'`.
    package var summary: String {
        let place = self.location.map { "\($0): " } ?? ""
        return "\(place)\(self.severity.rawValue): \(self.message)"
    }
}

extension Diagnostic: CustomStringConvertible {
    /// The summary, and below it the source line with a caret under the column.
    package var description: String {
        guard let location = self.location, let sourceLine = self.sourceLine else {
            return self.summary
        }
        // Tabs stay tabs, so that the caret stands right however wide a terminal draws them.
        let indent = sourceLine.prefix(location.column - 1).map { $0 == "\t" ? "\t" : " " }
        return "\(self.summary)\n    \(sourceLine)\n    \(indent.joined())^"
    }
}

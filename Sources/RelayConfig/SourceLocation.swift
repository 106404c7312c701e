/// Where in the configuration something is written.
package struct SourceLocation: Sendable, Hashable {
    /// The file as relay was told of it: the path after `-c`, or the match of an `include`.
    package var file: String

    /// The line, from 1.
    package var line: Int

    /// The column, from 1, in characters.
    package var column: Int

    /// Names a place.
    package init(file: String, line: Int, column: Int) {
        self.file = file
        self.line = line
        self.column = column
    }
}

extension SourceLocation: CustomStringConvertible {
    /// `relay.yaml:12:5`.
    package var description: String { "\(self.file):\(self.line):\(self.column)" }
}

/// A location that takes no part in comparing the value it belongs to.
///
/// A reload compares old and new sections to find out what changed; a pool that only moved down a
/// line has not.
@propertyWrapper
package struct Uncompared: Sendable, Hashable {
    package var wrappedValue: SourceLocation?

    package init(wrappedValue: SourceLocation?) { self.wrappedValue = wrappedValue }

    package static func == (_: Uncompared, _: Uncompared) -> Bool { true }

    package func hash(into _: inout Hasher) {}
}

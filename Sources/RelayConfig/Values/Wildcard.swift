/// A text in which each `*` stands for any run of characters, also an empty one.
package struct Wildcard: Sendable, Hashable {
    /// The literal parts: those before, between and behind the `*`s.
    ///
    /// One part: no `*` at all, the text must be equal. `a*b` is `["a", "b"]`, `*` is `["", ""]`.
    package let parts: [String]

    /// Splits a pattern at its `*`s.
    package init(_ pattern: String) {
        self.parts = pattern.split(separator: "*", omittingEmptySubsequences: false).map(
            String.init
        )
    }
}

extension Wildcard: CustomStringConvertible {
    /// The pattern as written.
    package var description: String { self.parts.joined(separator: "*") }
}

/// A header field's name, or all names that begin alike (`X-*`); `*` alone is every name.
///
/// The fields that are relay's own are never among those that a `*` stands for.
package struct HeaderNamePattern: Sendable, Hashable {
    /// The name, or what the names begin with: lower case, valid in a field name.
    package let name: String

    /// Whether `name` is only the beginning.
    package let isPrefix: Bool

    /// Makes a pattern from a name in any case.
    package init(name: String, isPrefix: Bool) {
        self.name = name.lowercased()
        self.isPrefix = isPrefix
    }
}

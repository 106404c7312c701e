/// A text that no log, description or dump may show.
package struct Secret: Sendable, Hashable {
    /// The text itself: for comparing and for sending, never for printing.
    package let revealed: String

    /// Takes a text into custody.
    package init(_ text: String) { self.revealed = text }
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "(secret)" }
    package var debugDescription: String { "(secret)" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

extension String {
    /// Whether a key of that name holds a secret.
    var namesSecret: Bool { ["token", "secret", "secrets", "password"].contains(self) }
}

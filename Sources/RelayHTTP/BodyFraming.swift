/// How the end of a message's body is known (RFC 9112 section 6.3).
package enum BodyFraming: Equatable, Sendable {
    /// No body: nothing announces one, or there cannot be one.
    case none
    /// So many bytes follow; may be 0; parsed heads have at most 2^63 - 1.
    case length(UInt64)
    /// Chunks follow, up to the one of size 0. Counts as a body even if it turns out empty.
    case chunked
    /// Everything up to the end of the connection; responses only.
    case untilClose

    /// Whether it is known from the head that no body byte follows.
    package var isEmpty: Bool { self == .none || self == .length(0) }
}

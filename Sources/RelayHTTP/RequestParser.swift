/// Parses the head of one request after another, strictly by RFC 9112.
///
/// A value of a few bytes that belongs to a connection; it owns no memory. Give it all bytes of the head
/// that have come so far, from the head's first byte, each time; it remembers how far it looked, so a head
/// that comes byte by byte costs no more than twice one that comes whole.
package struct RequestParser: Sendable {
    /// What came of looking at the input.
    package enum Outcome: Equatable, Sendable {
        /// The head is not complete; call again with more bytes behind the same ones.
        case incomplete
        /// The head is complete and described; the body begins at `byteCount`.
        case head
        /// The request is refused. The parser must be reset before it is used again.
        case failed(RequestFault)
    }

    /// The largest head accepted.
    package let limits: HeadLimits

    /// Makes a parser that waits for a head's first byte.
    package init(limits: HeadLimits = HeadLimits()) { fatalError() }

    /// Looks at `input`, which begins with the first byte of the head and is never shorter than before.
    ///
    /// One empty line before the request line is ignored (RFC 9112 section 2.2) and counts as part of the
    /// head. After `.head` the parser is ready for the next head. `head` has no meaning unless `.head`
    /// was returned; the same scratch may serve several parsers.
    package mutating func parse(
        _ input: Span<UInt8>,
        into head: inout RequestHead
    ) -> Outcome { fatalError() }

    /// Whether a byte of a head has been seen: a request is under way, and its time is running.
    ///
    /// An empty line alone does not begin a request.
    package var hasBegun: Bool { fatalError() }

    /// Forgets a head that was not completed.
    package mutating func reset() { fatalError() }
}

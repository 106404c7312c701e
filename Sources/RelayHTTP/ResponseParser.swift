/// Parses the head of one response after another, strictly by RFC 9112.
///
/// Used like `RequestParser`: give it all bytes of the head that have come so far, each time.
package struct ResponseParser: Sendable {
    /// What came of looking at the input.
    package enum Outcome: Equatable, Sendable {
        /// The head is not complete; call again with more bytes behind the same ones.
        case incomplete
        /// The head is complete and described; the body begins at `byteCount`.
        case head
        /// The response is refused.
        case failed(ResponseFault)
    }

    /// The largest head accepted.
    package let limits: HeadLimits

    /// Makes a parser that waits for a head's first byte.
    package init(limits: HeadLimits = HeadLimits()) { fatalError() }

    /// Looks at `input`, which begins with the first byte of the head and is never shorter than before.
    ///
    /// The framing depends on the `method` that is answered. After an interim response
    /// (`ResponseHead.isInterim`) the next head begins behind it.
    package mutating func parse(
        _ input: Span<UInt8>,
        answering method: Method,
        into head: inout ResponseHead
    ) -> Outcome { fatalError() }

    /// Forgets a head that was not completed.
    package mutating func reset() { fatalError() }
}

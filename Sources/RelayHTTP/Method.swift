/// A request method (RFC 9110 section 9, RFC 5789), or that it is another one.
package enum Method: UInt8, Sendable, CaseIterable {
    case get, head, post, put, delete, connect, options, trace, patch
    /// Any other token; its name stands in the head at `RequestHead.methodName`.
    case other

    /// Recognises a method by its bytes; methods are case-sensitive.
    package init(name: Span<UInt8>) { fatalError() }

    /// The name on the wire, empty for `other`.
    package var name: StaticString { fatalError() }

    /// Whether asking twice has the effect of asking once (RFC 9110 section 9.2.2).
    package var isIdempotent: Bool { fatalError() }

    /// Whether a response with `status` to this method can have a body (RFC 9112 section 6.3).
    ///
    /// None for HEAD, 1xx, 204, 304, and 2xx to CONNECT.
    package func responseHasBody(status: UInt16) -> Bool { fatalError() }
}

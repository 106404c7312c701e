/// Encoding of messages: everything is appended, and every head ends with `appendEndOfHead`.
///
/// Only bytes that were validated may be given: names that are tokens, values without CR, LF and NUL. Debug
/// builds check it.
extension [UInt8] {
    /// Appends `METHOD target HTTP/1.1` for a method that relay itself uses; not `.other`.
    package mutating func appendRequestLine(_ method: Method, target: Span<UInt8>) { fatalError() }

    /// Appends the request line of a request that is passed on: its method with another path and query.
    ///
    /// `prefix` is put before the path; a `/` at its end is not doubled.
    package mutating func appendRequestLine(
        methodName: Span<UInt8>,
        prefix: Span<UInt8>,
        path: Span<UInt8>,
        query: Span<UInt8>?
    ) { fatalError() }

    /// Appends `HTTP/1.1 status phrase` with the standard phrase.
    package mutating func appendStatusLine(_ status: UInt16) { fatalError() }

    /// Appends `HTTP/1.1 status reason` with a reason phrase that was received.
    package mutating func appendStatusLine(_ status: UInt16, reason: Span<UInt8>) { fatalError() }

    /// Appends one field line.
    package mutating func appendField(_ name: Span<UInt8>, _ value: Span<UInt8>) { fatalError() }

    /// Appends one field line.
    package mutating func appendField(_ name: KnownField, _ value: Span<UInt8>) { fatalError() }

    /// Appends one field line.
    package mutating func appendField(_ name: KnownField, _ value: StaticString) { fatalError() }

    /// Appends one field line with a number, such as `More: 3`.
    package mutating func appendField(_ name: KnownField, _ value: UInt64) { fatalError() }

    /// Appends one field line as it was received in `head`.
    package mutating func appendField(_ field: FieldPosition, of head: Span<UInt8>) { fatalError() }

    /// Appends the framing field for a body framed so: none for `.none` and `.untilClose`.
    package mutating func appendFraming(_ framing: BodyFraming) { fatalError() }

    /// Appends `Date`.
    package mutating func appendDate(_ date: HTTPDate) { fatalError() }

    /// Appends the empty line that ends a head.
    package mutating func appendEndOfHead() { fatalError() }

    /// Appends a whole chunk; nothing if `payload` is empty, because that would end the body.
    package mutating func appendChunk(_ payload: Span<UInt8>) { fatalError() }

    /// Appends the line before the `count` bytes of a chunk, which follow and then `appendChunkEnd`.
    package mutating func appendChunkStart(count: Int) { fatalError() }

    /// Appends the line end behind a chunk's bytes.
    package mutating func appendChunkEnd() { fatalError() }

    /// Appends the chunk that ends a body, without trailers.
    package mutating func appendLastChunk() { fatalError() }
}

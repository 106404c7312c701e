/// The head of a response, as positions in the bytes it was parsed from.
///
/// Keep one as scratch and parse into it again and again; it is only meaningful together with its bytes,
/// and after `ResponseParser.parse` returned `.head`. Every position is an offset into those bytes.
package struct ResponseHead: Sendable {
    /// The version.
    package internal(set) var version: HTTPVersion = .http11
    /// The status, 100 to 999.
    package internal(set) var status: UInt16 = 0
    /// The reason phrase; may be empty.
    package internal(set) var reason: ByteRange = .empty
    /// The fields.
    package internal(set) var fields: FieldPositions = FieldPositions()
    /// How the body ends; `.none` where there cannot be one.
    ///
    /// A length is at most 2^63 - 1.
    package internal(set) var framing: BodyFraming = .none
    /// The `Content-Length`, also where there is no body: what HEAD and 304 tell about one.
    package internal(set) var announcedLength: UInt64?
    /// Whether the connection may carry another request after this response.
    package internal(set) var isKeepAlive: Bool = true
    /// Number of bytes up to the end of the empty line.
    package internal(set) var byteCount: Int = 0

    /// Makes an empty head to parse into.
    package init() {}

    /// Whether another response to the same request follows: 1xx except 101 (RFC 9110 section 15.2).
    package var isInterim: Bool { self.status < 200 && self.status != 101 }
}

/// The members of a comma separated list, one after the other, without the white space around them.
///
/// Empty members are skipped (RFC 9110 section 5.6.1).
package struct ListMembers: Sendable {
    /// Begins at the start of the value at `value`.
    ///
    /// With `quoted`, a comma within a quoted string separates nothing.
    package init(_ value: ByteRange, quoted: Bool = false) { fatalError() }

    /// The next member, in the same bytes; nil at the end.
    package mutating func next(in bytes: Span<UInt8>) -> ByteRange? { fatalError() }
}

/// Reading of field values, each from the value's bytes.
package enum FieldValue {
    /// The token of `Bearer TOKEN` (RFC 6750), as a range of `value`; nil for anything else.
    package static func bearerToken(_ value: Span<UInt8>) -> ByteRange? { fatalError() }

    /// The seconds of `Retry-After`, if it is a number; 4,294,967,295 for larger ones.
    package static func retryAfterSeconds(_ value: Span<UInt8>) -> UInt32? { fatalError() }

    /// The seconds of the `timeout` parameter of `Keep-Alive`.
    package static func keepAliveTimeoutSeconds(_ value: Span<UInt8>) -> UInt32? { fatalError() }

    /// Whether a list of tokens has this one, in any case.
    package static func list(_ value: Span<UInt8>, contains token: StaticString) -> Bool {
        fatalError()
    }
}

extension FieldPositions {
    /// The seconds of `Prefer: wait=N` (RFC 7240), the first one given; nil if absent or malformed.
    package func preferredWaitSeconds(in head: Span<UInt8>) -> UInt32? { fatalError() }
}

extension UInt64 {
    /// Reads decimal digits only: no sign, no space, no empty text, no overflow; leading zeros are fine.
    package init?(decimal bytes: Span<UInt8>) { fatalError() }
}

extension Span where Element == UInt8 {
    /// Whether the bytes are those of `text`.
    package func equals(_ text: StaticString) -> Bool { fatalError() }

    /// Whether the bytes are those of `other`.
    package func equals(_ other: Span<UInt8>) -> Bool { fatalError() }

    /// Whether the bytes are those of `text` except for the case of ASCII letters.
    package func equalsIgnoringCase(_ text: StaticString) -> Bool { fatalError() }

    /// Whether the bytes are those of `other` except for the case of ASCII letters.
    package func equalsIgnoringCase(_ other: Span<UInt8>) -> Bool { fatalError() }

    /// Whether this is a token (RFC 9110 section 5.6.2).
    package var isToken: Bool { fatalError() }

    /// Whether this may stand as a field's value: no control byte but HTAB, no white space around it.
    package var isFieldValue: Bool { fatalError() }
}

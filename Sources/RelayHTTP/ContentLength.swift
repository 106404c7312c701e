/// What the `Content-Length` fields of a head say (RFC 9112 section 6.3).
enum ContentLength {
    case absent
    /// One number up to 2^63 - 1, so that it also fits a signed count.
    case bytes(UInt64)
    /// Not one number, or one too large.
    case malformed
    /// More than one field, even if they agree: recipients differ in which one they believe.
    case repeated

    /// Reads the only `Content-Length` of `fields`.
    init(_ fields: FieldPositions, in head: Span<UInt8>) {
        guard let value = fields.value(of: .contentLength) else {
            self = .absent
            return
        }
        guard !fields.isRepeated(.contentLength) else {
            self = .repeated
            return
        }
        guard let bytes = UInt64(decimal: head.extracting(value)), bytes <= UInt64(Int64.max) else {
            self = .malformed
            return
        }
        self = .bytes(bytes)
    }
}

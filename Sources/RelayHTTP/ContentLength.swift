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
    init(_ fields: borrowing FieldPositions, in head: Span<UInt8>) {
        guard let value = fields.value(of: .contentLength) else {
            self = .absent
            return
        }
        guard !fields.isRepeated(.contentLength) else {
            self = .repeated
            return
        }
        guard !head.hasTab(around: value), let bytes = UInt64(decimal: head.extracting(value)),
            bytes <= UInt64(Int64.max)
        else {
            self = .malformed
            return
        }
        self = .bytes(bytes)
    }
}

extension Span where Element == UInt8 {
    /// Whether the white space around a field's value has a tab.
    ///
    /// It may, but not around what frames a message: `chunked` with a tab behind it is no `chunked` to some
    /// recipients, llhttp among them, and no client has a reason to write it.
    func hasTab(around value: ByteRange) -> Bool {
        // The colon and the CR around the white space end the search.
        var index = value.range.lowerBound - 1
        while self[index].isWhiteSpace {
            if self[index] == 0x09 { return true }
            index -= 1
        }
        index = value.range.upperBound
        while self[index].isWhiteSpace {
            if self[index] == 0x09 { return true }
            index += 1
        }
        return false
    }
}

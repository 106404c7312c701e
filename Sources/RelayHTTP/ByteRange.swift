/// A stretch of a buffer, by offset: how a head names its parts without copying them.
///
/// Offsets are 32 bits because a head is never larger than its limit, which is far below 4 GiB.
package struct ByteRange: Equatable, Sendable {
    /// Offset of the first byte.
    package var start: UInt32
    /// Number of bytes.
    package var count: UInt32

    /// An empty stretch at the beginning.
    package static var empty: ByteRange { ByteRange(start: 0, count: 0) }

    /// Makes a range of `count` bytes from `start`.
    package init(start: UInt32, count: UInt32) {
        self.start = start
        self.count = count
    }

    /// Makes a range from offsets that lie within a head; beyond 4 GiB it is empty.
    package init(_ range: Range<Int>) {
        self.start = UInt32(exactly: range.lowerBound) ?? 0
        self.count = UInt32(exactly: range.count) ?? 0
    }

    /// Whether it has no bytes.
    package var isEmpty: Bool { self.count == 0 }

    /// The same stretch in the standard library's terms.
    package var range: Range<Int> { Int(self.start)..<(Int(self.start) + Int(self.count)) }

    /// The same bytes seen from a buffer that begins `offset` bytes earlier.
    package func shifted(by offset: Int) -> ByteRange {
        let lower = Int(self.start) + offset
        return ByteRange(lower..<(lower + Int(self.count)))
    }
}

extension Span where Element == UInt8 {
    /// The bytes at `range`.
    ///
    /// Traps if the range does not lie within the span: ranges come from a head that was parsed from
    /// these very bytes.
    @_lifetime(copy self)
    package func extracting(_ range: ByteRange) -> Span<UInt8> {
        self.extracting(range.range)
    }
}

/// Searches that look at eight bytes at a time.
///
/// The word tricks are those of Hacker's Delight: a borrow can mark a byte *above* a true hit as one,
/// never below, so only the lowest mark counts and the others are looked at again.
enum Scanner {
    private static let ones: UInt64 = 0x0101_0101_0101_0101
    private static let highs: UInt64 = 0x8080_8080_8080_8080

    /// The eight bytes at `offset`, the first one lowest.
    @inline(__always)
    private static func word(_ bytes: RawSpan, at offset: Int) -> UInt64 {
        // Every bit pattern is a UInt64, and the load checks its bounds; only the type asks for `unsafe`.
        UInt64(
            littleEndian: unsafe bytes.unsafeLoadUnaligned(
                fromByteOffset: offset,
                as: UInt64.self
            )
        )
    }

    /// Offset of the first control byte other than HTAB at or after `start`, else the span's end.
    static func firstControl(in span: Span<UInt8>, from start: Int) -> Int {
        let bytes = unsafe span.bytes
        let end = span.count
        var offset = start
        while end - offset >= 8 {
            // Plus one modulo 128, DEL comes before the controls, and what is below 33 borrows from the high bit.
            let word = Self.word(bytes, at: offset)
            let next = (word & ~Self.highs) &+ Self.ones
            var marks = ~(((next | Self.highs) &- Self.ones &* 0x21) | word) & Self.highs
            while marks != 0 {
                let candidate = offset + marks.trailingZeroBitCount / 8
                if span[candidate].isForbiddenControl { return candidate }
                marks &= marks &- 1
            }
            offset += 8
        }
        while offset < end, !span[offset].isForbiddenControl { offset += 1 }
        return offset
    }

    /// Offset of the first `byte` within `range`, else the range's end.
    static func first(_ byte: UInt8, in span: Span<UInt8>, _ range: Range<Int>) -> Int {
        let bytes = unsafe span.bytes
        let pattern = Self.ones &* UInt64(byte)
        var offset = range.lowerBound
        while range.upperBound - offset >= 8 {
            let difference = Self.word(bytes, at: offset) ^ pattern
            let marks = (difference &- Self.ones) & ~difference & Self.highs
            if marks != 0 { return offset + marks.trailingZeroBitCount / 8 }
            offset += 8
        }
        while offset < range.upperBound, span[offset] != byte { offset += 1 }
        return offset
    }

    /// Up to eight bytes at `offset`, zero behind `count`, the first one lowest.
    @inline(__always)
    static func partialWord(in span: Span<UInt8>, at offset: Int, count: Int) -> UInt64 {
        if span.count - offset >= 8 {
            let word = unsafe Self.word(span.bytes, at: offset)
            return count >= 8 ? word : word & ~(UInt64.max &<< UInt64(8 * count))
        }
        var word: UInt64 = 0
        for index in 0..<min(count, span.count - offset) {
            word |= UInt64(span[offset + index]) << UInt64(8 * index)
        }
        return word
    }
}

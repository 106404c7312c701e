extension [UInt8] {
    /// Appends the bytes of a span in one copy.
    package mutating func append(_ bytes: Span<UInt8>) {
        // The array copies what it is shown and keeps no pointer to it.
        unsafe bytes.withUnsafeBufferPointer { unsafe self.append(contentsOf: $0) }
    }

    /// Appends the UTF-8 of a literal in one copy.
    package mutating func append(_ text: StaticString) {
        text.withSpan { self.append($0) }
    }

    /// Appends a number in decimal digits.
    package mutating func append(decimal number: UInt64) {
        self.append(addingCapacity: 20) { $0.append(decimal: number) }
    }

    /// Appends a number in lower-case hexadecimal digits without leading zeros.
    package mutating func append(hexadecimal number: UInt64) {
        self.append(addingCapacity: 20) { $0.append(hexadecimal: number) }
    }
}

extension OutputSpan where Element == UInt8 {
    /// Appends bytes for which there is room, in one copy.
    @inline(__always)
    package mutating func append(copying bytes: Span<UInt8>) {
        // The count is set to what was written; nothing at all may have no address.
        unsafe self.withUnsafeMutableBufferPointer { buffer, count in
            unsafe bytes.withUnsafeBufferPointer { source in
                precondition(source.count <= buffer.count - count, "there is room for the bytes")
                guard let end = buffer.baseAddress, let start = source.baseAddress
                else { return }
                unsafe (end + count).initialize(from: start, count: source.count)
                count += source.count
            }
        }
    }

    /// Appends the UTF-8 of a literal for which there is room, in one copy.
    @inline(__always)
    package mutating func append(_ text: StaticString) {
        text.withUTF8Buffer { self.append(copying: unsafe $0.span) }
    }

    /// Appends a number in decimal digits, at most 20, for which there is room.
    package mutating func append(decimal number: UInt64) {
        if number < 10 {
            self.append(0x30 + UInt8(truncatingIfNeeded: number))
            return
        }
        // 20 digits are enough for 2^64 - 1. By two at a time: it is the long division that takes its time, and
        // the numbers of packets have 16.
        var digits = InlineArray<20, UInt8>(repeating: 0)
        var first = 20
        var rest = number
        while rest >= 10 {
            let pair = UInt8(truncatingIfNeeded: rest % 100)
            rest /= 100
            digits[first - 1] = 0x30 + pair % 10
            digits[first - 2] = 0x30 + pair / 10
            first -= 2
        }
        if rest > 0 {
            first -= 1
            digits[first] = 0x30 + UInt8(truncatingIfNeeded: rest)
        }
        self.append(copying: digits.span.extracting(first..<20))
    }

    /// Appends a number in lower-case hexadecimal digits, at most 16, for which there is room.
    fileprivate mutating func append(hexadecimal number: UInt64) {
        var digits = InlineArray<16, UInt8>(repeating: 0)
        var first = 16
        var rest = number
        repeat {
            first -= 1
            let digit = UInt8(truncatingIfNeeded: rest & 15)
            digits[first] = digit < 10 ? 0x30 + digit : 0x57 + digit
            rest >>= 4
        } while rest > 0
        self.append(copying: digits.span.extracting(first..<16))
    }
}

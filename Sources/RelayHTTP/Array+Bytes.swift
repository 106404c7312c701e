extension [UInt8] {
    /// Appends the bytes of a span in one copy.
    package mutating func append(_ bytes: Span<UInt8>) {
        self.append(addingCapacity: bytes.count) { $0.append(copying: bytes) }
    }

    /// Appends the UTF-8 of a literal in one copy.
    package mutating func append(_ text: StaticString) {
        text.withSpan { self.append($0) }
    }

    /// Appends a number in decimal digits.
    package mutating func append(decimal number: UInt64) {
        self.append(number, radix: 10)
    }

    /// Appends a number in lower-case hexadecimal digits without leading zeros.
    package mutating func append(hexadecimal number: UInt64) {
        self.append(number, radix: 16)
    }

    private mutating func append(_ number: UInt64, radix: UInt64) {
        // 20 digits are enough for 2^64 - 1 in either radix.
        var digits = InlineArray<20, UInt8>(repeating: 0)
        var first = 20
        var rest = number
        repeat {
            first -= 1
            let digit = UInt8(truncatingIfNeeded: rest % radix)
            digits[first] = digit < 10 ? 0x30 + digit : 0x57 + digit
            rest /= radix
        } while rest > 0
        self.append(digits.span.extracting(first..<20))
    }
}

extension OutputSpan where Element == UInt8 {
    /// Appends bytes for which there is room, in one copy.
    @inline(__always)
    mutating func append(copying bytes: Span<UInt8>) {
        // `initialize` checks that there is room; the count is set to what was written.
        unsafe self.withUnsafeMutableBufferPointer { buffer, count in
            unsafe bytes.withUnsafeBufferPointer { source in
                let end = unsafe buffer.extracting(count...).initialize(fromContentsOf: source)
                count += end
            }
        }
    }
}

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
        self.append(addingCapacity: 20) { $0.append(decimal: number) }
    }

    /// Appends a number in lower-case hexadecimal digits without leading zeros.
    package mutating func append(hexadecimal number: UInt64) {
        self.append(addingCapacity: 20) { $0.append(number, radix: 16) }
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
        } else {
            self.append(number, radix: 10)
        }
    }

    /// Inlined, so that the radix is a constant to divide by.
    @inline(__always)
    fileprivate mutating func append(_ number: UInt64, radix: UInt64) {
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
        self.append(copying: digits.span.extracting(first..<20))
    }
}

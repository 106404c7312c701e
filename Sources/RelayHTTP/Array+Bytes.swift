extension [UInt8] {
    /// Appends the bytes of a span in one copy.
    package mutating func append(_ bytes: Span<UInt8>) { fatalError() }

    /// Appends the UTF-8 of a literal in one copy.
    package mutating func append(_ text: StaticString) { fatalError() }

    /// Appends a number in decimal digits.
    package mutating func append(decimal number: UInt64) { fatalError() }

    /// Appends a number in lower-case hexadecimal digits without leading zeros.
    package mutating func append(hexadecimal number: UInt64) { fatalError() }
}

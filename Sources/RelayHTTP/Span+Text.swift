extension Span where Element == UInt8 {
    /// Whether the bytes are those of `text`.
    package func equals(_ text: StaticString) -> Bool {
        text.withSpan { self.equals($0) }
    }

    /// Whether the bytes are those of `other`.
    package func equals(_ other: Span<UInt8>) -> Bool {
        guard self.count == other.count else { return false }
        for index in self.indices where self[index] != other[index] { return false }
        return true
    }

    /// Whether the bytes are those of a secret, in a time that does not tell how much of it was right.
    package func equalsInConstantTime(_ secret: Span<UInt8>) -> Bool {
        guard self.count == secret.count else { return false }
        var difference: UInt8 = 0
        for index in self.indices { difference |= self[index] ^ secret[index] }
        return difference == 0
    }

    /// Whether the bytes are those of `text` except for the case of ASCII letters.
    package func equalsIgnoringCase(_ text: StaticString) -> Bool {
        text.withSpan { self.equalsIgnoringCase($0) }
    }

    /// Whether the bytes are those of `other` except for the case of ASCII letters.
    package func equalsIgnoringCase(_ other: Span<UInt8>) -> Bool {
        guard self.count == other.count else { return false }
        for index in self.indices where self[index].lowercased != other[index].lowercased {
            return false
        }
        return true
    }

    /// Whether this is a token (RFC 9110 section 5.6.2).
    package var isToken: Bool {
        for index in self.indices where !ByteClass.token.contains(self[index]) { return false }
        return self.count > 0
    }

    /// Whether this may stand as a field's value: no control byte but HTAB, no white space around it.
    package var isFieldValue: Bool {
        guard self.count > 0 else { return true }
        return !self[0].isWhiteSpace && !self[self.count - 1].isWhiteSpace
            && Scanner.firstControl(in: self, from: 0) == self.count
    }
}

extension StaticString {
    /// Calls `body` with the literal's bytes.
    package func withSpan<Result>(_ body: (Span<UInt8>) -> Result) -> Result {
        // A literal lives forever, and the span does not leave the closure.
        self.withUTF8Buffer { buffer in body(unsafe buffer.span) }
    }
}

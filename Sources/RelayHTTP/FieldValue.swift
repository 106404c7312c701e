/// The members of a comma separated list, one after the other, without the white space around them.
///
/// Empty members are skipped (RFC 9110 section 5.6.1).
package struct ListMembers: Sendable {
    private var position: Int
    private let end: Int
    private let isQuoted: Bool

    /// Begins at the start of the value at `value`.
    ///
    /// With `quoted`, a comma within a quoted string separates nothing.
    package init(_ value: ByteRange, quoted: Bool = false) {
        self.position = value.range.lowerBound
        self.end = value.range.upperBound
        self.isQuoted = quoted
    }

    /// The next member, in the same bytes; nil at the end.
    package mutating func next(in bytes: Span<UInt8>) -> ByteRange? {
        while self.position < self.end {
            var lower = self.position
            var upper = self.memberEnd(in: bytes)
            self.position = upper + 1
            while lower < upper, bytes[lower].isWhiteSpace { lower += 1 }
            while upper > lower, bytes[upper - 1].isWhiteSpace { upper -= 1 }
            if lower < upper { return ByteRange(lower..<upper) }
        }
        return nil
    }

    private func memberEnd(in bytes: Span<UInt8>) -> Int {
        guard self.isQuoted else {
            return Scanner.first(0x2C, in: bytes, self.position..<self.end)
        }
        var index = self.position
        var inQuotes = false
        while index < self.end {
            switch bytes[index] {
            case 0x22: inQuotes.toggle()
            case 0x5C where inQuotes: index += 1
            case 0x2C where !inQuotes: return index
            default: break
            }
            index += 1
        }
        return self.end
    }
}

/// Reading of field values, each from the value's bytes.
package enum FieldValue {
    /// The token of `Bearer TOKEN` (RFC 6750), as a range of `value`; nil for anything else.
    ///
    /// A token is what a backend said it is, so every byte of a field's value may be in it.
    package static func bearerToken(_ value: Span<UInt8>) -> ByteRange? {
        guard value.extracting(first: 7).equalsIgnoringCase("Bearer ") else { return nil }
        var start = 7
        while start < value.count, value[start] == 0x20 { start += 1 }
        return start < value.count ? ByteRange(start..<value.count) : nil
    }

    /// How many seconds `Retry-After` asks to wait, as a number or as a date (RFC 9110 section 10.2.3), which
    /// `unixSeconds` is compared with.
    ///
    /// 0 for a date in the past; 4,294,967,295 for longer waits; nil for anything else.
    package static func retryAfterSeconds(
        _ value: Span<UInt8>,
        at unixSeconds: Int64
    ) -> UInt32? {
        if let seconds = Self.seconds(value) { return seconds }
        guard let date = HTTPDate.unixSeconds(parsing: value) else { return nil }
        let (wait, isFar) = date.subtractingReportingOverflow(unixSeconds)
        return isFar ? .max : UInt32(clamping: wait)
    }

    /// The seconds of the `timeout` parameter of `Keep-Alive`.
    package static func keepAliveTimeoutSeconds(_ value: Span<UInt8>) -> UInt32? {
        var members = ListMembers(ByteRange(0..<value.count), quoted: true)
        while let member = members.next(in: value) {
            if let text = Self.parameter("timeout", of: value.extracting(member)) {
                return Self.seconds(value.extracting(text.shifted(by: Int(member.start))))
            }
        }
        return nil
    }

    /// Whether a list of tokens has this one, in any case.
    package static func list(_ value: Span<UInt8>, contains token: StaticString) -> Bool {
        var members = ListMembers(ByteRange(0..<value.count))
        while let member = members.next(in: value) {
            if value.extracting(member).equalsIgnoringCase(token) { return true }
        }
        return false
    }

    /// The text behind `name =`, without white space around it; nil if this is not that parameter.
    fileprivate static func parameter(_ name: StaticString, of text: Span<UInt8>) -> ByteRange? {
        let equals = Scanner.first(0x3D, in: text, 0..<text.count)
        guard equals < text.count else { return nil }
        var nameEnd = equals
        while nameEnd > 0, text[nameEnd - 1].isWhiteSpace { nameEnd -= 1 }
        guard text.extracting(0..<nameEnd).equalsIgnoringCase(name) else { return nil }
        var start = equals + 1
        while start < text.count, text[start].isWhiteSpace { start += 1 }
        return ByteRange(start..<text.count)
    }

    /// Decimal digits, saturating.
    fileprivate static func seconds(_ text: Span<UInt8>) -> UInt32? {
        guard text.count > 0 else { return nil }
        var seconds: UInt64 = 0
        for index in text.indices {
            guard text[index].isDigit else { return nil }
            seconds = min(seconds * 10 + UInt64(text[index] - 0x30), UInt64(UInt32.max))
        }
        return UInt32(seconds)
    }
}

extension FieldPositions {
    /// The seconds of `Prefer: wait=N` (RFC 7240), the first one given; nil if absent or malformed.
    package func preferredWaitSeconds(in head: Span<UInt8>) -> UInt32? {
        var next = self.firstIndex(of: .prefer)
        while let index = next {
            var members = ListMembers(self[index].value, quoted: true)
            while let member = members.next(in: head) {
                // Parameters of the preference, which `wait` has none of, are behind a semicolon.
                let whole = head.extracting(member)
                var end = Scanner.first(0x3B, in: whole, 0..<whole.count)
                while end > 0, whole[end - 1].isWhiteSpace { end -= 1 }
                let preference = whole.extracting(0..<end)
                if let text = FieldValue.parameter("wait", of: preference) {
                    return FieldValue.seconds(preference.extracting(text))
                }
            }
            next = self.nextIndex(of: .prefer, after: index)
        }
        return nil
    }
}

extension UInt64 {
    /// Reads decimal digits only: no sign, no space, no empty text, no overflow; leading zeros are fine.
    package init?(decimal bytes: Span<UInt8>) {
        guard bytes.count > 0 else { return nil }
        var number: UInt64 = 0
        for index in bytes.indices {
            guard bytes[index].isDigit else { return nil }
            let (tens, tooLarge) = number.multipliedReportingOverflow(by: 10)
            let (sum, overflow) = tens.addingReportingOverflow(UInt64(bytes[index] &- 0x30))
            guard !tooLarge, !overflow else { return nil }
            number = sum
        }
        self = number
    }
}

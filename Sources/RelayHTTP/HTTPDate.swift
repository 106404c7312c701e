/// The value of `Date` in the preferred form, `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 section 5.6.7).
///
/// Keep one per event loop and update it once a second.
package struct HTTPDate: Sendable {
    /// The second it tells, in seconds since 1970.
    package private(set) var unixSeconds: Int64
    private var text = InlineArray<29, UInt8>(repeating: 0x20)

    /// The last second of the year 9999, behind which the form has no room.
    private static let secondsMax: Int64 = 253_402_300_799

    /// Makes the date of a second; years outside 1970 to 9999 are moved to the nearest bound.
    package init(unixSeconds: Int64) {
        self.unixSeconds = min(max(unixSeconds, 0), Self.secondsMax)
        self.format()
    }

    /// Formats another second; cheap if it is the same.
    package mutating func update(unixSeconds: Int64) {
        let seconds = min(max(unixSeconds, 0), Self.secondsMax)
        guard seconds != self.unixSeconds else { return }
        self.unixSeconds = seconds
        self.format()
    }

    /// The 29 bytes.
    package var bytes: Span<UInt8> {
        @_lifetime(borrow self)
        borrowing get { self.text.span }
    }

    private mutating func format() {
        let days = Int(self.unixSeconds / 86_400)
        let second = Int(self.unixSeconds % 86_400)
        let (year, month, day) = Self.civil(days)
        // 1 January 1970 was a Thursday.
        self.put("ThuFriSatSunMonTueWed", at: 0, from: 3 * (days % 7))
        self.text[3] = 0x2C
        self.put(day, digits: 2, at: 5)
        self.put("JanFebMarAprMayJunJulAugSepOctNovDec", at: 8, from: 3 * (month - 1))
        self.put(year, digits: 4, at: 12)
        self.put(second / 3600, digits: 2, at: 17)
        self.text[19] = 0x3A
        self.put(second / 60 % 60, digits: 2, at: 20)
        self.text[22] = 0x3A
        self.put(second % 60, digits: 2, at: 23)
        self.put("GMT", at: 26, from: 0)
    }

    /// Copies three letters of `names`.
    private mutating func put(_ names: StaticString, at offset: Int, from start: Int) {
        names.withSpan { names in
            for index in 0..<3 { self.text[offset + index] = names[start + index] }
        }
    }

    private mutating func put(_ number: Int, digits: Int, at offset: Int) {
        var rest = number
        for index in stride(from: offset + digits - 1, through: offset, by: -1) {
            self.text[index] = UInt8(0x30 + rest % 10)
            rest /= 10
        }
    }

    /// The date of a day since 1 January 1970, in the Gregorian calendar.
    ///
    /// Counts years from March, so that the leap day is the last of a year (Hinnant, `civil_from_days`).
    private static func civil(_ days: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = days + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted % 146_097
        let yearOfEra =
            (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
    }
}

extension HTTPDate {
    /// The second that a date tells, since 1970, in any of the three forms that a recipient has to know (RFC
    /// 9110 section 5.6.7); nil for what is none of them.
    ///
    /// ```
    /// Sun, 06 Nov 1994 08:49:37 GMT
    /// Sunday, 06-Nov-94 08:49:37 GMT
    /// Sun Nov  6 08:49:37 1994
    /// ```
    ///
    /// The day of the week is not compared with the date. Years of two digits are those of 1970 to 2069.
    package static func unixSeconds(parsing text: Span<UInt8>) -> Int64? {
        var words = DateWords(text)
        guard words.nextName() != nil else { return nil }
        var day = words.nextNumber()
        guard let month = words.nextName().flatMap(Self.month) else { return nil }
        let isLeadingMonth = day == nil
        if isLeadingMonth { day = words.nextNumber() }
        var year = isLeadingMonth ? nil : words.nextNumber()
        guard let hour = words.nextNumber(), let minute = words.nextNumber(),
            let second = words.nextNumber()
        else { return nil }
        if isLeadingMonth { year = words.nextNumber() }
        guard let day, let year, 1...31 ~= day, hour < 24, minute < 60, second <= 60 else {
            return nil
        }
        let wholeYear = year < 70 ? year + 2000 : year < 100 ? year + 1900 : year
        guard 1970...9999 ~= wholeYear else { return nil }
        let days = Self.days(wholeYear, month, day)
        return Int64(days) * 86_400 + Int64(hour * 3600 + minute * 60 + second)
    }

    /// The number of a month, 1 to 12, by its first three letters packed into an integer.
    private static func month(_ name: UInt32) -> Int? {
        let names: [UInt32] = [
            0x4A616E, 0x466562, 0x4D6172, 0x417072, 0x4D6179, 0x4A756E,
            0x4A756C, 0x417567, 0x536570, 0x4F6374, 0x4E6F76, 0x446563,
        ]
        return names.firstIndex(of: name).map { $0 + 1 }
    }

    /// The day since 1 January 1970 of a date in the Gregorian calendar, from 1970 on.
    ///
    /// Counts years from March, so that the leap day is the last of a year (Hinnant, `days_from_civil`).
    private static func days(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let shifted = month <= 2 ? year - 1 : year
        let yearOfEra = shifted % 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return shifted / 400 * 146_097 + dayOfEra - 719_468
    }
}

/// The words of a date, whatever separates them.
private struct DateWords: ~Copyable, ~Escapable {
    private let text: Span<UInt8>
    private var position = 0

    @_lifetime(copy text)
    init(_ text: Span<UInt8>) { self.text = text }

    /// The first three letters of the next word, as one number; nil, and nothing taken, if it is none.
    mutating func nextName() -> UInt32? {
        self.skipSeparators()
        let start = self.position
        var name: UInt32 = 0
        while self.position < self.text.count, Self.isLetter(self.text[self.position]) {
            if self.position - start < 3 { name = name << 8 | UInt32(self.text[self.position]) }
            self.position += 1
        }
        return self.position - start < 3 ? nil : name
    }

    /// The next number of at most four digits; nil, and nothing taken, if there is none.
    mutating func nextNumber() -> Int? {
        self.skipSeparators()
        let start = self.position
        var end = start
        var number = 0
        while end < self.text.count, end - start < 5, self.text[end].isDigit {
            number = number * 10 + Int(self.text[end] - 0x30)
            end += 1
        }
        guard 1...4 ~= end - start else { return nil }
        self.position = end
        return number
    }

    private mutating func skipSeparators() {
        while self.position < self.text.count {
            switch self.text[self.position] {
            case 0x20, 0x2C, 0x2D, 0x3A: self.position += 1
            default: return
            }
        }
    }

    private static func isLetter(_ byte: UInt8) -> Bool { 0x61...0x7A ~= byte | 0x20 }
}

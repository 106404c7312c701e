package import Logging

/// One line of the log as a value.
package struct LogLine {
    /// When, in nanoseconds since 1970-01-01T00:00:00Z.
    package var nanoseconds: Int64
    /// How important it is.
    package var level: Logger.Level
    /// What happened: a constant sentence.
    package var message: String
    /// The facts; printed in order of their keys.
    package var fields: Logger.Metadata

    /// A line of these parts.
    package init(
        nanoseconds: Int64,
        level: Logger.Level,
        message: String,
        fields: Logger.Metadata
    ) {
        self.nanoseconds = nanoseconds
        self.level = level
        self.message = message
        self.fields = fields
    }

    /// The line in `format`, with its newline; no other control byte stands in it.
    package func bytes(_ format: LogFormat) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(256)
        switch format {
        case .text: self.appendText(to: &bytes)
        case .json: self.appendJSON(to: &bytes)
        }
        bytes.append(UInt8(ascii: "\n"))
        return bytes
    }

    private func appendText(to bytes: inout [UInt8]) {
        Timestamp(nanoseconds: self.nanoseconds).append(to: &bytes)
        let level = self.level.rawValue
        bytes.append(UInt8(ascii: " "))
        bytes.append(contentsOf: level.utf8)
        // `critical` and `warning` may stick out; the rest lines up.
        bytes.append(contentsOf: repeatElement(UInt8(ascii: " "), count: max(1, 7 - level.count)))
        for byte in self.message.utf8 {
            bytes.append(byte < 0x20 || byte == 0x7f ? UInt8(ascii: " ") : byte)
        }
        for (key, value) in self.fields.sorted(by: { $0.key < $1.key }) {
            bytes.append(UInt8(ascii: " "))
            bytes.append(contentsOf: key.utf8)
            bytes.append(UInt8(ascii: "="))
            let text = "\(value)"
            // Quoted where a reader, or somebody's split at spaces, could mistake its end.
            if text.isEmpty || text.utf8.contains(where: { $0 <= 0x20 || $0 == 0x22 || $0 == 0x7f })
            {
                JSONText.appendString(text, to: &bytes)
            } else {
                bytes.append(contentsOf: text.utf8)
            }
        }
    }

    private func appendJSON(to bytes: inout [UInt8]) {
        bytes.append(contentsOf: "{\"time\":\"".utf8)
        Timestamp(nanoseconds: self.nanoseconds).append(to: &bytes)
        bytes.append(contentsOf: "\",\"level\":\"".utf8)
        bytes.append(contentsOf: self.level.rawValue.utf8)
        bytes.append(contentsOf: "\",\"message\":".utf8)
        JSONText.appendString(self.message, to: &bytes)
        // A field cannot take the place of the line's own.
        let own: Set = ["time", "level", "message"]
        for (key, value) in self.fields.sorted(by: { $0.key < $1.key }) {
            bytes.append(UInt8(ascii: ","))
            JSONText.appendString(own.contains(key) ? "field_\(key)" : key, to: &bytes)
            bytes.append(UInt8(ascii: ":"))
            LogLine.appendJSON(value, to: &bytes)
        }
        bytes.append(UInt8(ascii: "}"))
    }

    private static func appendJSON(_ value: Logger.MetadataValue, to bytes: inout [UInt8]) {
        switch value {
        case .string(let text):
            JSONText.appendString(text, to: &bytes)
        case .stringConvertible(let number as any BinaryInteger):
            bytes.append(contentsOf: "\(number)".utf8)
        case .stringConvertible(let flag as Bool):
            bytes.append(contentsOf: (flag ? "true" : "false").utf8)
        case .stringConvertible(let other):
            JSONText.appendString("\(other)", to: &bytes)
        case .array(let values):
            bytes.append(UInt8(ascii: "["))
            for (index, value) in values.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                self.appendJSON(value, to: &bytes)
            }
            bytes.append(UInt8(ascii: "]"))
        case .dictionary(let fields):
            bytes.append(UInt8(ascii: "{"))
            for (index, (key, value)) in fields.sorted(by: { $0.key < $1.key }).enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                JSONText.appendString(key, to: &bytes)
                bytes.append(UInt8(ascii: ":"))
                self.appendJSON(value, to: &bytes)
            }
            bytes.append(UInt8(ascii: "}"))
        }
    }
}

/// A time of day in UTC as RFC 3339 writes it, to the millisecond: `2026-01-31T12:00:00.000Z`.
package struct Timestamp {
    private let nanoseconds: Int64

    /// The time so many nanoseconds after 1970-01-01T00:00:00Z.
    package init(nanoseconds: Int64) {
        self.nanoseconds = max(0, nanoseconds)
    }

    /// Appends the 24 bytes.
    package func append(to bytes: inout [UInt8]) {
        let seconds = self.nanoseconds / 1_000_000_000
        let (year, month, day) = Timestamp.date(daysSince1970: seconds / 86400)
        let second = seconds % 86400
        self.append(year, 4, "-", to: &bytes)
        self.append(month, 2, "-", to: &bytes)
        self.append(day, 2, "T", to: &bytes)
        self.append(second / 3600, 2, ":", to: &bytes)
        self.append(second / 60 % 60, 2, ":", to: &bytes)
        self.append(second % 60, 2, ".", to: &bytes)
        self.append(self.nanoseconds / 1_000_000 % 1000, 3, "Z", to: &bytes)
    }

    private func append(
        _ number: Int64,
        _ digits: Int,
        _ separator: Unicode.Scalar,
        to bytes: inout [UInt8]
    ) {
        var divisor = (1..<digits).reduce(Int64(1)) { product, _ in product * 10 }
        while divisor > 0 {
            bytes.append(UInt8(ascii: "0") + UInt8(number / divisor % 10))
            divisor /= 10
        }
        bytes.append(UInt8(ascii: separator))
    }

    /// The Gregorian date, by eras of 400 years that begin on March 1st, so that the leap day is
    /// the last of its year (Hinnant, 'chrono-Compatible Low-Level Date Algorithms').
    private static func date(daysSince1970 days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = days + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted % 146_097
        let yearOfEra =
            (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * marchMonth + 2) / 5 + 1
        let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
    }
}

extension Form<Duration> {
    /// A duration: `250ms`, `5s`, `10m`, `24h` or `7d`, never without a unit.
    static func duration(_ range: ClosedRange<Duration>) -> Form {
        let milliseconds = range.lowerBound.milliseconds...range.upperBound.milliseconds
        return Form<Int>.quantity("a duration", milliseconds, text: durationText) {
            word throws(Rejection) in
            let quantity = Quantity(word.text)
            if let quantity, quantity.unit.isEmpty {
                throw Rejection("needs a unit; write '\(word.isExpanded ? "10" : word.text)s'")
            }
            guard let value = quantity?.scaled(by: Quantity.durations) else {
                throw Rejection("is a duration, not \(word.shown); write '250ms', '10s' or '24h'")
            }
            return value
        }
        .map({ .milliseconds($0) }, back: \.milliseconds)
    }
}

extension Form<Int> {
    /// A size in bytes: `16KiB`, `1MiB`, or a bare number.
    static func size(_ range: ClosedRange<Int>) -> Form {
        .quantity("a size", range, text: sizeText) { word throws(Rejection) in
            guard let value = Quantity(word.text)?.scaled(by: Quantity.sizes) else {
                throw Rejection("is a size, not \(word.shown); write '16KiB', '1MiB' or bytes")
            }
            return value
        }
    }

    /// Bytes per second: `1KiB/s`.
    static func byteRate(_ range: ClosedRange<Int>) -> Form {
        .quantity("a rate", range, text: { sizeText($0) + "/s" }) { word throws(Rejection) in
            let size = word.text.hasSuffix("/s") ? String(word.text.dropLast(2)) : ""
            guard let value = Quantity(size)?.scaled(by: Quantity.sizes) else {
                throw Rejection("is a rate, not \(word.shown); write '1KiB/s'")
            }
            return value
        }
    }

    /// A share: `20%`.
    static func percent(_ range: ClosedRange<Int>) -> Form {
        .quantity("a share", range, text: { "\($0)%" }) { word throws(Rejection) in
            guard let quantity = Quantity(word.text), quantity.unit == "%" else {
                throw Rejection("is a share, not \(word.shown); write '20%'")
            }
            return quantity.number
        }
    }

    /// A whole number.
    static func count(_ range: ClosedRange<Int>) -> Form {
        .quantity("a number", range, text: { "\($0)" }) { word throws(Rejection) in
            guard let quantity = Quantity(word.text), quantity.unit.isEmpty else {
                throw Rejection("is a whole number, not \(word.shown)")
            }
            return quantity.number
        }
    }

    /// A number with bounds.
    private static func quantity(
        _ what: String,
        _ range: ClosedRange<Int>,
        text: @escaping @Sendable (Int) -> String,
        parse: @escaping @Sendable (Word) throws(Rejection) -> Int
    ) -> Form {
        .scalar(what) { word throws(Rejection) in
            let value = try parse(word)
            if value < range.lowerBound {
                throw Rejection("is at least \(text(range.lowerBound)), not \(word.shown)")
            }
            if value > range.upperBound {
                throw Rejection("is at most \(text(range.upperBound)), not \(word.shown)")
            }
            return value
        } print: {
            text($0)
        }
    }
}

extension Duration {
    /// Whole milliseconds; for the durations of relay.yaml, which fit.
    var milliseconds: Int {
        let (seconds, attoseconds) = self.components
        return Int(seconds * 1000 + attoseconds / 1_000_000_000_000_000)
    }

    static func minutes(_ count: Int) -> Duration { .seconds(count * 60) }
    static func hours(_ count: Int) -> Duration { .seconds(count * 3600) }
    static func days(_ count: Int) -> Duration { .seconds(count * 86_400) }
}

/// Milliseconds as relay.yaml writes them.
private func durationText(_ milliseconds: Int) -> String {
    Quantity.text(milliseconds, in: Quantity.durations, zero: "0s")
}

/// Bytes as relay.yaml writes them.
private func sizeText(_ bytes: Int) -> String {
    Quantity.text(bytes, in: Quantity.sizes, zero: "0")
}

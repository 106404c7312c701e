/// A whole number, and the unit behind it: `250ms`.
///
/// A number that does not fit is `Int.max`, which is above every bound.
struct Quantity {
    /// Not negative.
    let number: Int

    /// What stands behind the digits: `ms`; empty if nothing does.
    let unit: String

    /// Splits a text; nil if it does not begin with a digit.
    init?(_ text: String) {
        let digits = text.utf8.prefix { (0x30...0x39).contains($0) }
        guard !digits.isEmpty else { return nil }
        self.number = digits.reduce(0) { number, digit in
            saturating(number, times: 10, plus: Int(digit - 0x30))
        }
        self.unit = String(text[digits.endIndex...])
    }

    /// The number in the smallest of `units`; nil if its unit is none of them.
    func scaled(by units: [Unit]) -> Int? {
        units.first { $0.name == self.unit }.map {
            saturating(self.number, times: $0.size, plus: 0)
        }
    }

    /// A unit, as a multiple of the smallest.
    struct Unit: Sendable {
        let name: String
        let size: Int
    }

    /// A number in the largest unit that leaves no remainder.
    static func text(_ number: Int, in units: [Unit], zero: String) -> String {
        guard number != 0 else { return zero }
        let fitting = units.filter { number % $0.size == 0 }.max { $0.size < $1.size }
        guard let unit = fitting else { return "\(number)" }
        return "\(number / unit.size)\(unit.name)"
    }

    /// The units of a duration; the smallest is a millisecond.
    static let durations = [
        Unit(name: "ms", size: 1), Unit(name: "s", size: 1000), Unit(name: "m", size: 60_000),
        Unit(name: "h", size: 3_600_000), Unit(name: "d", size: 86_400_000),
    ]

    /// The units of a size; the smallest is a byte, and has no name.
    static let sizes = [
        Unit(name: "", size: 1), Unit(name: "KiB", size: 1 << 10), Unit(name: "MiB", size: 1 << 20),
        Unit(name: "GiB", size: 1 << 30), Unit(name: "TiB", size: 1 << 40),
    ]
}

/// `number * factor + summand`, or `Int.max` if that is more; nothing is negative.
private func saturating(_ number: Int, times factor: Int, plus summand: Int) -> Int {
    let product = number.multipliedReportingOverflow(by: factor)
    let sum = product.partialValue.addingReportingOverflow(summand)
    return product.overflow || sum.overflow ? Int.max : sum.partialValue
}

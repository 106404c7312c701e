/// A point of the monotonic clock, in nanoseconds since an unspecified start.
///
/// A machine word, because `Duration` is two; enough for 292 years.
public struct MonotonicTime: Hashable, Comparable, Sendable {
    /// Nanoseconds since the clock's start; never negative.
    public let nanoseconds: Int64

    /// The point that many nanoseconds after the clock's start.
    public init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    /// A point that never comes.
    public static let never = MonotonicTime(nanoseconds: .max)

    /// Whether `left` is earlier.
    public static func < (left: MonotonicTime, right: MonotonicTime) -> Bool {
        left.nanoseconds < right.nanoseconds
    }

    /// The point `duration` later; `never` where the sum does not fit.
    public static func + (time: MonotonicTime, duration: Duration) -> MonotonicTime {
        let (sum, overflow) = time.nanoseconds.addingReportingOverflow(duration.wholeNanoseconds)
        return overflow ? .never : MonotonicTime(nanoseconds: sum)
    }

    /// How much later `left` is than `right`.
    public static func - (left: MonotonicTime, right: MonotonicTime) -> Duration {
        .nanoseconds(left.nanoseconds - right.nanoseconds)
    }
}

/// A time of day: nanoseconds since 1970-01-01T00:00:00Z.
public struct WallTime: Hashable, Comparable, Sendable {
    /// Nanoseconds since 1970-01-01T00:00:00Z.
    public let nanoseconds: Int64

    /// The time that many nanoseconds after 1970-01-01T00:00:00Z.
    public init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    /// Whole seconds since 1970-01-01T00:00:00Z.
    public var seconds: Int64 { self.nanoseconds / 1_000_000_000 }

    /// Whole microseconds since 1970-01-01T00:00:00Z.
    public var microseconds: Int64 { self.nanoseconds / 1000 }

    /// Whether `left` is earlier.
    public static func < (left: WallTime, right: WallTime) -> Bool {
        left.nanoseconds < right.nanoseconds
    }
}

extension Duration {
    /// The duration in nanoseconds, cut off at ± 292 years.
    public var wholeNanoseconds: Int64 {
        let (seconds, attoseconds) = self.components
        let (scaled, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, overflowOfSum) = scaled.addingReportingOverflow(attoseconds / 1_000_000_000)
        if overflow || overflowOfSum { return seconds < 0 ? .min : .max }
        return sum
    }
}

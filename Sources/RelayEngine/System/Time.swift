/// A point of the monotonic clock, in nanoseconds since an unspecified start.
///
/// A machine word, because `Duration` is two; enough for 292 years.
public struct MonotonicTime: Hashable, Comparable, Sendable {
    /// Nanoseconds since the clock's start; never negative.
    public let nanoseconds: Int64

    /// The point that many nanoseconds after the clock's start.
    @inlinable
    public init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    /// A point that never comes.
    public static let never = MonotonicTime(nanoseconds: .max)

    /// Whether `left` is earlier.
    @inlinable
    public static func < (left: MonotonicTime, right: MonotonicTime) -> Bool {
        left.nanoseconds < right.nanoseconds
    }

    /// The point `duration` later; `never` where the sum does not fit.
    @inlinable
    public static func + (time: MonotonicTime, duration: Duration) -> MonotonicTime {
        let (sum, overflow) = time.nanoseconds.addingReportingOverflow(duration.wholeNanoseconds)
        return overflow ? .never : MonotonicTime(nanoseconds: sum)
    }

    /// How much later `left` is than `right`.
    @inlinable
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
    @inlinable
    public var wholeNanoseconds: Int64 {
        // One division by a machine word; `components` takes calls and wide multiplications, and this
        // is asked several times for each request.
        let attoseconds = self.attoseconds
        let high = UInt64(truncatingIfNeeded: attoseconds >> 64)
        let low = UInt64(truncatingIfNeeded: attoseconds)
        // Below that bound, which no negative duration is, the quotient fits.
        if high < 500_000_000 {
            let nanoseconds = UInt64(1_000_000_000).dividingFullWidth((high, low)).quotient
            return Int64(truncatingIfNeeded: nanoseconds)
        }
        let nanoseconds = attoseconds / 1_000_000_000
        return Int64(exactly: nanoseconds) ?? (nanoseconds < 0 ? .min : .max)
    }
}

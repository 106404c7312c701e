import RelayEngine

/// Lets a line of the log through now and then, and counts those that it keeps back: what strangers or a
/// backend can bring about as often as they like must not fill the log.
struct RareLine {
    /// How long between two lines.
    static let interval: Duration = .seconds(10)

    private var nextAt = MonotonicTime(nanoseconds: .min)
    private var keptBack = 0

    /// Whether the line may be written at `now`: how many were kept back since the last one; nil if it is
    /// kept back too.
    mutating func pass(at now: MonotonicTime) -> Int? {
        guard now >= self.nextAt else {
            self.keptBack += 1
            return nil
        }
        defer { self.keptBack = 0 }
        self.nextAt = now + Self.interval
        return self.keptBack
    }
}

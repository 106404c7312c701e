package import RelayConfig
import RelayEngine

/// How long to wait before an attempt: doubles from `initial`, stops growing at `max`, with jitter.
package struct Backoff: Sendable {
    private let initialNanoseconds: Int64
    private let maxNanoseconds: Int64

    /// By a policy.
    package init(_ configuration: BackoffConfiguration) {
        self.initialNanoseconds = max(configuration.initial.wholeNanoseconds, 0)
        self.maxNanoseconds = max(configuration.max.wholeNanoseconds, self.initialNanoseconds)
    }

    /// Before attempt `attempt` (the first retry is 1), before jitter.
    ///
    /// initial 100 ms, max 10 s:
    ///
    /// | attempt | 1 | 2 | 3 | 4 | … | 7 | 8 | 9 |
    /// |---|---|---|---|---|---|---|---|---|
    /// | ms | 100 | 200 | 400 | 800 | … | 6400 | 10000 | 10000 |
    ///
    /// Pure; an attempt below 1 is taken for the first.
    package func delay(beforeAttempt attempt: Int) -> Duration {
        .nanoseconds(self.nanoseconds(beforeAttempt: attempt))
    }

    /// The same with jitter: between half of it and all of it.
    package func delay(
        beforeAttempt attempt: Int,
        using generator: inout some RandomNumberGenerator
    ) -> Duration {
        let whole = self.nanoseconds(beforeAttempt: attempt)
        return .nanoseconds(whole / 2 + .random(in: 0...(whole - whole / 2), using: &generator))
    }

    /// The same with full jitter: anything up to it, so that those who failed together come back one by one.
    package func fullyJitteredDelay(
        beforeAttempt attempt: Int,
        using generator: inout some RandomNumberGenerator
    ) -> Duration {
        let whole = self.nanoseconds(beforeAttempt: attempt)
        return .nanoseconds(Int64.random(in: 0...whole, using: &generator))
    }

    private func nanoseconds(beforeAttempt attempt: Int) -> Int64 {
        let doublings = min(max(attempt, 1) - 1, 62)
        let (delay, overflow) = self.initialNanoseconds
            .multipliedReportingOverflow(by: 1 << Int64(doublings))
        return overflow ? self.maxNanoseconds : min(delay, self.maxNanoseconds)
    }
}

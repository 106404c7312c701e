import RelayEngine

/// Whether a target can be connected to, and if not, when it is probed next: one machine word, so that
/// all loops share it as an atomic.
///
/// ```
/// bits 63 … 8: when the next probe is due, in microseconds of the monotonic clock
/// bits  7 … 0: failed connects in a row, at most 62; 0: usable, and then the word is 0
/// ```
///
/// The transitions are pure; `SharedTarget` performs them by compare-and-exchange with the word that an
/// attempt began with, so that of many attempts that fail together only one counts.
struct TargetHealth: Equatable, Sendable {
    /// The word.
    let word: UInt64

    /// The last connect succeeded, or there was none.
    static let usable = TargetHealth(word: 0)

    /// What the atomic holds.
    init(word: UInt64) { self.word = word }

    private init(failures: Int, probeAt: MonotonicTime) {
        // Rounded up: a probe may be a microsecond late and is never early.
        let microseconds = UInt64(max(probeAt.nanoseconds, 0) / 1000) + 1
        self.word = microseconds << 8 | UInt64(min(max(failures, 1), Self.failuresMax))
    }

    /// Beyond this the backoff has long stopped growing.
    private static let failuresMax = 62

    /// Whether the last connect succeeded.
    var isUsable: Bool { self.word == 0 }

    /// How many connects have failed in a row.
    var failures: Int { Int(self.word & 0xFF) }

    /// When one request may probe; nil if it is usable.
    var probeAt: MonotonicTime? {
        guard !self.isUsable else { return nil }
        let (nanoseconds, overflow) = Int64(self.word >> 8).multipliedReportingOverflow(by: 1000)
        return overflow ? .never : MonotonicTime(nanoseconds: nanoseconds)
    }

    /// Whether a probe is due.
    func isProbeDue(at now: MonotonicTime) -> Bool {
        self.probeAt.map { $0 <= now } ?? false
    }

    /// A probe begins, which has `connectTimeout`: the next one is due a step after that, so that a
    /// prober which never connects (cancelled, no permit) holds the place for a while only.
    func probing(
        at now: MonotonicTime,
        connectTimeout: Duration,
        backoff: Backoff
    ) -> TargetHealth {
        let pause = connectTimeout + backoff.delay(beforeAttempt: self.failures)
        return TargetHealth(failures: self.failures, probeAt: now + pause)
    }

    /// A connect has failed: the next step of the backoff.
    func failed(at now: MonotonicTime, backoff: Backoff) -> TargetHealth {
        let failures = self.failures + 1
        return TargetHealth(
            failures: failures,
            probeAt: now + backoff.delay(beforeAttempt: failures)
        )
    }
}

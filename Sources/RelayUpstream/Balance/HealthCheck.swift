import Logging
import RelayConfig
import RelayEngine
import RelayHTTP

/// Asks one target again and again whether it is well (`health.active`).
///
/// One loop does so for all of them. A check is a request like others, over the pool's connections, but that it
/// counts neither as one nor against the target's share. It never overtakes itself: the next one begins an interval
/// after the last began, and not before that has ended.
///
/// Bound to its loop. Ends with its pool.
final class HealthCheck: UpstreamHandler, TimerTarget {
    private weak var pool: UpstreamPool?
    private let target: Int
    private let configuration: ActiveHealthConfiguration
    private var history: CheckHistory
    /// The check under way.
    private var request: UpstreamRequest?
    /// The status of its response, once it is there.
    private var status: UInt16?
    private var beganAt: MonotonicTime
    private var timer = TimerHandle.none

    /// More than this of a response is not read.
    private static let responseBytesMax: UInt64 = 1 << 20

    /// Checks a target of `pool`, from now on.
    init(_ target: Int, of pool: UpstreamPool, _ configuration: ActiveHealthConfiguration) {
        self.pool = pool
        self.target = target
        self.configuration = configuration
        self.history = CheckHistory(rise: configuration.rise, fall: configuration.fall)
        self.beganAt = pool.loop.now
        self.timer = pool.loop.arm(self, tag: 0, at: pool.loop.now)
    }

    /// No more checks.
    func stop() {
        guard let pool = self.pool else { return }
        self.pool = nil
        pool.loop.cancel(self.timer)
        if let request = self.request { pool.cancel(request) }
        self.request = nil
    }

    /// The next check is due; called by the loop.
    func timerElapsed(_ tag: UInt32) {
        guard let pool = self.pool else { return }
        let request = UpstreamRequest(handler: self, target: self.target, method: .get)
        request.isHealthCheck = true
        // A connection that dies while it is idle says nothing about the target.
        request.freshness = .recent
        request.path = Array(self.configuration.path.utf8)
        request.fields = Array("User-Agent: relay\r\n".utf8)
        request.responseBytesMax = Self.responseBytesMax
        self.beganAt = pool.loop.now
        request.deadline = self.beganAt + self.configuration.timeout
        self.request = request
        self.status = nil
        pool.start(request)
    }

    // MARK: The answer

    func responseReceived(
        _ request: UpstreamRequest,
        _ head: borrowing ResponseHead,
        _ bytes: Span<UInt8>
    ) {
        self.status = head.status
    }

    func responseBodyReceived(_ request: UpstreamRequest, _ bytes: Span<UInt8>) {}

    func responseEnded(_ request: UpstreamRequest) {
        let status = Int(self.status ?? 0)
        let isGood = self.configuration.statuses.contains { $0.contains(status) }
        self.ended(isGood, reason: "status \(status)")
    }

    func requestFailed(_ request: UpstreamRequest, _ failure: UpstreamFailure) {
        switch failure.kind {
        case .unreachable, .reset, .timedOut, .malformed:
            self.ended(false, reason: failure.reason)
        case .noCapacity, .cancelled:
            // That says nothing about the target.
            self.ended(nil, reason: "")
        }
    }

    private func ended(_ isGood: Bool?, reason: String) {
        guard let pool = self.pool else { return }
        self.request = nil
        if let isGood, self.history.record(isGood) {
            pool.checksChanged(self.target, isPassing: isGood, reason: reason)
        }
        let next = max(self.beganAt + self.configuration.interval, pool.loop.now)
        self.timer = pool.loop.arm(self, tag: 0, at: next)
    }
}

@available(*, unavailable) extension HealthCheck: Sendable {}

/// What the checks of a target say so far: well until `fall` in a row say otherwise, then unwell until `rise` do.
struct CheckHistory {
    private let rise: Int
    private let fall: Int
    /// Whether the target is well.
    private(set) var isPassing = true
    /// How many in a row have said otherwise.
    private var contradictions = 0

    /// A target that was not checked.
    init(rise: Int, fall: Int) {
        self.rise = rise
        self.fall = fall
    }

    /// A check has ended; whether the target is well or unwell since then and was not before.
    mutating func record(_ isGood: Bool) -> Bool {
        guard isGood != self.isPassing else {
            self.contradictions = 0
            return false
        }
        self.contradictions += 1
        guard self.contradictions >= (self.isPassing ? self.fall : self.rise) else { return false }
        self.contradictions = 0
        self.isPassing = isGood
        return true
    }
}

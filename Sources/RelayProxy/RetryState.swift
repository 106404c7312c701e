import RelayConfig
import RelayUpstream

/// How a proxied request was tried so far, and whether it may be tried again: a state machine that performs nothing.
///
/// ```
///   outcome of an attempt      tried again
///   nothing of it was sent     if the policy names the reason
///   the target may have it     if the policy names the reason, and asking twice is allowed
///   a status that is named     if asking twice is allowed; the answer is kept for the case that none better comes
/// ```
///
/// All within `attempts`. Targets are tried one after the other without a pause; once all were tried there is a pause
/// by the policy's backoff, and all count as not tried: another round.
struct RetryState: Equatable {
    /// What follows on an attempt that has brought no answer.
    enum Step: Equatable {
        /// The client hears of it.
        case giveUp
        /// Another attempt, at a target that was not tried in this round.
        case tryAnother
        /// Another attempt at the same target, because it was the connection that had ended.
        case trySame
    }

    /// Attempts that have begun.
    private(set) var attempts = 0
    /// Rounds over all targets that are over.
    private(set) var rounds = 0
    private var hasTriedSame = false

    /// An attempt begins.
    mutating func attemptBegan() { self.attempts += 1 }

    /// All targets were tried; the number of the pause that follows, from 1.
    mutating func roundEnded() -> Int {
        self.rounds += 1
        return self.rounds
    }

    /// Nothing counts any more: no target could be reached, and the request has waited for one.
    mutating func waitEnded() { self = RetryState() }

    /// An attempt has failed; `isRepeatable` if the target may be asked twice.
    mutating func attemptFailed(
        _ failure: UpstreamFailure,
        isRepeatable: Bool,
        by policy: RetryPolicyConfiguration
    ) -> Step {
        guard self.hasAttemptsLeft(by: policy) else { return .giveUp }
        if failure.outcome != .notSent {
            guard isRepeatable else { return .giveUp }
            if failure.isOfStaleConnection, !self.hasTriedSame {
                self.hasTriedSame = true
                return .trySame
            }
        }
        guard let condition = failure.kind.condition, policy.conditions.contains(condition) else {
            return .giveUp
        }
        return .tryAnother
    }

    /// Whether another attempt may follow on an answer with this status.
    func mayFollow(
        _ status: UInt16,
        isRepeatable: Bool,
        by policy: RetryPolicyConfiguration
    ) -> Bool {
        status >= 400 && isRepeatable && self.hasAttemptsLeft(by: policy)
            && policy.conditions.contains(.status(Int(status)))
    }

    private func hasAttemptsLeft(by policy: RetryPolicyConfiguration) -> Bool {
        policy.attemptsMax.map { self.attempts < $0 } ?? true
    }
}

extension UpstreamFailure.Kind {
    /// What a retry policy calls it; nil: nothing that another attempt would cure.
    fileprivate var condition: RetryPolicyConfiguration.Condition? {
        switch self {
        case .unreachable: .connect
        case .reset: .reset
        case .timedOut: .timeout
        case .noCapacity, .malformed, .cancelled: nil
        }
    }
}

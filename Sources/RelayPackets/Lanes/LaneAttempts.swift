import RelayUpstream

/// The attempts on the first packet of a lane: decides, after each event, what comes next.
///
/// A **round** tries one target after the other, at once, as long as there is an untried one that is
/// usable; then the packet waits by the policy's backoff and a new round begins. Attempts that were
/// counted are the store's to remember.
struct LaneAttempts {
    /// What comes next.
    enum Action: Equatable {
        /// The packet goes to this target.
        case send(target: Int)
        /// No target is usable: wait until the pool says that one may be.
        case waitForPool
        /// The round is over: wait as long as before retry `retry`, and at least so many seconds.
        case wait(retry: Int, atLeastSeconds: UInt32)
        /// Look for another target at once; `isCounted` says whether this was an attempt.
        case tryAnother(isCounted: Bool)
        /// The backend took it.
        case consume
        /// It will not be tried again.
        case reject(status: UInt16)
        /// It was tried as often as the policy allows.
        case giveUp
    }

    /// The targets tried in this round.
    private(set) var tried = TargetSet()
    private var hasTried = false

    /// Whether something of this round failed for another reason than that all connections are in
    /// use.
    private var hasFailed = false

    /// Rounds that have failed.
    private var rounds = 0

    /// The longest `Retry-After` of this round.
    private var retryAfterSeconds: UInt32 = 0

    /// The retryable 4xx that came last, and how often in a row.
    private var refusal: UInt16 = 0
    private var refusals = 0

    /// How often a packet is refused before a person is told.
    static let refusalsUntilHint = 10

    /// The status that has just refused the packet for the tenth time in a row.
    private(set) var hint: UInt16?

    /// The pool was asked for a target that was not tried in this round.
    mutating func targetPicked(_ target: Int?) -> Action {
        if let target {
            self.tried.insert(target)
            self.hasTried = true
            return .send(target: target)
        }
        guard self.hasTried else { return .waitForPool }
        defer {
            self.tried = TargetSet()
            self.hasTried = false
            self.hasFailed = false
            self.retryAfterSeconds = 0
        }
        // Targets that are busy are not asked less and less often.
        if self.hasFailed { self.rounds += 1 }
        return .wait(retry: max(self.rounds, 1), atLeastSeconds: self.retryAfterSeconds)
    }

    /// A complete answer has come.
    ///
    /// `counted` attempts were made before this one; the policy allows `attemptsMax`, nil any number.
    mutating func answered(
        status: UInt16,
        isRejected: Bool,
        retryAfterSeconds: UInt32?,
        counted: UInt32,
        attemptsMax: UInt32?
    ) -> Action {
        self.hint = nil
        if 200..<300 ~= status { return .consume }
        if isRejected { return .reject(status: status) }
        self.hasFailed = true
        self.retryAfterSeconds = max(self.retryAfterSeconds, retryAfterSeconds ?? 0)
        self.noteRefusal(status)
        return self.failed(isCounted: true, counted: counted, attemptsMax: attemptsMax)
    }

    /// No complete answer will come; numbers as for `answered`.
    mutating func failed(
        _ failure: UpstreamFailure,
        counted: UInt32,
        attemptsMax: UInt32?
    ) -> Action {
        self.hint = nil
        if failure.kind != .noCapacity { self.hasFailed = true }
        return self.failed(
            isCounted: failure.outcome != .notSent,
            counted: counted,
            attemptsMax: attemptsMax
        )
    }

    private func failed(isCounted: Bool, counted: UInt32, attemptsMax: UInt32?) -> Action {
        guard isCounted, let attemptsMax, UInt64(counted) + 1 >= UInt64(attemptsMax) else {
            return .tryAnother(isCounted: isCounted)
        }
        return .giveUp
    }

    private mutating func noteRefusal(_ status: UInt16) {
        guard 400..<500 ~= status else { return }
        self.refusals = status == self.refusal ? self.refusals + 1 : 1
        self.refusal = status
        if self.refusals == Self.refusalsUntilHint { self.hint = status }
    }
}

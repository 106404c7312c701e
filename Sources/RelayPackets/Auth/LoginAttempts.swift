import RelayUpstream

/// The tries of one login: decides, after each event, what comes next (DESIGN 2.1).
///
/// A login is repeated only where no backend can have acted on it: registering twice would be worse
/// than an error.
struct LoginAttempts {
    /// What comes next.
    enum Action: Equatable {
        /// The login goes to this target.
        case send(target: Int)
        /// Look for another target.
        case tryAnother
        /// No target can be reached: wait until the pool says that one may be.
        case waitForPool
        /// The client gets this problem.
        case refuse(PacketProblem)
        /// The client gets what the backend said.
        case passOn
        /// The session is to be stored, then the client gets what the backend said.
        case logIn
    }

    /// The targets tried.
    private(set) var tried = TargetSet()

    /// The longest `Retry-After` of those that cannot serve now; nil while none has said so.
    private var retryAfterSeconds: UInt32?

    /// The pool was asked for a target that was not tried.
    ///
    /// `mayWait` says whether there is time to wait for one (`wait` of the pool).
    mutating func targetPicked(_ target: Int?, mayWait: Bool) -> Action {
        guard let target else {
            // Who answered with 503 can be reached: waiting would only ask it again and again.
            if mayWait, self.retryAfterSeconds == nil { return .waitForPool }
            return .refuse(.backendUnreachable(retryAfterSeconds: self.retryAfterSeconds ?? 1))
        }
        self.tried.insert(target)
        return .send(target: target)
    }

    /// Targets that could not be reached may be tried again.
    mutating func poolMayBeUsable() { self.tried = TargetSet() }

    /// A complete answer has come.
    mutating func answered(
        _ verdict: LoginAnswer.Verdict,
        retryAfterSeconds: UInt32
    ) -> Action {
        switch verdict {
        case .granted:
            return .logIn
        case .denied:
            return .passOn
        case .unavailable:
            self.retryAfterSeconds = max(self.retryAfterSeconds ?? 1, retryAfterSeconds)
            return .tryAnother
        case .unusable:
            return .refuse(.backendFailed)
        }
    }

    /// No complete answer will come.
    func failed(_ failure: UpstreamFailure) -> Action {
        if failure.kind == .timedOut { return .refuse(.backendTooSlow) }
        return failure.outcome == .notSent ? .tryAnother : .refuse(.backendFailed)
    }
}

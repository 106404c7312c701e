/// Why a request has no (complete) response.
package struct UpstreamFailure: Error, Sendable, Hashable {
    /// What happened.
    package let kind: Kind
    /// Whether the target can have seen the request.
    package let outcome: Outcome
    /// Whether the connection had carried a request before and ended without a byte of a response: it may
    /// have been at its end when the request was sent, which says nothing about the target.
    package var isOfStaleConnection = false
    /// For the log: one sentence, such as `connection refused`.
    package let reason: String

    /// What happened.
    package enum Kind: Sendable, Hashable {
        /// No connection: refused, unreachable, connect deadline, name failure.
        case unreachable
        /// No permit in time, or too many wait for one.
        case noCapacity
        /// The connection ended before the response did.
        case reset
        /// The response did not come in time.
        case timedOut
        /// What came is not HTTP, or beyond the limits.
        case malformed
        /// The caller has cancelled it.
        case cancelled
    }

    /// Whether the target can have seen the request: what decides whether it may be repeated.
    package enum Outcome: Sendable, Hashable {
        /// No byte of it was sent.
        case notSent
        /// At least a byte was given to the kernel.
        case ambiguous
        /// A response's head was received.
        case answered
    }

    /// A failure.
    package init(_ kind: Kind, _ outcome: Outcome, reason: String) {
        self.kind = kind
        self.outcome = outcome
        self.reason = reason
    }
}

extension UpstreamFailure {
    /// Whether it says something bad about the target, for `health.passive`.
    ///
    /// A health check has its own say, a connection that died while it was idle says nothing, and neither does a
    /// fetch that is held until its timeout: there was no packet.
    func isOfTarget(_ request: UpstreamRequest) -> Bool {
        if request.isHealthCheck || self.isOfStaleConnection { return false }
        return switch self.kind {
        case .unreachable, .reset, .malformed: true
        case .timedOut: !request.expectsLongHold
        case .noCapacity, .cancelled: false
        }
    }
}

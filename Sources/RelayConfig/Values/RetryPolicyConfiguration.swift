/// A retry policy: when, how often and how fast something is tried again.
package struct RetryPolicyConfiguration: Sendable, Equatable {
    /// Its key under `retry_policies`; empty for ``forPackets`` and ``forRequests``.
    package var name: String

    /// `attempts`: how often in all, the first one counted.
    ///
    /// Default 3; 1 to 1000000. Nil is `unlimited`: packets until `packet_ttl`.
    package var attemptsMax: Int? = 3

    /// `on`: what is tried again, of requests that are not packets.
    ///
    /// Default [connect, reset, timeout, 502, 503, 504].
    package var conditions: Set<Condition> = [
        .connect, .reset, .timeout, .status(502), .status(503), .status(504),
    ]

    /// `methods`: which requests are tried again, of those that are not packets.
    ///
    /// Default idempotent.
    package var methods: Methods = .idempotent

    /// `backoff`: how long until the next attempt, where no target is left that was not tried.
    package var backoff = BackoffConfiguration()

    /// `per_try_timeout`: how long one attempt may take to the head of the response, the connecting included; for
    /// a request whose body is still to come, from its last byte on.
    ///
    /// Absent: only the pool's own timeouts count. 10ms to 1d.
    package var perTryTimeout: Duration?

    /// `budget`: requests that are being tried again, as percents of the requests under way (3 are always
    /// allowed), of requests that are not packets; those of which nothing was sent before do not count.
    ///
    /// Default 20%; 0% to 100%.
    package var budgetPercent = 20

    /// A policy with every default.
    package init(name: String) {
        self.name = name
    }

    /// How packets are tried where the pool names no policy: without limit, 100 ms to 10 s apart.
    package static var forPackets: RetryPolicyConfiguration {
        var policy = RetryPolicyConfiguration(name: "")
        policy.attemptsMax = nil
        return policy
    }

    /// How other requests are tried where the pool names no policy: by all defaults, but only what brought no
    /// answer, and not what was too late.
    package static let forRequests: RetryPolicyConfiguration = {
        var policy = RetryPolicyConfiguration(name: "")
        policy.conditions = [.connect, .reset]
        return policy
    }()

    /// A reason to try again.
    package enum Condition: Sendable, Hashable {
        /// `connect`: the target could not be connected to.
        case connect
        /// `reset`: the connection broke before the response.
        case reset
        /// `timeout`: the response did not come in time.
        case timeout
        /// The response has this status, 400 to 599.
        case status(Int)
    }

    /// Which requests may be sent twice.
    package enum Methods: String, Sendable, CaseIterable {
        /// GET, HEAD, OPTIONS, TRACE, PUT and DELETE.
        case idempotent
        /// All.
        case any
    }
}

/// `backoff` of a retry policy: doubles from `initial` and stops growing at `max`.
package struct BackoffConfiguration: Sendable, Equatable {
    /// `initial`: before the first repetition.
    ///
    /// Default 100ms; 1ms to 1h.
    package var initial: Duration = .milliseconds(100)

    /// `max`: the longest.
    ///
    /// Default 10s; 1ms to 1d, and not below `initial`.
    package var max: Duration = .seconds(10)

    /// The defaults.
    package init() {}
}

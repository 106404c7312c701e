/// A pool: a named group of targets, and how they are talked to.
package struct PoolConfiguration: Sendable, Equatable {
    /// Its key under `pools`: in the log and the metrics.
    package var name: String

    /// `targets`: at least one; no two with the same URL.
    package var targets: [TargetConfiguration]

    /// `balance`: how a target is chosen.
    ///
    /// Default round_robin.
    package var balance: Balance = .roundRobin

    /// `slow_start`: in how much time the share of a target that has come back grows to the whole.
    ///
    /// Default 0s; 0s to 1h. 0s: at once.
    package var slowStart: Duration = .zero

    /// `retry`: the policy of that name.
    ///
    /// Absent: packets are tried without limit (``RetryPolicyConfiguration/forPackets``), other
    /// requests as by a policy whose `on` is [connect, reset] (``RetryPolicyConfiguration/forRequests``).
    package var retry: RetryPolicyConfiguration?

    /// `packet_timeout`: how long a target may take to answer a packet; a shorter `per_try_timeout`
    /// of the policy counts.
    ///
    /// Default 120s; 10ms to 1d.
    package var packetTimeout: Duration = .seconds(120)

    /// `fetch`: how relay asks for packets.
    package var fetch = FetchConfiguration()

    /// `reject`: the statuses by which a target says that a packet itself is at fault, so that it
    /// is a dead letter and not tried again.
    ///
    /// Default 400, 405, 409, 410, 411, 413, 414, 415, 422, 431; each 300 to 599.
    package var rejectStatuses: Set<Int> = [400, 405, 409, 410, 411, 413, 414, 415, 422, 431]

    /// `connect_timeout`: how long connecting to a target may take.
    ///
    /// Default 1s; 1ms to 10m.
    package var connectTimeout: Duration = .seconds(1)

    /// `response_timeout`: from the last byte of a request, not of a packet, to the head of its
    /// response, per try.
    ///
    /// Default 30s; 10ms to 1d.
    package var responseTimeout: Duration = .seconds(30)

    /// `stall_timeout`: how long a target may send no byte of a response's body, or take none of a request's.
    ///
    /// Default 60s; 10ms to 1d.
    package var stallTimeout: Duration = .seconds(60)

    /// `tunnel_timeout`: how long neither side of a tunnel may send a byte, behind a 101.
    ///
    /// Default 1h; 10ms to 30d.
    package var tunnelTimeout: Duration = .hours(1)

    /// `retry_buffer`: how much of a request's body is kept so that it can be sent again, and of an answer's that is
    /// held back while the request is tried again.
    ///
    /// Default 64KiB; 0 to 16MiB. 0: requests with a body are not repeated.
    package var retryBufferBytes = 64 << 10

    /// `wait`: how long a request, not a packet, is kept while no target can be reached, before it
    /// gets a 503.
    ///
    /// Default 0s; 0s to 1h. 0s: not at all.
    package var wait: Duration = .zero

    /// `host`: the `Host` that targets see.
    ///
    /// Default pass.
    package var host: Host = .pass

    /// `connections`: how many, to each target.
    package var connections = ConnectionsConfiguration()

    /// `health`: how relay finds out which targets to leave alone.
    ///
    /// Absent: by connecting to them alone.
    package var health: HealthConfiguration?

    /// Where it is written; nil if it was made by hand.
    ///
    /// Not compared.
    @Uncompared package var location: SourceLocation? = nil

    /// A pool with every default.
    package init(name: String, targets: [TargetConfiguration]) {
        self.name = name
        self.targets = targets
    }

    /// The policy by which packets are sent: `retry`, or the one they have without it.
    package var packetRetry: RetryPolicyConfiguration { self.retry ?? .forPackets }

    /// The policy by which requests that are not packets are sent.
    package var requestRetry: RetryPolicyConfiguration { self.retry ?? .forRequests }

    /// How a target is chosen.
    ///
    /// Always by weight.
    package enum Balance: Sendable, Hashable {
        /// `round_robin`: each in its turn.
        case roundRobin
        /// `least_requests`: the one with the fewest requests under way.
        case leastRequests
        /// `random_two`: of two at random the one with fewer requests under way.
        case randomTwo
        /// `{ hash: … }`: the same for the same value, for as long as it can be used.
        case hash(HashKey)
    }

    /// What the choice by hash goes by.
    ///
    /// Packets always go by the id of their client.
    package enum HashKey: Sendable, Hashable {
        /// `client_ip`: the client's address.
        case clientAddress
        /// `client_id`: the client's id, which only packets have; others go in turn.
        case clientID
        /// `{ header: NAME }`: the first field of that name; requests without it go in turn.
        case field(String)
    }

    /// The `Host` that targets see.
    package enum Host: Sendable, Hashable {
        /// `pass`: the client's; the target's own where no client asks (fetches, packets).
        case pass
        /// `target`: the host and port of the target's URL.
        case target
        /// These characters: a host, with a port or without.
        case literal(String)
    }
}

/// A target of a pool: one origin.
package struct TargetConfiguration: Sendable, Equatable {
    /// `url`: where it is.
    ///
    /// Required.
    package var url: TargetURL

    /// `weight`: its share, relative to the other targets.
    ///
    /// Default 1; 1 to 1000.
    package var weight = 1

    /// `backup`: whether it is used only where no other target can be.
    ///
    /// Default false.
    package var isBackup = false

    /// `resolve`: how often the name in the URL is looked up, so that every address of it is a target
    /// of its own.
    ///
    /// Absent: the name is one target, looked up as it is connected to. 1s to 1h.
    package var resolve: Duration?

    /// Where it is written; nil if it was made by hand.
    ///
    /// Not compared.
    @Uncompared package var location: SourceLocation? = nil

    /// A target of weight 1.
    package init(url: TargetURL) {
        self.url = url
    }
}

/// `connections` of a pool: how many, to each target, over all event loops.
package struct ConnectionsConfiguration: Sendable, Equatable {
    /// `max`: at a time.
    ///
    /// Default 1024; 1 to 1000000.
    package var max = 1024

    /// `idle`: kept open while nothing uses them.
    ///
    /// Default 64; 0 to 1000000. More than `max` is `max`.
    package var idleMax = 64

    /// `idle_timeout`: how long one is kept open while nothing uses it.
    ///
    /// Default 60s; 10ms to 1d.
    package var idleTimeout: Duration = .seconds(60)

    /// `pending`: requests that may wait for a connection; beyond it they get a 503.
    ///
    /// None waits longer than the pool's `response_timeout`; packets wait on.
    ///
    /// Default 1024; 0 to 1000000.
    package var pendingMax = 1024

    /// The defaults.
    package init() {}
}

/// `fetch` of a pool: how relay asks its targets for packets.
package struct FetchConfiguration: Sendable, Equatable {
    /// `mode`: who is asked.
    ///
    /// Default pool.
    package var mode: Mode = .pool

    /// `connections`: fetches outstanding per target.
    ///
    /// Default 1, in mode client the pool's `connections.max`; 1 to 1000000, not above `connections.max`.
    package var connections = 1

    /// `interval`: how long after an empty fetch was sent the next one, in mode client the next one
    /// for the same client, follows at the earliest.
    ///
    /// Default 1s; 1ms to 1h.
    package var interval: Duration = .seconds(1)

    /// `timeout`: how long a target may hold a fetch.
    ///
    /// Nil (0s, the default): for ever; dead peers are found by TCP keep-alive. 0s to 1d.
    package var timeout: Duration?

    /// The defaults.
    package init() {}

    /// Who is asked.
    package enum Mode: String, Sendable, CaseIterable {
        /// Every target, for packets for anybody.
        case pool
        /// Every target, for packets for one client that has a poll held, and the next.
        case client
        /// Nobody: packets come only as answers to packets.
        case off
    }
}

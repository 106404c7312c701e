package import RelayConfig
package import RelayPipeline
package import RelayStore
import RelayUpstream

/// A pool that takes packets, on one loop, as one generation has it.
package final class PacketPool {
    /// Its number in the store, which no reload changes.
    package let id: PoolID

    /// The realm of all clients whose packets it takes.
    package let realm: RealmID

    /// What relay.yaml says of it.
    let configuration: PoolConfiguration

    /// Its targets: the same object in the next generation if nothing of them has changed.
    let targets: any TargetPool

    /// The fields worth storing of what backends say.
    let kept: KeptNames

    /// The largest body that is stored for a client.
    let packetBytesMax: Int

    /// Whether an attempt on a packet has failed since one was last consumed, as this loop knows.
    var isFailing = false

    /// The targets whose fetches have failed since one was last answered.
    var targetsFailingFetches: Set<Int> = []

    let backoff: Backoff
    let attemptsMax: UInt32?
    let packetTimeout: Duration

    /// A pool that takes packets of clients of `realm`; `packetBytesMax` is `packet_size` of the
    /// `buffer` stages that lead to it.
    package init(
        id: PoolID,
        realm: RealmID,
        configuration: PoolConfiguration,
        targets: any TargetPool,
        kept: KeptNames,
        packetBytesMax: Int
    ) {
        let policy = configuration.packetRetry
        self.id = id
        self.realm = realm
        self.configuration = configuration
        self.targets = targets
        self.kept = kept
        self.packetBytesMax = packetBytesMax
        self.backoff = Backoff(policy.backoff)
        self.attemptsMax = policy.attemptsMax.map { UInt32(clamping: $0) }
        self.packetTimeout = min(
            configuration.packetTimeout,
            policy.perTryTimeout ?? configuration.packetTimeout
        )
    }

    /// Its key in relay.yaml.
    var name: String { self.configuration.name }

    /// Whether a target says with this status that the packet itself is at fault.
    func rejects(_ status: UInt16) -> Bool {
        self.configuration.rejectStatuses.contains(Int(status))
    }
}

@available(*, unavailable) extension PacketPool: Sendable {}

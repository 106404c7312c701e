package import RelayAdmin
import RelayConfig
import RelayEngine
import RelayUpstream

extension RelayProcess {
    /// How relay and its targets do; on the control loop.
    package func status() -> RelayStatus {
        self.control.assertOnLoop()
        let now = self.control.now
        let shared = self.plan?.pools ?? [:]
        return RelayStatus(
            version: RelayVersion.text,
            generation: self.plan?.number ?? 0,
            pools: (self.plan?.configuration.pools ?? []).compactMap { pool in
                shared[pool.name].map { RelayStatus.Pool($0, at: now) }
            }
        )
    }
}

extension RelayStatus.Pool {
    /// What the loops share of a pool.
    fileprivate init(_ pool: SharedPool, at now: MonotonicTime) {
        self.init(
            name: pool.configuration.name,
            targets: pool.configuration.targets.enumerated().map { index, target in
                let status = pool.status(of: index)
                return RelayStatus.Target(
                    url: target.url.text,
                    health: pool.condition(of: index, at: now).rawValue,
                    requests: status.requests,
                    failures: status.failures,
                    underWay: status.requestsUnderWay,
                    connections: status.connectionsOpen
                )
            }
        )
    }
}

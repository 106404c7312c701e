import Logging
import RelayConfig
import RelayEngine

/// Active health checks.
extension UpstreamPool {
    /// The checks that this loop does: each target is checked by one loop.
    func makeHealthChecks() -> [HealthCheck] {
        guard let active = self.configuration.health?.active else { return [] }
        let loops = self.shared.loopCount
        return self.configuration.targets.indices
            .filter { $0 % loops == self.loop.index % loops }
            .map { HealthCheck($0, of: self, active) }
    }

    /// Checks have found that a target is well again, or is not any more.
    func checksChanged(_ target: Int, isPassing: Bool, reason: String) {
        self.shared.targets[target].checksChanged(isPassing: isPassing, at: self.loop.now)
        let metadata: Logger.Metadata = [
            "pool": "\(self.configuration.name)",
            "target": "\(self.configuration.targets[target].url.text)",
            "reason": "\(reason)",
        ]
        if isPassing {
            self.logger.notice("target passes its health checks again", metadata: metadata)
            self.shared.targetCameUp()
        } else {
            self.logger.warning("target fails its health checks", metadata: metadata)
        }
    }
}

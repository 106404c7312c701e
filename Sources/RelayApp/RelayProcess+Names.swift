import Logging
import RelayConfig
import RelayEngine
import RelayServer

/// What follows names of targets. On the control loop.
extension RelayProcess {
    /// A name means other addresses: the pools that use it are made anew, as by a reload that changes nothing else.
    func nameChanged(_ name: String) {
        guard case .no = self.stopping, let plan = self.plan else { return }
        let addresses = self.targetNames.addresses[name, default: []].map(\.host)
        self.logger.info(
            "a target's name has other addresses",
            metadata: ["name": "\(name)", "addresses": "\(addresses.joined(separator: " "))"]
        )
        do {
            let prepared = try self.server.prepare(plan.configuration.listeners)
            self.putInForce(plan.configuration, plan.plugins, prepared, number: plan.number) { _ in
            }
        } catch {
            self.logger.error(
                "the addresses of a target cannot be changed",
                metadata: ["name": "\(name)", "reason": "\(error)"]
            )
        }
    }
}

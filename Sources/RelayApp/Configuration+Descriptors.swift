import RelayConfig

extension Configuration {
    /// Descriptors that relay keeps for itself: files, the log, epolls, upstream connections that are always open.
    private static let descriptorsReserved = 128

    /// How many connections all listeners together accept.
    var connectionsMax: Int {
        self.listeners.reduce(0) { sum, listener in
            let (total, isTooLarge) = sum.addingReportingOverflow(listener.limits.connectionsMax)
            return isTooLarge ? Int.max : total
        }
    }

    /// The same with `max_connections` of the listeners lowered, each by its share, until all connections together
    /// fit into what the process may open.
    ///
    /// Up to half of the descriptors are left to upstream connections.
    func lowered(toDescriptors descriptorsMax: Int) -> Configuration {
        let wanted = self.connectionsMax
        let upstream = self.pools.reduce(0) { sum, pool in
            let (total, isTooLarge) = sum.addingReportingOverflow(
                pool.connections.max * pool.targets.count
            )
            return isTooLarge ? Int.max : total
        }
        let usable = max(descriptorsMax - Self.descriptorsReserved, 2)
        let available = max(usable - min(upstream, usable / 2), 1)
        guard wanted > available else { return self }
        var lowered = self
        for index in lowered.listeners.indices {
            let share =
                Double(self.listeners[index].limits.connectionsMax) / Double(wanted)
                * Double(available)
            lowered.listeners[index].limits.connectionsMax = max(Int(share), 1)
        }
        return lowered
    }
}

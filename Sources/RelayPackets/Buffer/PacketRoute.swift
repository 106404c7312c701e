package import RelayPipeline
package import RelayStore

/// Where the packets of a listener go: what its `route` stage says about them.
///
/// A `buffer` stands before the `route`, so it asks here which pool a packet is for.
package struct PacketRoute {
    private let route: Route
    private let when: Matcher?
    private let pools: [String: PoolID]

    /// The pool that all rules name, as nearly always; found without a look into the dictionary.
    private let only: (name: String, pool: PoolID)?

    /// By the listener's `route`, with the stage's `when`, and the pools that its rules name.
    package init(_ route: Route, when: Matcher?, pools: [String: PoolID]) {
        self.route = route
        self.when = when
        self.pools = pools
        self.only = pools.count == 1 ? pools.first.map { ($0.key, $0.value) } : nil
    }

    /// The pool that the packets of a request go to; nil if no rule takes them.
    func pool(_ exchange: Exchange, _ request: Request, _ bytes: Span<UInt8>) -> PoolID? {
        if let when, !when.holds(exchange, request, bytes) { return nil }
        guard let name = self.route.poolForPackets(exchange, request, bytes) else { return nil }
        if let only, only.name == name { return only.pool }
        return self.pools[name]
    }

    /// Has the filter of the rule that takes the request's packets count for it, and for what it is answered.
    func applyFilter(_ exchange: Exchange, _ request: Request, _ bytes: Span<UInt8>) {
        guard self.route.hasPacketFilters, self.when?.holds(exchange, request, bytes) ?? true,
            let filter = self.route.ruleForPackets(exchange, request, bytes)?.packetFilter
        else { return }
        exchange.apply(filter, request, bytes)
    }
}

@available(*, unavailable) extension PacketRoute: Sendable {}

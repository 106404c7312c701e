import Logging
import RelayConfig
import RelayEngine
import RelayPackets
import RelayPipeline
import RelayUpstream

/// What one event loop has of the current generation: pools, pipelines, and what listeners share.
///
/// Everything in it is an instance of this loop (a graph that two threads walk costs three times as much).
///
/// `@unchecked Sendable`: other threads may only post messages to `loop`, a constant; the rest is done on it,
/// which assertions check.
final class LoopPart: @unchecked Sendable {
    /// The event loop.
    let loop: EventLoop
    /// Its part of the packet relay, which no reload replaces.
    let packets: PacketLoop

    private let pluginCalls: PluginCalls
    private let resolver: Resolver
    private let logger: Logger

    /// The pools of the generation, by their names.
    private var pools: [String: UpstreamPool] = [:]

    /// What makes the pipelines of the generation; nil before the first one.
    private var composer: Composer?

    /// A part without a generation.
    init(
        loop: EventLoop,
        packets: PacketLoop,
        resolver: Resolver,
        logger: Logger
    ) {
        self.loop = loop
        self.packets = packets
        self.pluginCalls = PluginCalls(loop: loop)
        self.resolver = resolver
        self.logger = logger
    }

    /// Builds this loop's pools of a generation and puts them in force; the pipelines that are made from then on
    /// lead to them.
    ///
    /// Pools that have not changed are the same objects as before; those that are gone finish what they have
    /// under way.
    func install(_ plan: GenerationPlan) {
        self.loop.assertOnLoop()
        let previous = self.pools
        self.pools = [:]
        for (name, shared) in plan.pools {
            if let old = previous[name], old.shared === shared {
                self.pools[name] = old
            } else {
                self.pools[name] = UpstreamPool(
                    shared: shared,
                    loop: self.loop,
                    resolver: self.resolver,
                    logger: self.logger
                )
            }
        }
        self.packets.install(self.packetPools(plan))
        for (name, pool) in previous where self.pools[name] !== pool { pool.retire() }

        self.composer = Composer(
            plan: plan,
            packets: self.packets,
            pools: self.pools,
            plugins: plan.plugins.instances.mapValues { PluginWorker($0, loop: self.loop) },
            pluginCalls: self.pluginCalls
        )
    }

    /// The pipeline of a listener of the generation in force.
    func pipeline(of listener: ListenerConfiguration) -> Pipeline {
        self.loop.assertOnLoop()
        return self.composer?.pipeline(of: listener) ?? Pipeline([])
    }

    private func packetPools(_ plan: GenerationPlan) -> [PacketPool] {
        plan.packetPools.compactMap { name, packetPool in
            guard let pool = self.pools[name] else { return nil }
            return PacketPool(
                id: packetPool.id,
                realm: packetPool.realm,
                configuration: pool.configuration,
                targets: pool,
                kept: packetPool.kept,
                packetBytesMax: packetPool.packetBytesMax
            )
        }
    }
}

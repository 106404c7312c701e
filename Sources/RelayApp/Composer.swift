import RelayConfig
import RelayPackets
import RelayPipeline
import RelayProxy
import RelayStore
import RelayUpstream

/// Makes the stages of a listener from what relay.yaml says, for one event loop.
struct Composer {
    /// The generation that is built.
    let plan: GenerationPlan
    /// The packet relay of the loop.
    let packets: PacketLoop
    /// The pools of the loop, by their names.
    let pools: [String: UpstreamPool]
    /// The plugins at work on the loop, by their names.
    let plugins: [String: PluginWorker]
    /// What calls them.
    let pluginCalls: PluginCalls

    /// The pipeline of a listener: its stages in the order in which they take effect, each with its `when`.
    func pipeline(of listener: ListenerConfiguration) -> Pipeline {
        // A `buffer` stands before the `route` and asks it where packets go, so the route comes first.
        let route = self.route(of: listener)
        return Pipeline(
            listener.stagesInEffect.compactMap { stage in
                guard let made = self.stage(stage, of: listener, route: route) else { return nil }
                return Pipeline.Step(made, when: stage.when.map { Matcher($0) })
            }
        )
    }

    private func stage(
        _ stage: StageConfiguration,
        of listener: ListenerConfiguration,
        route: CompiledRoute?
    ) -> (any Stage)? {
        switch stage.kind {
        case .auth(let auth):
            guard let realm = self.plan.realms[auth.realm], let pool = self.pools[auth.pool] else {
                return nil
            }
            return AuthStage(
                self.packets,
                configuration: auth,
                realm: realm,
                pool: pool.configuration,
                targets: pool,
                kept: self.plan.kept[auth.realm] ?? KeptNames([]),
                limits: listener.limits
            )
        case .headers(let filter):
            return HeadersStage(HeaderFilter(filter, isForPackets: listener.takesPackets))
        case .buffer(let buffer):
            guard let realm = self.plan.realms[buffer.realm], let route else { return nil }
            return BufferStage(
                self.packets,
                configuration: buffer,
                realm: realm,
                route: PacketRoute(
                    route.route,
                    when: route.when,
                    pools: self.plan.packetPools.mapValues(\.id)
                )
            )
        case .push(let push):
            guard let realm = self.plan.realms[push.realm] else { return nil }
            let buffer = self.plan.configuration.buffer(ofRealm: push.realm)
            return PushStage(
                self.packets,
                configuration: push,
                realm: realm,
                packetBytesMax: (buffer ?? BufferConfiguration(realm: push.realm)).packetBytesMax
            )
        case .plugin(let use):
            guard let worker = self.plugins[use.name] else { return nil }
            return PluginStage(worker, calls: self.pluginCalls, onError: use.onError)
        case .route:
            return route.map { RouteStage($0.route, pools: self.pools) }
        }
    }

    private struct CompiledRoute {
        let route: Route
        let when: Matcher?
    }

    /// The `route` of a listener; every pipeline that was read from a file ends with one.
    private func route(of listener: ListenerConfiguration) -> CompiledRoute? {
        for stage in listener.pipeline {
            guard case .route(let route) = stage.kind else { continue }
            return CompiledRoute(
                route: Route(route, takesPackets: listener.buffer != nil),
                when: stage.when.map { Matcher($0) }
            )
        }
        return nil
    }
}

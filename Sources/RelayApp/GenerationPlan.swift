import RelayConfig
import RelayEngine
import RelayPackets
import RelayPipeline
import RelayStore
import RelayUpstream

/// What each event loop builds its part of a generation from.
///
/// A generation is everything built from one load of relay.yaml. A plan never changes.
struct GenerationPlan: Sendable {
    /// Its number; the first is 1.
    let number: Int

    /// What relay.yaml said.
    let configuration: Configuration

    /// Its plugins, configured.
    let plugins: PluginSet

    /// What the loops share of each pool, by its name: that of the generation before where the pool's
    /// configuration is the same, so that connections, permits and health are kept.
    let pools: [String: SharedPool]

    /// Where the packets of a `buffer` go, by the name of the pool.
    let packetPools: [String: PacketPoolPlan]

    /// The number of each realm in the store, by its name.
    let realms: [String: RealmID]

    /// The fields of a backend's answers that listeners of a realm let through, by its name.
    let kept: [String: KeptNames]

    /// A pool that takes packets.
    struct PacketPoolPlan: Sendable {
        /// Its number in the store.
        let id: PoolID
        /// The realm of the clients whose packets it takes.
        let realm: RealmID
        /// The fields worth storing of what its targets say.
        let kept: KeptNames
        /// `packet_size` of the realm.
        let packetBytesMax: Int
    }
}

extension GenerationPlan {
    /// Plans the generation after `previous`, and tells the store of realms, pools and limits.
    ///
    /// - Parameters:
    ///   - number: its number, if it is the generation before with other addresses.
    ///   - addresses: what the names of targets with `resolve` mean.
    init(
        _ configuration: Configuration,
        plugins: PluginSet = PluginSet(),
        after previous: GenerationPlan?,
        number: Int? = nil,
        addresses: [String: [SocketAddress]] = [:],
        store: PacketStore,
        loops: [EventLoop]
    ) {
        self.number = number ?? (previous?.number ?? 0) + 1
        self.configuration = configuration
        self.plugins = plugins
        var pools: [String: SharedPool] = [:]
        for pool in configuration.pools.map({ $0.withTargets(at: addresses) }) {
            if let old = previous?.pools[pool.name], old.configuration == pool {
                pools[pool.name] = old
            } else {
                pools[pool.name] = SharedPool(configuration: pool, loops: loops)
            }
        }
        self.pools = pools

        store.setLimits(StoreLimits(configuration))
        var realms: [String: RealmID] = [:]
        for listener in configuration.listeners {
            for case .auth(let auth) in listener.pipeline.map(\.kind) {
                // A realm without a `buffer` keeps sessions alone: the defaults do for it.
                let buffer = configuration.buffer(ofRealm: auth.realm)
                let settings = buffer.map { RealmSettings($0) } ?? RealmSettings()
                realms[auth.realm] = store.realm(named: auth.realm, settings: settings)
            }
        }
        self.realms = realms
        let kept = realms.keys.map { ($0, KeptNames(configuration.responseFilters(ofRealm: $0))) }
        self.kept = Dictionary(uniqueKeysWithValues: kept)
        self.packetPools = Self.packetPools(
            of: configuration,
            realms: realms,
            kept: self.kept,
            store: store
        )
    }

    private static func packetPools(
        of configuration: Configuration,
        realms: [String: RealmID],
        kept: [String: KeptNames],
        store: PacketStore
    ) -> [String: PacketPoolPlan] {
        var plans: [String: PacketPoolPlan] = [:]
        for listener in configuration.listeners {
            guard let buffer = listener.buffer, let realm = realms[buffer.realm],
                let kept = kept[buffer.realm]
            else { continue }
            for pool in listener.packetPools where plans[pool] == nil {
                plans[pool] = PacketPoolPlan(
                    id: store.pool(named: pool, limits: InboxLimits(buffer)),
                    realm: realm,
                    kept: kept,
                    packetBytesMax: buffer.packetBytesMax
                )
            }
        }
        return plans
    }
}

extension Configuration {
    /// A `buffer` stage of the realm: in what concerns clients all of one realm agree.
    func buffer(ofRealm realm: String) -> BufferConfiguration? {
        self.listeners.lazy.compactMap(\.buffer).first { $0.realm == realm }
    }

    /// The header filters that answers to clients of the realm may meet.
    fileprivate func responseFilters(ofRealm realm: String) -> [HeaderFilterConfiguration] {
        self.listeners.filter { $0.hasRealm(realm) }.flatMap { listener in
            listener.pipeline.flatMap { stage -> [HeaderFilterConfiguration] in
                switch stage.kind {
                case .headers(let filter): [filter]
                case .route(let route): route.rules.compactMap(\.headers)
                case .auth, .buffer, .push, .plugin: []
                }
            }
        }
    }
}

extension ListenerConfiguration {
    /// Whether clients of the realm come here.
    fileprivate func hasRealm(_ realm: String) -> Bool {
        self.pipeline.contains { stage in
            if case .auth(let auth) = stage.kind { auth.realm == realm } else { false }
        }
    }

    /// The pools that packets of this listener may go to; none without a `buffer`.
    fileprivate var packetPools: [String] {
        guard let buffer = self.buffer else { return [] }
        return self.pipeline.flatMap { stage in
            guard case .route(let route) = stage.kind else { return [String]() }
            return route.rules.compactMap { rule in
                guard case .pool(let name) = rule.action, rule.mayTakePackets(at: buffer.path)
                else { return nil }
                return name
            }
        }
    }
}

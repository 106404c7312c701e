/// The realms and pools by number, and what holds for them: each shard has a copy, which a reload
/// replaces.
struct Rules: Sendable {
    /// Grows with each change, so that an older copy never replaces a newer one.
    private(set) var version = 0

    private(set) var realms: [Realm] = []
    private(set) var pools: [Pool] = []

    /// One realm.
    struct Realm: Sendable {
        let name: String
        /// How long a packet waits, in nanoseconds.
        let packetTTL: UInt64
        /// How long a key is remembered, in nanoseconds.
        let dedupeWindow: UInt64
        let settings: RealmSettings
        let strangers: StrangerAccount

        /// Whether the keys of packets are remembered at all.
        var remembersKeys: Bool { self.dedupeWindow > 0 && self.settings.dedupeKeysMax > 0 }
    }

    /// One pool.
    struct Pool: Sendable {
        let name: String
        let limits: InboxLimits
        let account: PoolAccount
    }

    /// The number of a realm, for which `settings` hold from now on.
    mutating func setRealm(named name: String, _ settings: RealmSettings) -> RealmID {
        self.version += 1
        let index = self.realms.firstIndex { $0.name == name }
        let realm = Realm(
            name: name,
            packetTTL: settings.packetTTL.nanosecondsClamped,
            dedupeWindow: settings.dedupeWindow.nanosecondsClamped,
            settings: settings,
            strangers: index.map { self.realms[$0].strangers } ?? StrangerAccount()
        )
        if let index { self.realms[index] = realm } else { self.realms.append(realm) }
        return RealmID(index: index ?? self.realms.count - 1)
    }

    /// The number of a pool, for which `limits` hold from now on.
    mutating func setPool(named name: String, _ limits: InboxLimits) -> PoolID {
        self.version += 1
        let index = self.pools.firstIndex { $0.name == name }
        let pool = Pool(
            name: name,
            limits: limits,
            account: index.map { self.pools[$0].account } ?? PoolAccount()
        )
        if let index { self.pools[index] = pool } else { self.pools.append(pool) }
        return PoolID(index: index ?? self.pools.count - 1)
    }
}

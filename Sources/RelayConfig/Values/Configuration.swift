/// What relay.yaml says: every value read, checked, and filled in where the file is silent.
///
/// The structs of this module hold values and do nothing. An impossible value cannot come out of
/// ``load(path:environment:files:)``; code that builds one by hand (a test) keeps the bounds that
/// each property states. A value is compared without the places where it was written, so that a
/// reload can tell which sections changed.
package struct Configuration: Sendable, Equatable {
    /// `workers`: event loops, each a thread.
    ///
    /// Nil is `auto`, the default: as many as the CPUs this process may use. 1 to 256.
    package var workers: Int?

    /// `shutdown`: how relay stops.
    package var shutdown = ShutdownConfiguration()

    /// `memory`: how much of it relay may use.
    package var memory = MemoryConfiguration()

    /// `log`: what is logged, and how.
    package var log = LogConfiguration()

    /// `admin`: the address for health checks and reloads.
    ///
    /// Absent: no such address.
    package var admin: AdminConfiguration?

    /// `store`: where sessions and packets are kept.
    package var store = StoreConfiguration()

    /// `listeners`: the addresses relay accepts on, in the order of the file; at least one.
    ///
    /// No two have the same name or the same address.
    package var listeners: [ListenerConfiguration]

    /// `pools`: the groups of targets, in the order of the file.
    ///
    /// No two have the same name.
    package var pools: [PoolConfiguration]

    /// `retry_policies`: those that pools may name, in the order of the file.
    ///
    /// A pool holds a copy of its own; these are for showing.
    package var retryPolicies: [RetryPolicyConfiguration] = []

    /// `header_filters`: those that `headers` stages may name, in the order of the file.
    ///
    /// A stage holds a copy of its own; these are for showing.
    package var headerFilters: [HeaderFilterConfiguration] = []

    /// `plugins_path`: folders in which libraries of plugins are looked for first, in order.
    ///
    /// None by default.
    package var pluginFolders: [String] = []

    /// `plugins`: those that `plugin` stages may name, in the order of the file.
    ///
    /// No two have the same name.
    package var plugins: [PluginConfiguration] = []

    /// A configuration with every default.
    package init(listeners: [ListenerConfiguration], pools: [PoolConfiguration]) {
        self.listeners = listeners
        self.pools = pools
    }

    /// The listener of that name, if there is one.
    package func listener(named name: String) -> ListenerConfiguration? {
        self.listeners.first { $0.name == name }
    }

    /// The pool of that name, if there is one.
    ///
    /// Every name that a stage of this configuration holds has one.
    package func pool(named name: String) -> PoolConfiguration? {
        self.pools.first { $0.name == name }
    }
}

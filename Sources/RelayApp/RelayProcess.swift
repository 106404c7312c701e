import Logging
package import RelayAdmin
package import RelayConfig
package import RelayEngine
package import RelayObservation
import RelayPackets
package import RelayPipeline
import RelayServer
package import RelayStore
import Synchronization

/// The whole relay: event loops, listeners, pools and the packet relay, and what replaces them while it runs.
///
/// Loops of `workers` carry the traffic. The control plane (reload, signals, the admin address, draining) is a loop
/// of its own, so that it answers while the others are busy or drain. `start` opens everything; then `run` turns the
/// control loop until relay has stopped. A simulation turns all loops itself instead.
///
/// `@unchecked Sendable`: `reload`, `stop` and `isReady` may be called from any thread, and only post messages or
/// read an atomic; everything mutable belongs to the control loop.
package final class RelayProcess: AdminActions, @unchecked Sendable {
    /// The loops that carry traffic.
    package let workers: EventLoopGroup

    /// The loop of the control plane.
    package let control: EventLoop

    /// Where sessions and packets are, for who wants to look.
    package let statistics: @Sendable () -> StoreStatistics

    /// What keeps sessions and packets in files, if anything does.
    let disk: DiskStore?

    let controlGroup: EventLoopGroup
    let packets: PacketRelay
    let parts: [LoopPart]
    let server: Server
    let adminServer: Server
    let log: LogOutput
    let logger: Logger

    /// The time, for the store.
    let clock: @Sendable () -> StoreInstant

    /// Reads the configuration again; blocks.
    let load: @Sendable () -> LoadedConfiguration

    /// Loads the plugins of what was read; blocks.
    let loadPlugins: @Sendable (LoadedConfiguration) -> (LoadedConfiguration, PluginSet)

    /// Where that is done.
    let files: WorkerPool
    let resolver: Resolver

    /// What the names of targets with `resolve` mean; on the control loop.
    lazy var targetNames = TargetNames(loop: self.control, resolver: self.resolver) {
        [weak self] name in self?.nameChanged(name)
    }

    /// What is in force; nil before `start`.
    var plan: GenerationPlan?

    /// Who waits for the reload that is under way, and for the one after it.
    var reloads = ReloadQueue()

    /// How far stopping is.
    var stopping = Stopping.no

    /// Judges how much memory is used; nil if there is no limit to it.
    var memoryWatch: MemoryWatch?

    /// What the loops know of that.
    let memoryPressure = MemoryPressure()

    /// When unused memory may be given back again.
    var memoryReturnDue = MonotonicTime(nanoseconds: 0)

    /// Which reading of the configuration is under way, and what ends it if it takes too long.
    var reading: UInt64 = 0
    var readingTimer = TimerHandle.none

    private let initial: Configuration

    /// The plugins of the first generation, until there is one.
    private var initialPlugins: PluginSet
    private let accepts = Atomic<Bool>(false)

    /// How far stopping is.
    enum Stopping {
        /// Nobody has asked.
        case no
        /// What is under way finishes; the timer ends that.
        case draining
        /// The loops are told to end.
        case over
    }

    /// A relay that is not open yet.
    ///
    /// Throws if descriptors have run out, and a `DiskStoreError` if the store cannot be opened.
    ///
    /// - Parameters:
    ///   - workers: how many loops carry traffic.
    ///   - filesMax: how many descriptors the process may have open.
    ///   - memoryMax: how many bytes of memory it may have, of which `memory.limit: auto` is a share; nil: nobody
    ///     knows.
    ///   - plugins: the plugins of `configuration`.
    ///   - load: reads the configuration again, for a reload; called on a thread of its own.
    ///   - loadPlugins: loads the plugins of a configuration that `load` has read; called after it.
    package init(
        _ configuration: Configuration,
        system: SystemCalls,
        workers: Int,
        filesMax: Int,
        memoryMax: Int? = nil,
        log: LogOutput,
        plugins: PluginSet = PluginSet(),
        load: @escaping @Sendable () -> LoadedConfiguration,
        loadPlugins:
            @escaping @Sendable (LoadedConfiguration) -> (LoadedConfiguration, PluginSet) = {
                ($0, PluginSet())
            }
    ) throws {
        self.initial = configuration
        self.initialPlugins = plugins
        self.loadPlugins = loadPlugins
        self.filesMax = filesMax
        self.memoryWatch = Self.memoryLimit(configuration.memory, available: memoryMax)
            .map(MemoryWatch.init(limitBytes:))
        self.log = log
        self.logger = log.logger(label: "relay")
        self.load = load
        self.workers = try EventLoopGroup(count: workers, system: system)
        self.controlGroup = try EventLoopGroup(count: 1, system: system)
        self.control = self.controlGroup.loops[0]
        self.files = WorkerPool(name: "files", threads: 1, queuedMax: 16, system: system)
        let resolver = Resolver(system: system)
        self.resolver = resolver
        self.server = Server(group: self.workers)
        self.adminServer = Server(group: self.controlGroup)

        let now: @Sendable () -> StoreInstant = {
            StoreInstant(
                nanoseconds: UInt64(clamping: system.monotonicTime().nanoseconds),
                unixMicroseconds: UInt64(clamping: system.wallTime().microseconds)
            )
        }
        self.clock = now
        self.disk = try DiskStore.opened(
            configuration.store,
            clock: now,
            logger: log.logger(label: "store")
        )
        let store = PacketStore(
            limits: StoreLimits(configuration),
            now: now(),
            journal: self.disk
        )
        try self.disk?.restore(store)
        self.statistics = { store.statistics() }
        self.packets = PacketRelay(
            store: store,
            loops: self.workers.loops,
            logger: log.logger(label: "packets")
        )
        let upstreamLogger = log.logger(label: "upstream")
        self.parts = self.packets.loops.map {
            LoopPart(loop: $0.loop, packets: $0, resolver: resolver, logger: upstreamLogger)
        }
    }

    /// How many descriptors the process may have open.
    let filesMax: Int

    // MARK: Starting

    /// Opens the listeners and begins to accept, once the loops turn.
    ///
    /// Throws a `BindError` if an address cannot be bound; nothing is open then. On the thread that will turn the
    /// control loop, before it does.
    package func start() throws {
        let configuration = self.initial.lowered(toDescriptors: self.filesMax)
        let prepared = try self.server.prepare(configuration.listeners)
        do {
            try self.openAdmin(configuration)
        } catch {
            self.server.abandon(prepared)
            throw error
        }
        self.reportLowering(of: self.initial, to: configuration)
        self.watchMemory()
        let plugins = self.initialPlugins
        self.initialPlugins = PluginSet()
        self.putInForce(configuration, plugins, prepared) { plan in
            self.disk?.start(self.packets.store, events: self.packets)
            self.packets.start()
            self.accepts.store(true, ordering: .releasing)
            self.logger.notice(
                "relay is up",
                metadata: [
                    "version": "\(RelayVersion.text)",
                    "generation": "\(plan.number)",
                    "listeners": "\(self.listenerText)",
                ]
            )
        }
    }

    /// Turns the control loop until relay has stopped; the workers have threads of their own.
    package func run() throws {
        try self.workers.start()
        self.control.run()
        self.workers.stop()
        self.disk?.stop()
        self.resolver.stop()
        self.files.stop()
    }

    /// The addresses that listeners accept on, in the order of the configuration, then the admin address.
    ///
    /// On the control loop's thread.
    package var addresses: [SocketAddress] {
        self.server.addresses + self.adminServer.addresses
    }

    private var listenerText: String {
        let names = self.plan?.configuration.listeners.map(\.name) ?? []
        return zip(names, self.server.addresses).map { "\($0)=\($1)" }.joined(separator: " ")
    }

    // MARK: AdminActions

    package var isReady: Bool { self.accepts.load(ordering: .acquiring) }

    package func reload(_ completion: @escaping @Sendable (ReloadResult) -> Void) {
        self.control.post { _ in self.reloadAsked(completion) }
    }

    /// Finishes what is under way and ends `run`; asked a second time, ends it at once.
    package func stop() {
        self.control.post { _ in self.stopAsked() }
    }

    /// From now on `/readyz` says 503.
    func becomeUnready() {
        self.accepts.store(false, ordering: .releasing)
    }
}

import Logging
import RelayAdmin
import RelayConfig
import RelayEngine
import RelayObservation
import RelayPackets
import RelayPipeline
import RelayServer
import RelayStore

/// What replaces a generation. All on the control loop.
extension RelayProcess {
    /// The timer of a configuration that is being read.
    static let readingTag: UInt32 = 2

    /// How long reading a configuration may take.
    private static let readingMax: Duration = .seconds(30)

    /// Somebody wants the configuration read again.
    func reloadAsked(_ completion: @escaping @Sendable (ReloadResult) -> Void) {
        guard case .no = self.stopping else {
            return completion(.failure(["relay is stopping"]))
        }
        guard self.reloads.asked(completion) else { return }
        self.beginReload()
    }

    private func beginReload() {
        self.reading += 1
        let reading = self.reading
        let load = self.load
        let loadPlugins = self.loadPlugins
        let isQueued = self.files.run {
            let (loaded, plugins) = loadPlugins(load())
            self.control.post { _ in
                // One that comes too late belongs to a reload that was given up.
                guard reading == self.reading else { return }
                self.control.cancel(self.readingTimer)
                self.configurationLoaded(loaded, plugins)
            }
        }
        self.readingTimer = self.control.arm(
            self,
            tag: Self.readingTag,
            at: self.control.now + Self.readingMax
        )
        if !isQueued { self.readingFailed("too much is waiting to be read from disk") }
    }

    /// The configuration was not read in time: a disk or a network file system hangs.
    func readingTimedOut() {
        self.readingFailed("the configuration could not be read within 30 s")
    }

    private func readingFailed(_ reason: String) {
        self.reading += 1
        self.control.cancel(self.readingTimer)
        self.reloadEnded(.failure([reason]))
    }

    private func configurationLoaded(_ loaded: LoadedConfiguration, _ plugins: PluginSet) {
        guard case .no = self.stopping else {
            return self.reloadEnded(.failure(["relay is stopping"]))
        }
        guard let new = loaded.configuration, let plan = self.plan else {
            return self.reloadEnded(.failure(loaded.diagnostics.map(\.summary)))
        }
        for warning in loaded.diagnostics {
            self.logger.warning("configuration", metadata: ["reason": "\(warning.summary)"])
        }
        let refused = RestartNeeded.sentences(from: plan.configuration, to: new)
        guard refused.isEmpty else { return self.reloadEnded(.failure(refused)) }
        do {
            try self.takeOver(new, plugins)
        } catch {
            self.reloadEnded(.failure(["\(error)"]))
        }
    }

    /// Opens what is new; only when that has succeeded anything changes.
    private func takeOver(_ wanted: Configuration, _ plugins: PluginSet) throws {
        let configuration = wanted.lowered(toDescriptors: self.filesMax)
        let prepared = try self.server.prepare(configuration.listeners)
        do {
            try self.openAdmin(configuration)
        } catch {
            self.server.abandon(prepared)
            throw error
        }
        self.log.update(
            level: configuration.log.loggerLevel,
            format: configuration.log.logFormat
        )
        let before = self.plan?.configuration
        self.reportLowering(of: wanted, to: configuration)
        self.putInForce(configuration, plugins, prepared) { plan in
            self.answerPollsWithoutBuffer(before, plan.configuration)
            self.reportOrphans(plan)
            self.reloadEnded(.success(generation: plan.number))
        }
    }

    /// Builds a generation on every loop and lets the listeners lead to it; then calls `completion` on the control
    /// loop.
    ///
    /// With `number` it is the generation in force, with other addresses of targets.
    func putInForce(
        _ configuration: Configuration,
        _ plugins: PluginSet,
        _ prepared: Server.Prepared,
        number: Int? = nil,
        _ completion: @escaping @Sendable (GenerationPlan) -> Void
    ) {
        self.targetNames.watch(configuration.pools)
        let plan = GenerationPlan(
            configuration,
            plugins: plugins,
            after: self.plan,
            number: number,
            addresses: self.targetNames.addresses,
            store: self.packets.store,
            loops: self.workers.loops
        )
        self.plan = plan
        let parts = self.parts
        let memory = self.memoryPressure
        for part in parts { part.loop.post { _ in part.install(plan) } }
        self.server.commit(prepared) { listener, place in
            ListenerContext(
                configuration: listener,
                pipeline: parts[place.loop.index].pipeline(of: listener),
                shared: place.shared,
                exchanges: place.exchanges,
                memory: memory
            )
        }
        // Messages of a loop run in the order of posting: when the last loop runs this one, all have the generation.
        let left = Countdown(parts.count)
        for part in parts {
            part.loop.post { _ in
                guard left.isLast() else { return }
                self.control.post { _ in completion(plan) }
            }
        }
    }

    /// Says that fewer connections are accepted than the configuration asks for, unless that was said before.
    func reportLowering(of wanted: Configuration, to configuration: Configuration) {
        let connectionsMax = configuration.connectionsMax
        guard connectionsMax < wanted.connectionsMax,
            connectionsMax != self.plan?.configuration.connectionsMax
        else { return }
        self.logger.warning(
            "max_connections lowered; raise the limit of open files (LimitNOFILE=, ulimit -n)",
            metadata: ["open_files": "\(self.filesMax)", "max_connections": "\(connectionsMax)"]
        )
    }

    /// Held polls of listeners that are gone, or take no packets any more, are answered empty.
    private func answerPollsWithoutBuffer(_ before: Configuration?, _ after: Configuration) {
        let gone = (before?.listeners ?? []).filter { old in
            old.buffer != nil
                && !after.listeners.contains { $0.bind == old.bind && $0.buffer != nil }
        }
        guard !gone.isEmpty else { return }
        // By address, because a listener may have been renamed since its polls were held.
        self.packets.answerHeldPolls(at: Set(gone.map(\.bind)))
    }

    /// Says which packets nobody sends because their pool is gone.
    private func reportOrphans(_ plan: GenerationPlan) {
        let pools = Set(plan.packetPools.values.map(\.id))
        for (pool, backlog) in self.packets.orphans(besides: pools) {
            self.logger.warning(
                "packets wait for a pool that takes none any more, until packet_ttl",
                metadata: ["pool": "\(pool)", "packets": "\(backlog.packets)"]
            )
        }
    }

    private func reloadEnded(_ result: ReloadResult) {
        switch result {
        case .success(let generation):
            self.logger.notice("configuration reloaded", metadata: ["generation": "\(generation)"])
        case .failure(let sentences):
            for sentence in sentences {
                self.logger.error("reload refused", metadata: ["reason": "\(sentence)"])
            }
        }
        for completion in self.reloads.ended() { completion(result) }
        if self.reloads.isUnderWay { self.beginReload() }
    }

    // MARK: The admin address

    /// Opens the admin address, or what has become of it.
    func openAdmin(_ configuration: Configuration) throws {
        guard let admin = configuration.admin else {
            return self.adminServer.commit(try self.adminServer.prepare([])) { _, place in
                preconditionFailure("no listener, no context of \(place)")
            }
        }
        let listener = ListenerConfiguration(name: "admin", bind: admin.bind, pipeline: [])
        let prepared = try self.adminServer.prepare([listener])
        let access = AdminGuard(admin)
        self.adminServer.commit(prepared) { listener, place in
            ListenerContext(
                configuration: listener,
                pipeline: Pipeline([Pipeline.Step(AdminStage(access: access, actions: self))]),
                shared: place.shared,
                exchanges: place.exchanges
            )
        }
    }
}

@testable import RelayApp
import RelayConfig
import RelayEngine
import RelayObservation
import RelayPackets
import RelayServer
import RelayStore
import SimulatedSystem

/// One simulated run: a whole relay, its clients and backends, and the oracle that watches them.
final class World {
    let scenario: Scenario
    let simulation: Simulation
    let relay: RelayProcess
    private(set) lazy var oracle = Oracle(self)
    private(set) var clients: [Client] = []
    private(set) var backends: [Backend] = []
    private(set) var webClients: [WebClient] = []
    private(set) var webTargets: [WebTarget] = []
    private(set) lazy var pusher = Pusher(self, generator: self.generator(for: "pusher"))
    /// What clients, backends and the oracle did, as lines for people.
    private(set) var history: [String] = []
    /// Whether relay was told to stop.
    var isStopping: Bool { self.stoppedAt != nil }
    private(set) var stoppedAt: MonotonicTime?
    private var generator: SeededGenerator
    private var connectionsMade = 0
    private var tokensMade = 0
    private let log: SimulatedLog
    private let file: ConfigurationText

    /// The world of a seed, with nothing begun; another scenario than the seed's own, if one is given.
    init(seed: UInt64, scenario: Scenario? = nil) throws {
        self.scenario = scenario ?? Scenario(seed: seed)
        self.simulation = Simulation(
            seed: seed,
            machine: self.scenario.machine,
            network: self.scenario.network
        )
        self.generator = SeededGenerator(seed: seed &+ 0x5eed)
        self.log = try SimulatedLog()
        let file = ConfigurationText(self.scenario.text())
        self.file = file
        let loaded = file.load()
        guard let configuration = loaded.configuration else {
            throw self.simulation.failure("relay.yaml: \(loaded.diagnostics.map(\.summary))")
        }
        self.relay = try RelayProcess(
            configuration,
            system: self.simulation.system,
            workers: self.scenario.workers,
            filesMax: 65_536,
            log: self.log.output
        ) { file.load() }
        self.simulation.drive(self.relay.workers)
        self.simulation.drive(self.relay.controlGroup)
        self.populate()
    }

    private func populate() {
        for player in self.scenario.cast {
            self.clients.append(
                Client(
                    self,
                    name: player.name,
                    kind: player.kind,
                    generator: self.generator(for: player.name)
                )
            )
        }
        for index in 0..<self.scenario.targets {
            for isSide in self.scenario.hasSidePool ? [false, true] : [false] {
                let address = Scenario.address(ofTarget: index, isSide: isSide)
                self.backends.append(
                    Backend(
                        self,
                        pool: isSide ? "side" : "main",
                        address: address,
                        generator: self.generator(for: "backend \(address)")
                    )
                )
            }
        }
        guard self.scenario.webClients > 0 else { return }
        for index in 0..<self.scenario.targets {
            let address = Scenario.address(ofWebTarget: index)
            self.webTargets.append(
                WebTarget(self, address, generator: self.generator(for: "target \(address)"))
            )
        }
        self.webClients = (0..<self.scenario.webClients).map { index in
            WebClient(self, generator: self.generator(for: "web client \(index)"))
        }
    }

    /// The chances of one of those who are here, which do not depend on who else is.
    private func generator(for name: String) -> SeededGenerator {
        // FNV-1a.
        let hash = name.utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) {
            ($0 ^ UInt64($1)) &* 0x100_0000_01b3
        }
        return SeededGenerator(seed: self.simulation.seed ^ hash)
    }

    /// Adds a line to the history, and to the trace.
    func note(_ line: String) {
        self.simulation.note(line)
        self.history.append("\(Double(self.simulation.now.nanoseconds / 1000) / 1_000_000) \(line)")
    }

    var clientNames: [String] { self.clients.map(\.name) }

    func client(_ name: String) -> Client? { self.clients.first { $0.name == name } }

    func nextConnection() -> Int {
        self.connectionsMade += 1
        return self.connectionsMade
    }

    func nextToken(of client: String) -> String {
        self.tokensMade += 1
        return "token-\(client)-\(self.tokensMade)"
    }

    func size(upTo limit: Int) -> Int { self.generator.size(upTo: limit) }

    // MARK: The run

    /// Plays the whole scenario; throws what is wrong.
    func play() throws {
        try self.relay.start()
        for backend in self.backends { try backend.begin(withMoods: self.scenario.hasMoods) }
        for target in self.webTargets { try target.begin() }
        for client in self.clients { client.begin() }
        for client in self.webClients { client.begin() }
        if self.scenario.pushes { self.pusher.begin() }
        self.planReloads()
        try self.run(for: self.scenario.duration)
        if !self.scenario.stopsEarly {
            try self.settle()
            try self.countDown()
            for client in self.clients { client.drainOutbox() }
            try self.run(for: .milliseconds(300))
        }
        try self.stop()
    }

    private func planReloads() {
        for _ in 0..<self.scenario.reloads {
            let delay = self.generator.duration(in: .milliseconds(500)...self.scenario.duration)
            let revision = Int.random(in: -1...2, using: &self.generator)
            self.simulation.after(delay) { self.reload(revision) }
        }
    }

    /// Reloads relay.yaml: below 0 a bad one, 0 the first one, above 0 one with other pools.
    private func reload(_ revision: Int) {
        guard !self.isStopping else { return }
        self.simulation.note("reload, revision \(revision)")
        let text = self.scenario.text(revision: max(revision, 0))
        let isGood = revision >= 0
        self.file.replace(isGood ? text : text + "nonsense: true\n", isGood: isGood)
        let file = self.file
        self.relay.reload { file.ended($0) }
    }

    /// Faults end, everybody becomes healthy, and everything that was accepted arrives.
    private func settle() throws {
        self.simulation.note("settles")
        self.simulation.networkConditions = .calm
        for client in self.clients { client.settle() }
        for backend in self.backends { try backend.settle() }
        for target in self.webTargets { target.settle() }
        for client in self.webClients { client.settle() }
        self.pusher.settle()
        self.reload(0)
        try self.run(within: .seconds(200), "visits end") {
            self.clients.allSatisfy(\.isIdle) && self.webClients.allSatisfy(\.isIdle)
                && self.pusher.isIdle
        }
        for client in self.clients { client.close() }
        try self.run(for: .seconds(6))
        for client in self.clients { client.drainOutbox() }
        try self.run(within: .seconds(1200), "everything arrives") {
            let statistics = self.relay.statistics()
            return statistics.waitingForBackends.packets == 0
                && statistics.waitingForClients.packets == 0 && statistics.deliveries == 0
                && self.relay.server.exchanges == statistics.heldPolls
                && self.backends.allSatisfy { $0.keyedGifts.allSatisfy(\.isConfirmed) }
        }
        for client in self.clients { client.endDraining() }
        try self.run(within: .seconds(30), "last polls end") { self.clients.allSatisfy(\.isIdle) }
        self.checkReloads()
        self.oracle.checkBackendsAtEnd(givenUp: self.scenario.triesForEver ? 0 : self.deadCount)
        self.oracle.checkDeliveriesAtEnd(
            givenUp: self.scenario.keepsForEver ? 0 : self.deadCount
        )
        try self.check()
    }

    /// Packets that relay gave up, by its own account.
    private var deadCount: Int {
        let counters = self.relay.packets.counters
        return Int(clamping: counters.dead.value) + Int(clamping: counters.lost.value)
    }

    private func checkReloads() {
        if let reason = self.file.fault { self.oracle.broken(reason) }
    }

    /// While nothing else happens `More` counts down by one from poll to poll.
    private func countDown() throws {
        let count = min(5, self.scenario.clientPacketsMax ?? 5)
        let total = count * self.clients.count
        guard self.scenario.packetTTL == nil, !self.scenario.isFaulty,
            self.scenario.outboxPacketsMax ?? total >= total
        else { return }
        self.pusher.push(to: Array(repeating: self.clientNames, count: count))
        try self.run(within: .seconds(30), "pushes are answered") { self.pusher.isIdle }
        guard self.relay.statistics().waitingForClients.packets == total else {
            return self.oracle.broken("not every packet that was pushed waits")
        }
        for client in self.clients { client.countDown(from: count) }
        try self.run(within: .seconds(120), "outboxes are emptied") {
            self.clients.allSatisfy(\.isIdle)
        }
    }

    /// Stops relay as SIGTERM does, and looks for what is left behind.
    private func stop() throws {
        self.simulation.note("stops")
        self.stoppedAt = self.simulation.now
        self.oracle.stops()
        for backend in self.backends { try backend.settle() }
        for target in self.webTargets { target.settle() }
        self.relay.stop()
        try self.run(within: .seconds(75), "relay stops") {
            if case .over = self.relay.stopping { true } else { false }
        }
        let statistics = self.relay.statistics()
        if self.relay.server.exchanges > 0 { self.oracle.broken("exchanges are left behind") }
        if self.relay.server.connections > 0 { self.oracle.broken("connections are left behind") }
        if statistics.heldPolls > 0 { self.oracle.broken("held polls are left behind") }
        if statistics.deliveries > 0 { self.oracle.broken("deliveries are left behind") }
        // A fetch on a connection that has fallen silent is waited for in vain.
        if !self.scenario.isFaulty, self.log.hasSaid("drain_timeout is over") {
            self.oracle.broken("relay was not drained in time")
        }
        let waiting = statistics.waitingForBackends.packets
        self.oracle.checkBackendsAtEnd(
            givenUp: waiting + (self.scenario.triesForEver ? 0 : self.deadCount)
        )
        try self.check()
    }

    // MARK: Waiting

    private func run(for duration: Duration) throws {
        let end = self.simulation.now + duration
        self.simulation.after(duration) {}
        try self.simulation.run(within: duration + .seconds(1)) {
            self.oracle.fault != nil || self.simulation.now >= end
        }
        try self.check()
    }

    private func run(
        within limit: Duration,
        _ what: String,
        until condition: () -> Bool
    ) throws {
        // Asked ten times a second: it is expensive.
        let step = Duration.milliseconds(100)
        let end = self.simulation.now + limit
        while !condition() {
            guard self.simulation.now < end else {
                self.oracle.broken("never: \(what)")
                return try self.check()
            }
            try self.run(for: step)
        }
    }

    private func check() throws {
        guard let fault = self.oracle.fault else { return }
        throw self.simulation.failure(fault)
    }

    /// The configuration, for who has to understand a failure.
    var description: String { self.scenario.text() }

    /// What relay has logged.
    var logLines: [String] { self.log.lines() }

    /// What should be over is over by then, or it is a fault.
    func expectEnd(of connection: ClientConnection, within limit: Duration, _ rule: String) {
        self.simulation.after(limit + self.scenario.networkDelay * 20) {
            guard connection.isUsable else { return }
            if !self.scenario.isFaulty { self.oracle.broken(rule) }
            connection.end(.reset)
        }
    }

    /// A visit is over some time; one that a fault has made silent is given up by its client.
    func expectAnswers(on connection: ClientConnection, _ isOver: @escaping () -> Bool) {
        self.simulation.after(.seconds(90)) {
            guard !isOver() else { return }
            if !self.scenario.isFaulty { self.oracle.broken("a visit never ends") }
            connection.end(.reset)
        }
    }
}

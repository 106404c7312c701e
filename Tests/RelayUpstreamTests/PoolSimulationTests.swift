import Logging
import RelayConfig
import RelayEngine
import RelayHTTP
import SimulatedSystem
import Testing

@testable import RelayUpstream

/// Many requests over a pool whose network and origins do what chance says, and what must hold all the same.
private final class PoolSimulation {
    private let simulation: Simulation
    private var generator: SeededGenerator
    private let origins: [SimulatedOrigin]
    private let shared: SharedPool
    private let pools: [UpstreamPool]
    private var handlers: [RecordingHandler] = []
    /// The requests that were given up before they were over.
    private var cancelled: Set<Int> = []

    init(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let simulation = Simulation(
            seed: seed,
            machine: .uneven(using: &generator),
            network: .faulty(using: &generator)
        )
        let loops = try simulation.makeLoops(Int.random(in: 1...3, using: &generator)).loops
        var origins: [SimulatedOrigin] = []
        for index in 0..<Int.random(in: 1...2, using: &generator) {
            let address = SocketAddress.v4(0x0a00_0001 + UInt32(index), port: 80)
            let chances = generator.fork()
            origins.append(try SimulatedOrigin(simulation, at: address, generator: chances))
        }
        var configuration = PoolConfiguration(
            name: "app",
            targets: origins.map { TargetConfiguration(url: .tcp($0.address.host, 80)) }
        )
        configuration.connections.max = Int.random(in: 1...6, using: &generator)
        configuration.connections.idleMax = Int.random(in: 0...6, using: &generator)
        configuration.connections.pendingMax = Int.random(in: 5...100, using: &generator)
        configuration.connections.idleTimeout = .milliseconds(500)
        let shared = SharedPool(configuration: configuration, loops: loops)
        let resolver = Resolver(system: simulation.system)
        self.pools = loops.map {
            UpstreamPool(
                shared: shared,
                loop: $0,
                resolver: resolver,
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            )
        }
        self.simulation = simulation
        self.generator = generator
        self.origins = origins
        self.shared = shared
    }

    /// Sends `count` requests within some seconds, and waits until all are over.
    func run(requests count: Int) throws {
        for number in 0..<count {
            let delay = self.generator.duration(in: .zero...(.seconds(4)))
            self.simulation.after(delay) { self.start(number) }
            self.handlers.append(RecordingHandler())
        }
        for origin in self.origins where self.generator.chance(0.5) {
            let delay = self.generator.duration(in: .zero...(.seconds(3)))
            let isSilent = self.generator.chance(0.5)
            self.simulation.after(delay) {
                self.simulation.setUnreachable(isSilent ? .silent : .noRoute, origin.address)
            }
            self.simulation.after(delay + .seconds(1)) {
                self.simulation.setUnreachable(nil, origin.address)
            }
        }
        try self.simulation.run(for: .seconds(5))
        // What hangs is let go by its timeout; who waits for a permit, by that of those before it.
        try self.simulation.run(within: .seconds(600)) {
            self.pools.allSatisfy { $0.requestsUnderWay == 0 }
        }
        for pool in self.pools { pool.retire() }
        try self.simulation.run(within: .seconds(60)) {
            self.origins.indices.allSatisfy { self.shared.status(of: $0).connectionsOpen == 0 }
        }
    }

    private func start(_ number: Int) {
        let pool = self.pools[Int.random(in: self.pools.indices, using: &self.generator)]
        let handler = self.handlers[number]
        let target =
            pool.pickTarget(excluding: TargetSet())
            ?? Int.random(in: self.origins.indices, using: &self.generator)
        let request = UpstreamRequest(handler: handler, target: target, method: .post)
        request.fields = Array("X-Number: \(number)\r\n".utf8)
        request.body = [UInt8](repeating: 0x61, count: self.generator.size(upTo: 40_000))
        request.bodyRange = request.body.indices
        request.timeout = .seconds(2)
        if self.generator.chance(0.2) { request.deadline = pool.loop.now + .seconds(1) }
        if self.generator.chance(0.3) { request.freshness = .recent }
        request.expectsLongHold = self.generator.chance(0.2)
        handler.request = request
        pool.start(request)
        guard self.generator.chance(0.1) else { return }
        self.simulation.after(self.generator.duration(in: .zero...(.milliseconds(500)))) {
            if !handler.isOver { self.cancelled.insert(number) }
            pool.cancel(request)
        }
    }

    /// What must hold, however the network and the origins behave.
    func check() throws {
        for (number, handler) in self.handlers.enumerated() {
            let seen = self.origins.reduce(0) { $0 + ($1.seen[number] ?? 0) }
            let isCancelled = self.cancelled.contains(number)
            if handler.endings != (isCancelled ? 0 : 1) {
                throw self.simulation.failure("\(number) ended \(handler.endings) times")
            }
            if seen > 1 { throw self.simulation.failure("\(number) was sent \(seen) times") }
            if handler.failure?.outcome == .notSent, seen > 0 {
                throw self.simulation.failure("\(number) was sent, which nobody said")
            }
            // What ends with the connection cannot be told from what broke off by that.
            let expected = SimulatedOrigin.answer(to: number)
            if handler.isEnded, handler.status != 408, handler.text != expected {
                throw self.simulation.failure("\(number) got another answer: \(handler.text)")
            }
        }
    }

    var endedCount: Int { self.handlers.filter(\.isEnded).count }
}

struct PoolSimulationTests {
    @Test(arguments: UInt64(0)..<30)
    func `keeps its promises whatever network and origins do`(seed: UInt64) throws {
        let simulation = try PoolSimulation(seed: seed)
        try simulation.run(requests: 80)
        try simulation.check()
        #expect(simulation.endedCount > 0, "seed \(seed)")
    }
}

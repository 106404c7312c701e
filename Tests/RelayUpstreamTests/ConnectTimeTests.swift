import Logging
import RelayConfig
import RelayEngine
import RelayHTTP
import SimulatedSystem
import Testing

@testable import RelayUpstream

struct ConnectTimeTests {
    private let simulation = Simulation(seed: 1)
    private let silent = SocketAddress.v4(0x0a00_0001, port: 80)
    private let good = SocketAddress.v4(0x0a00_0002, port: 80)

    /// A pool of one target, whose name means `addresses`.
    private func pool(_ addresses: [SocketAddress]) throws -> UpstreamPool {
        self.simulation.system.names.set("app.test", to: addresses.map { $0.withPort(0) })
        self.simulation.setUnreachable(.silent, self.silent)
        let configuration = PoolConfiguration(
            name: "app",
            targets: [TargetConfiguration(url: .tcp("app.test", 80))]
        )
        let loops = try self.simulation.makeLoops(1).loops
        return UpstreamPool(
            shared: SharedPool(configuration: configuration, loops: loops),
            loop: try #require(loops.first),
            resolver: Resolver(system: self.simulation.system),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
    }

    private func start(_ pool: UpstreamPool) -> RecordingHandler {
        let handler = RecordingHandler()
        pool.start(UpstreamRequest(handler: handler, target: 0, method: .post))
        return handler
    }

    @Test func `a target that says nothing is unreachable after connect_timeout`() throws {
        let pool = try self.pool([self.silent])
        let begin = self.simulation.now
        let handler = self.start(pool)
        try self.simulation.run { handler.isOver }
        #expect(handler.failure?.kind == .unreachable)
        #expect(handler.failure?.reason == "connect timeout")
        let time = self.simulation.now - begin
        #expect((Duration.milliseconds(1000)...(.milliseconds(1010))).contains(time))
        #expect(!pool.isUsable)
    }

    @Test func `a silent address leaves half of the time to the other one`() throws {
        let pool = try self.pool([self.silent, self.good])
        let origin = try SimulatedOrigin(
            self.simulation,
            at: self.good,
            generator: SeededGenerator(seed: 1)
        )
        origin.isWell = true
        let begin = self.simulation.now
        let first = self.start(pool)
        try self.simulation.run { first.isOver }
        #expect(first.isEnded)
        let time = self.simulation.now - begin
        #expect((Duration.milliseconds(490)...(.milliseconds(900))).contains(time))
        #expect(pool.isUsable)

        // From then on the address that answers is the first; a second connection shows it.
        let again = [self.start(pool), self.start(pool)]
        let next = self.simulation.now
        try self.simulation.run { again.allSatisfy(\.isOver) }
        #expect(again.allSatisfy { $0.isEnded })
        #expect(self.simulation.now - next < .milliseconds(490))
    }

    @Test func `a deadline while connecting ends the request and not the attempt`() throws {
        let pool = try self.pool([self.silent])
        let handler = RecordingHandler()
        let request = UpstreamRequest(handler: handler, target: 0, method: .post)
        request.deadline = pool.loop.now + .milliseconds(300)
        pool.start(request)
        try self.simulation.run { handler.isOver }
        #expect(handler.failure?.kind == .timedOut)
        #expect(handler.failure?.outcome == .notSent)
        #expect(pool.isUsable)
        try self.simulation.run { !pool.isUsable }
        #expect(handler.endings == 1)
    }
}

import RelayConfig
import RelayPipeline
import RelayServer
import SimulatedSystem
import Testing

@testable import RelayApp

struct MemoryWatchTests {
    @Test func `changes its mind at the shares of the table, and not between them`() {
        var watch = MemoryWatch(limitBytes: 1000)
        let levels = [799, 800, 751, 949, 950, 901, 899, 750, 749, 2000, 0].map {
            watch.measured($0)
        }
        #expect(
            levels == [
                nil, .short, nil, nil, .critical, nil, .short, nil, .ample, .critical, .ample,
            ]
        )
    }

    @Test func `takes 70 percent of what there is unless a limit is given`() {
        var memory = MemoryConfiguration()
        #expect(RelayProcess.memoryLimit(memory, available: 1000) == 700)
        #expect(RelayProcess.memoryLimit(memory, available: nil) == nil)
        memory.limitBytes = 64 << 20
        #expect(RelayProcess.memoryLimit(memory, available: 1000) == 64 << 20)
        #expect(RelayProcess.memoryLimit(memory, available: nil) == 64 << 20)
    }
}

/// What relay does while its memory fills up.
struct MemoryTests {
    @Test func `at 80 percent refuses packets and logins, and lets polls through`() throws {
        let system = try MemorySystem()
        try system.use(percent: 79)
        #expect(try system.packet().status == 200)
        try system.use(percent: 80)
        for answer in [try system.packet(), try system.bed.ask(8080, "POST /auth", body: "bob")] {
            #expect(answer.status == 503)
            #expect(answer.fields["retry-after"] == "1")
            #expect(answer.body.contains("short of memory"))
        }
        #expect(try system.packet("").isEmptyPoll)
        try system.use(percent: 76)
        #expect(try system.packet().status == 503)
        try system.use(percent: 74)
        #expect(try system.packet().status == 200)
    }

    @Test func `at 80 percent closes idle connections, and keeps held polls`() throws {
        let system = try MemorySystem()
        let poll = try system.bed.connect(8080)
        try system.bed.holdPoll(poll)
        let new = try system.bed.connect(8080)
        try system.use(percent: 80)
        #expect(system.client.hasInputEnded)
        #expect(!poll.hasInputEnded && poll.received.isEmpty)
        #expect(!new.hasInputEnded)
        #expect(system.bed.simulation.system.memoryReturns == 1)
    }

    @Test func `at 95 percent accepts nobody until it is less`() throws {
        let system = try MemorySystem()
        try system.use(percent: 96)
        let late = try system.bed.connect(8080)
        RelayBed.send(late, "POST /", ["Authorization: Bearer token", "Prefer: wait=0"])
        try system.bed.simulation.run(for: .seconds(5))
        #expect(late.received.isEmpty && !late.hasInputEnded)
        // The admin address stays up.
        #expect(try system.bed.ask(9901, "GET /readyz").status == 200)
        try system.use(percent: 91)
        #expect(late.received.isEmpty)
        try system.use(percent: 89)
        #expect(try system.bed.answer(late).isEmptyPoll)
    }

    @Test func `at 95 percent a listener that a reload opens waits, too`() throws {
        let bed = try RelayBed.started(web([8080: "hello"], top: MemorySystem.section))
        try bed.use(percent: 95)
        _ = try bed.reload(web([8080: "hello", 8081: "new"], top: MemorySystem.section))
        let late = try bed.connect(8081)
        RelayBed.send(late, "GET /")
        try bed.simulation.run(for: .seconds(5))
        #expect(late.received.isEmpty)
        try bed.use(percent: 50)
        #expect(try bed.answer(late).body == "new")
    }

    @Test func `at 80 percent refuses large uploads to applications, and no small ones`() throws {
        let bed = try RelayBed.started(web([8080: "hello"], top: MemorySystem.section))
        try bed.use(percent: 85)
        let largest = String(repeating: "a", count: 64 << 10)
        #expect(try bed.ask(8080, "PUT /").status == 200)
        #expect(try bed.ask(8080, "PUT /", body: largest).status == 200)
        #expect(try bed.ask(8080, "PUT /", body: largest + "a").status == 503)
        #expect(try bed.ask(8080, "GET /").status == 200)
    }
}

/// A relay with a limit of 100 MiB, a client that has logged in, and a backend that keeps packets to itself.
private final class MemorySystem {
    static let section = "memory: { limit: 100MiB }"

    let bed: RelayBed
    /// The connection of the login.
    let client: SimulatedPeer
    private let backend: Backend

    init() throws {
        (self.bed, self.client, self.backend) = try RelayBed.login(top: Self.section)
        self.backend.grant()
        #expect(try self.bed.answer(self.client).status == 200)
    }

    func use(percent: Int) throws { try self.bed.use(percent: percent) }

    /// Sends a packet, or polls if it is empty.
    func packet(_ body: String = "a packet") throws -> Answer {
        let fields = ["Authorization: Bearer token", "Prefer: wait=0"]
        return try self.bed.ask(8080, "POST /", fields, body: body)
    }
}

extension RelayBed {
    /// So many percent of 100 MiB are used, and relay has seen it.
    fileprivate func use(percent: Int) throws {
        self.simulation.system.memoryUsed = percent << 20
        try self.simulation.run(for: .seconds(1))
    }
}

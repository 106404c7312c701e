import Synchronization
import Testing

@testable import RelayEngine

/// Linux whose names a test answers, on the test's thread, when the test says so.
///
/// `@unchecked Sendable`: used on the test's thread only.
private final class NamesSystem: LinuxSystemCalls, @unchecked Sendable {
    var answers: [NameLookup] = []
    var lookUps: [String] = []
    private var pending: [WorkerPool] = []
    private var start = MonotonicTime(nanoseconds: 1_000_000_000)

    func advance(by duration: Duration) {
        self.start = self.start + duration
    }

    func runJobs() {
        let pools = self.pending
        self.pending = []
        for pool in pools { _ = pool.runNext() }
    }

    override func monotonicTime() -> MonotonicTime { self.start }

    override func lookUp(_ host: String) -> NameLookup {
        self.lookUps.append(host)
        return self.answers.isEmpty ? .failure("no such name") : self.answers.removeFirst()
    }

    override func startWorkers(_ pool: WorkerPool) {}

    override func jobAdded(to pool: WorkerPool) {
        self.pending.append(pool)
    }
}

struct ResolverTests {
    private let system = NamesSystem()
    private let bed: EngineBed
    private let resolver: Resolver
    private let answers = Answers()

    /// What waiters were told.
    private final class Answers: Sendable {
        private let state = Mutex<[NameLookup]>([])
        var all: [NameLookup] { self.state.withLock { $0 } }
        func append(_ answer: NameLookup) { self.state.withLock { $0.append(answer) } }
    }

    init() throws {
        self.bed = try EngineBed(system: self.system)
        self.resolver = Resolver(system: self.system)
    }

    private func resolve(_ host: String) {
        self.resolver.resolve(host, on: self.bed.loop) { [answers] answer, _ in
            answers.append(answer)
        }
    }

    private let one = NameLookup.addresses([.v4(1, port: 0)])

    @Test func `looks a name up once for everyone who waits`() {
        self.system.answers = [self.one]
        for _ in 0..<3 { self.resolve("origin") }
        self.system.runJobs()
        self.bed.turn()
        #expect(self.system.lookUps == ["origin"])
        #expect(self.answers.all == [self.one, self.one, self.one])
        self.bed.turn()
        #expect(self.answers.all.count == 3)
    }

    @Test func `answers a numeric address itself`() {
        self.resolve("127.0.0.1")
        self.bed.turn()
        #expect(self.answers.all == [.addresses([.loopback(port: 0)])])
        #expect(self.system.lookUps.isEmpty)
    }

    @Test func `keeps the last good addresses`() {
        self.system.answers = [self.one]
        self.resolve("origin")
        self.system.runJobs()
        self.bed.turn()
        self.resolve("origin")
        self.system.runJobs()
        self.bed.turn()
        #expect(self.system.lookUps.count == 2)
        #expect(self.answers.all == [self.one, self.one])
    }

    @Test func `fails when there is neither an answer nor an old one`() {
        self.resolve("nowhere")
        self.system.runJobs()
        self.bed.turn()
        #expect(self.answers.all == [.failure("no such name")])
    }

    @Test func `lets nobody wait for longer than five seconds`() {
        self.resolve("slow")
        self.bed.turn()
        self.system.advance(by: .milliseconds(5002))
        self.bed.turn()
        #expect(self.answers.all == [.failure("the resolver did not answer")])
        self.system.answers = [self.one]
        self.system.runJobs()
        self.bed.turn()
        #expect(self.answers.all.count == 1)
    }
}

import RelayConfig
import RelayEngine
import Testing

@testable import RelayUpstream

struct TargetHealthTests {
    private let backoff = Backoff(BackoffConfiguration())
    private let start = MonotonicTime(nanoseconds: 5_000_000_123)

    @Test func `is usable until a connect fails`() {
        #expect(TargetHealth.usable.isUsable)
        #expect(TargetHealth.usable.probeAt == nil)
        let down = TargetHealth.usable.failed(at: self.start, backoff: self.backoff)
        #expect(!down.isUsable)
        #expect(down.failures == 1)
    }

    @Test func `is probed after the backoff and never before`() {
        let down = TargetHealth.usable.failed(at: self.start, backoff: self.backoff)
        #expect(!down.isProbeDue(at: self.start + .milliseconds(100) + .nanoseconds(-1)))
        #expect(down.isProbeDue(at: self.start + .milliseconds(100) + .microseconds(1)))
    }

    @Test func `each failure doubles the pause`() throws {
        var health = TargetHealth.usable
        var pauses: [Int64] = []
        for _ in 0..<9 {
            health = health.failed(at: self.start, backoff: self.backoff)
            let probeAt = try #require(health.probeAt)
            pauses.append((probeAt - self.start).wholeNanoseconds / 1_000_000)
        }
        #expect(pauses == [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000])
    }

    @Test func `a probe holds the place while it connects and a step beyond`() {
        let down = TargetHealth.usable.failed(at: self.start, backoff: self.backoff)
        let now = self.start + .seconds(1)
        let probing = down.probing(at: now, connectTimeout: .seconds(2), backoff: self.backoff)
        #expect(probing.failures == 1)
        #expect(!probing.isProbeDue(at: now + .milliseconds(2099)))
        #expect(probing.isProbeDue(at: now + .milliseconds(2101)))
    }

    @Test func `never and a million failures fit`() {
        var health = TargetHealth.usable.failed(at: .never, backoff: self.backoff)
        #expect(!health.isUsable)
        for _ in 0..<300 { health = health.failed(at: self.start, backoff: self.backoff) }
        #expect(health.failures == 62)
    }
}

struct SharedTargetTests {
    private let target = SharedTarget(
        connections: ConnectionsConfiguration(),
        connectTimeout: .seconds(1),
        backoff: Backoff(BackoffConfiguration()),
        loops: 1
    )
    private let start = MonotonicTime(nanoseconds: 1_000_000_000)

    @Test func `of attempts that fail together one counts`() {
        let seen = self.target.health
        #expect(self.target.connectFailed(seen: seen, at: self.start))
        #expect(!self.target.connectFailed(seen: seen, at: self.start))
        #expect(self.target.health.failures == 1)
    }

    @Test func `goes down and comes up once`() {
        #expect(!self.target.connectSucceeded(at: MonotonicTime(nanoseconds: 1)))
        #expect(self.target.connectFailed(seen: self.target.health, at: self.start))
        #expect(!self.target.connectFailed(seen: self.target.health, at: self.start))
        #expect(self.target.health.failures == 2)
        #expect(self.target.connectSucceeded(at: MonotonicTime(nanoseconds: 1)))
        #expect(!self.target.connectSucceeded(at: MonotonicTime(nanoseconds: 1)))
        #expect(self.target.health.isUsable)
    }

    @Test func `one caller per step may probe`() {
        #expect(!self.target.claimProbe(at: self.start))
        _ = self.target.connectFailed(seen: self.target.health, at: self.start)
        #expect(!self.target.claimProbe(at: self.start))
        let due = self.start + .milliseconds(101)
        #expect(self.target.claimProbe(at: due))
        #expect(!self.target.claimProbe(at: due))
    }
}

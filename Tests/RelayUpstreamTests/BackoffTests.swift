import RelayConfig
import SimulatedSystem
import Testing

@testable import RelayUpstream

struct BackoffTests {
    private let backoff = Backoff(BackoffConfiguration())

    @Test func `doubles and stops at the longest`() {
        let delays = (1...9).map { self.backoff.delay(beforeAttempt: $0) }
        let expected = [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]
        #expect(delays == expected.map { Duration.milliseconds($0) })
    }

    @Test func `an attempt that no number should have does no harm`() {
        #expect(self.backoff.delay(beforeAttempt: 0) == .milliseconds(100))
        #expect(self.backoff.delay(beforeAttempt: .min) == .milliseconds(100))
        #expect(self.backoff.delay(beforeAttempt: .max) == .seconds(10))
    }

    @Test func `jitter stays between a half and all of it`() {
        var generator = SeededGenerator(seed: 7)
        var delays: Set<Duration> = []
        for _ in 0..<200 {
            let delay = self.backoff.delay(beforeAttempt: 3, using: &generator)
            #expect((Duration.milliseconds(200)...(.milliseconds(400))).contains(delay))
            delays.insert(delay)
        }
        #expect(delays.count > 100)
    }

    @Test func `full jitter leaves anything from nothing to all of it`() {
        var generator = SeededGenerator(seed: 7)
        let delays = (0..<200).map { _ in
            self.backoff.fullyJitteredDelay(beforeAttempt: 3, using: &generator)
        }
        #expect(delays.allSatisfy { (.zero ... .milliseconds(400)).contains($0) })
        #expect(delays.contains { $0 < .milliseconds(40) })
        #expect(delays.contains { $0 > .milliseconds(360) })
    }
}

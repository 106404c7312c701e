import RelayUpstream
import Testing

@testable import RelayPackets

struct LaneAttemptsTests {
    private static let reset = UpstreamFailure(.reset, .ambiguous, reason: "reset")
    private static let refused = UpstreamFailure(.unreachable, .notSent, reason: "refused")

    private func answered(
        _ attempts: inout LaneAttempts,
        _ status: UInt16,
        isRejected: Bool = false,
        retryAfterSeconds: UInt32? = nil,
        counted: UInt32 = 0,
        attemptsMax: UInt32? = nil
    ) -> LaneAttempts.Action {
        attempts.answered(
            status: status,
            isRejected: isRejected,
            retryAfterSeconds: retryAfterSeconds,
            counted: counted,
            attemptsMax: attemptsMax
        )
    }

    @Test(arguments: [200, 202, 204, 299] as [UInt16])
    func `every success consumes the packet`(status: UInt16) {
        var attempts = LaneAttempts()
        #expect(self.answered(&attempts, status) == .consume)
    }

    @Test func `a status of the reject list gives the packet up`() {
        var attempts = LaneAttempts()
        #expect(self.answered(&attempts, 422, isRejected: true) == .reject(status: 422))
    }

    @Test(arguments: [301, 404, 408, 425, 429, 500, 503, 599] as [UInt16])
    func `every other status is tried on another target, and counts`(status: UInt16) {
        var attempts = LaneAttempts()
        #expect(self.answered(&attempts, status) == .tryAnother(isCounted: true))
    }

    @Test func `one after the other is tried at once, then the packet waits, longer each round`() {
        var attempts = LaneAttempts()
        #expect(attempts.targetPicked(0) == .send(target: 0))
        #expect(
            attempts.failed(Self.reset, counted: 0, attemptsMax: nil)
                == .tryAnother(isCounted: true)
        )
        #expect(attempts.tried.contains(0))
        #expect(attempts.targetPicked(1) == .send(target: 1))
        #expect(self.answered(&attempts, 500) == .tryAnother(isCounted: true))
        #expect(attempts.targetPicked(nil) == .wait(retry: 1, atLeastSeconds: 0))
        #expect(!attempts.tried.contains(0))
        #expect(attempts.targetPicked(0) == .send(target: 0))
        #expect(self.answered(&attempts, 500) == .tryAnother(isCounted: true))
        #expect(attempts.targetPicked(nil) == .wait(retry: 2, atLeastSeconds: 0))
    }

    @Test func `the longest Retry-After of a round counts, in that round only`() {
        var attempts = LaneAttempts()
        _ = attempts.targetPicked(0)
        _ = self.answered(&attempts, 503, retryAfterSeconds: 7)
        _ = attempts.targetPicked(1)
        _ = self.answered(&attempts, 503, retryAfterSeconds: 3)
        #expect(attempts.targetPicked(nil) == .wait(retry: 1, atLeastSeconds: 7))
        _ = attempts.targetPicked(0)
        _ = self.answered(&attempts, 503)
        #expect(attempts.targetPicked(nil) == .wait(retry: 2, atLeastSeconds: 0))
    }

    @Test func `targets that are busy do not lengthen the wait`() {
        var attempts = LaneAttempts()
        let busy = UpstreamFailure(.noCapacity, .notSent, reason: "busy")
        for _ in 0..<5 {
            _ = attempts.targetPicked(0)
            _ = attempts.failed(busy, counted: 0, attemptsMax: nil)
            #expect(attempts.targetPicked(nil) == .wait(retry: 1, atLeastSeconds: 0))
        }
    }

    @Test func `a packet that found no target waits for the pool`() {
        var attempts = LaneAttempts()
        #expect(attempts.targetPicked(nil) == .waitForPool)
    }

    @Test func `only attempts of which a byte was sent are counted`() {
        var attempts = LaneAttempts()
        #expect(
            attempts.failed(Self.refused, counted: 9, attemptsMax: 3)
                == .tryAnother(isCounted: false)
        )
        #expect(
            attempts.failed(Self.reset, counted: 1, attemptsMax: 3)
                == .tryAnother(isCounted: true)
        )
        #expect(attempts.failed(Self.reset, counted: 2, attemptsMax: 3) == .giveUp)
        #expect(self.answered(&attempts, 500, counted: 2, attemptsMax: 3) == .giveUp)
        #expect(self.answered(&attempts, 500, counted: .max) == .tryAnother(isCounted: true))
    }

    @Test func `the tenth refusal by the same 4xx in a row is pointed out`() {
        var attempts = LaneAttempts()
        for _ in 0..<9 {
            _ = self.answered(&attempts, 404)
            #expect(attempts.hint == nil)
        }
        _ = self.answered(&attempts, 404)
        #expect(attempts.hint == 404)
        _ = self.answered(&attempts, 404)
        #expect(attempts.hint == nil)
    }

    @Test func `refusals by different statuses, or by 5xx, are not pointed out`() {
        var attempts = LaneAttempts()
        for round in 0..<40 {
            _ = self.answered(&attempts, round.isMultiple(of: 9) ? 404 : 429)
            #expect(attempts.hint == nil)
        }
        for _ in 0..<40 {
            _ = self.answered(&attempts, 503)
            #expect(attempts.hint == nil)
        }
    }
}

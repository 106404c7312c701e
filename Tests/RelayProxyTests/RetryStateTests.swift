import RelayConfig
import RelayUpstream
import Testing

@testable import RelayProxy

struct RetryStateTests {
    private static func policy(
        attempts: Int? = 3,
        _ conditions: Set<RetryPolicyConfiguration.Condition> = [
            .connect, .reset, .timeout, .status(503),
        ]
    ) -> RetryPolicyConfiguration {
        var policy = RetryPolicyConfiguration(name: "test")
        policy.attemptsMax = attempts
        policy.conditions = conditions
        return policy
    }

    private static func step(
        after kind: UpstreamFailure.Kind,
        _ outcome: UpstreamFailure.Outcome,
        isRepeatable: Bool = true,
        by policy: RetryPolicyConfiguration = policy()
    ) -> RetryState.Step {
        var state = RetryState()
        state.attemptBegan()
        let failure = UpstreamFailure(kind, outcome, reason: "a test")
        return state.attemptFailed(failure, isRepeatable: isRepeatable, by: policy)
    }

    @Test func `what was not sent is tried again, whatever it asks for`() {
        for isRepeatable in [true, false] {
            #expect(
                Self.step(after: .unreachable, .notSent, isRepeatable: isRepeatable) == .tryAnother
            )
            #expect(Self.step(after: .reset, .notSent, isRepeatable: isRepeatable) == .tryAnother)
        }
    }

    @Test(arguments: [UpstreamFailure.Kind.reset, .timedOut])
    func `what the target may have is tried again only if it may be asked twice`(
        kind: UpstreamFailure.Kind
    ) {
        for outcome in [UpstreamFailure.Outcome.ambiguous, .answered] {
            #expect(Self.step(after: kind, outcome) == .tryAnother)
            #expect(Self.step(after: kind, outcome, isRepeatable: false) == .giveUp)
        }
    }

    @Test(arguments: [UpstreamFailure.Kind.noCapacity, .malformed, .cancelled])
    func `what no policy can name is not tried again`(kind: UpstreamFailure.Kind) {
        #expect(Self.step(after: kind, .notSent) == .giveUp)
    }

    @Test func `only what the policy names is tried again`() {
        let policy = Self.policy([.timeout])
        #expect(Self.step(after: .timedOut, .ambiguous, by: policy) == .tryAnother)
        #expect(Self.step(after: .reset, .ambiguous, by: policy) == .giveUp)
        #expect(Self.step(after: .unreachable, .notSent, by: policy) == .giveUp)
    }

    @Test func `attempts counts the first one`() {
        for attempts in 1...4 {
            var state = RetryState()
            var begun = 0
            repeat {
                state.attemptBegan()
                begun += 1
            } while state.attemptFailed(
                UpstreamFailure(.reset, .ambiguous, reason: "a test"),
                isRepeatable: true,
                by: Self.policy(attempts: attempts)
            ) == .tryAnother
            #expect(begun == attempts)
            #expect(
                !state.mayFollow(503, isRepeatable: true, by: Self.policy(attempts: attempts))
            )
        }
    }

    @Test func `unlimited attempts have no end`() {
        var state = RetryState()
        for _ in 0..<10_000 { state.attemptBegan() }
        #expect(state.mayFollow(503, isRepeatable: true, by: Self.policy(attempts: nil)))
    }

    @Test func `only a status that the policy names is tried again`() {
        let state = RetryState()
        #expect(state.mayFollow(503, isRepeatable: true, by: Self.policy()))
        #expect(!state.mayFollow(503, isRepeatable: false, by: Self.policy()))
        #expect(!state.mayFollow(502, isRepeatable: true, by: Self.policy()))
        #expect(!state.mayFollow(200, isRepeatable: true, by: Self.policy()))
    }

    @Test func `a connection that had ended is replaced once, without a policy's word`() {
        let policy = Self.policy([])
        var failure = UpstreamFailure(.reset, .ambiguous, reason: "a test")
        failure.isOfStaleConnection = true
        var state = RetryState()
        state.attemptBegan()
        #expect(state.attemptFailed(failure, isRepeatable: true, by: policy) == .trySame)
        state.attemptBegan()
        #expect(state.attemptFailed(failure, isRepeatable: true, by: policy) == .giveUp)
        #expect(Self.step(after: .reset, .ambiguous, isRepeatable: false) == .giveUp)
    }

    @Test func `rounds are counted from one`() {
        var state = RetryState()
        #expect(state.roundEnded() == 1)
        #expect(state.roundEnded() == 2)
        state.waitEnded()
        #expect(state == RetryState())
    }
}

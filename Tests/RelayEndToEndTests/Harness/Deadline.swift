/// The latest moment for something to happen: to pass it is a failure, never a way to wait.
struct Deadline: Sendable {
    private let instant: ContinuousClock.Instant

    /// What any step of a test may take, on a machine that does other things, too.
    static var usual: Deadline { .after(.seconds(20)) }

    /// The moment `duration` from now.
    static func after(_ duration: Duration) -> Deadline {
        Deadline(instant: ContinuousClock.now + duration)
    }

    /// Whether it has passed.
    var isOver: Bool { ContinuousClock.now >= self.instant }

    /// The time that is left, for poll(2): rounded up, 0 if it has passed.
    var millisecondsLeft: Int32 {
        let left = self.instant - ContinuousClock.now
        guard left > .zero else { return 0 }
        return Int32(clamping: left.components.seconds * 1000 + left.milliseconds + 1)
    }

    /// The time that is left; never negative.
    var left: Duration { max(.zero, self.instant - ContinuousClock.now) }
}

extension Duration {
    /// Milliseconds beyond the whole seconds.
    fileprivate var milliseconds: Int64 { self.components.attoseconds / 1_000_000_000_000_000 }
}

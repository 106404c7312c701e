import Synchronization

/// One thread's worth of sockets and timers: an epoll and everything that lives on it.
///
/// A connection, its exchanges and its upstream connections live on one loop, without locks. `post`
/// and `stop` may be called from any thread, everything else only on the loop: inside a turn, or
/// between turns on the thread that drives them (checked by assertions).
///
/// A **turn**: run the posted messages; wait for events (not at all if something is ready); serve
/// what is ready; fire timers; send what the turn has written; close what has ended. No callback is
/// ever made from inside a call of the callee's own: `close()` returns before `closed(_:)` is called.
///
/// `@unchecked Sendable`: what other threads touch is the message queue (a lock), the sleep flag and
/// the counts (atomics) and constants.
package final class EventLoop: @unchecked Sendable {
    /// Its number in its group, from 0; also the index of its counters.
    package let index: Int
    /// The system that it calls.
    package let system: SystemCalls

    /// Makes a loop with its epoll and eventfd. Throws if descriptors or memory have run out.
    package init(index: Int, system: SystemCalls) throws(SystemError) { fatalError() }

    /// The monotonic time, as of the beginning of this turn's work.
    package var now: MonotonicTime { fatalError() }

    /// The time of day, as of the beginning of this turn's work.
    package var wallClock: WallTime { fatalError() }

    /// How many streams live on the loop. Readable from any thread.
    package var streamCount: Int { fatalError() }

    /// Runs turns on the calling thread until `stop` was called.
    package func run() { fatalError() }

    /// Runs one turn, waiting for events at most `duration` (nil: as long as it takes).
    package func turn(waitingAtMost duration: Duration?) { fatalError() }

    /// When the loop next has something to do by itself: `now` if something is ready or was posted,
    /// else the earliest timer; nil if only an event can wake it. For who drives turns by hand.
    package var nextWakeTime: MonotonicTime? { fatalError() }

    /// Ends `run` after the current turn. From any thread.
    package func stop() { fatalError() }

    /// Has `message` run on the loop in a later turn, in the order of posting. From any thread.
    ///
    /// Never runs it inside the call, not even on the loop itself. Costs a lock, and a write to an
    /// eventfd only if the loop sleeps.
    package func post(_ message: @escaping @Sendable (EventLoop) -> Void) { fatalError() }

    /// The stream of `handle`; nil if it is closed. The handle must be of this loop.
    package func stream(_ handle: StreamHandle) -> Stream? { fatalError() }

    // MARK: Timers

    /// Calls `target.timerElapsed(tag)` once at `time` or up to 1 ms later, never earlier.
    ///
    /// The loop keeps `target` alive until the timer has fired or was cancelled. O(1), no allocation.
    package func arm(_ target: any TimerTarget, tag: UInt32, at time: MonotonicTime) -> TimerHandle
    {
        fatalError()
    }

    /// Moves a timer that has not fired; false if it has, or was cancelled. O(1).
    @discardableResult
    package func rearm(_ timer: TimerHandle, at time: MonotonicTime) -> Bool { fatalError() }

    /// Cancels a timer; false if it has fired or was cancelled before. O(1).
    @discardableResult
    package func cancel(_ timer: TimerHandle) -> Bool { fatalError() }

    /// Calls `body` in a coming turn or in this one's end, before the turn's output is sent: for work
    /// that should see all events of a turn first. Allocates; not for the hot path.
    package func atEndOfTurn(_ body: @escaping () -> Void) { fatalError() }

    /// Stops the process in debug builds unless the caller may touch the loop.
    package func assertOnLoop() { fatalError() }
}

/// A stream on a loop, as others may keep it: refers to nothing, a stale one is refused.
package struct StreamHandle: Hashable, Sendable {
    let slot: UInt32
    let generation: UInt32
}

/// A timer on a loop; a stale one is refused.
package struct TimerHandle: Hashable, Sendable {
    let slot: UInt32
    let generation: UInt32

    /// A handle that every loop refuses.
    package static let none = TimerHandle(slot: .max, generation: 0)
}

/// What a timer calls.
package protocol TimerTarget: AnyObject {
    /// The timer armed with `tag` has come; it is over and its handle is stale.
    func timerElapsed(_ tag: UInt32)
}

/// A connected stream socket (TCP or unix) on one loop.
///
/// The class of a connection subclasses it, so that a connection is one object and an event one
/// virtual call: override the methods under 'Events'. It is `open` because Swift lets no class be
/// subclassed outside its module otherwise.
///
/// **Life**: made by `init(loop:accepted:)`, or by `init(loop:)` and `connect`; `closed(_:)` is its
/// last event and comes exactly once, whoever ends it, for every stream that was accepted or asked to
/// connect. The loop keeps it alive until then. Calls after that are harmless and do nothing.
///
/// **Reading** is edge-triggered and goes on by itself until `pauseReading()`. A turn gives a stream
/// at most 256 KiB or 16 calls of `received(_:)`, then its neighbours, then the rest.
///
/// **Writing** only appends; what a turn has written goes out at its end in one system call, and what
/// the kernel refuses stays queued. Who writes more than the peer reads must stop at
/// `isOutputAboveHighWater` and go on in `outputBelowLowWater()`.
///
/// Bound to its loop; every call is made there.
open class Stream: EventSource, TimerTarget {
    /// The peer, as accept or connect knew it.
    package final let peer: SocketAddress

    /// A stream that is not connected yet: call `connect`.
    package override init(loop: EventLoop) { fatalError() }

    /// A stream of an accepted socket, which it owns from now on; reading begins with the next turn.
    package init(loop: EventLoop, accepted: AcceptedSocket) { fatalError() }

    // MARK: Events

    /// Bytes came; returns how many of them, from the front, are done with.
    ///
    /// The rest is kept and offered again, with more behind it, once more has arrived. Who takes
    /// fewer because it cannot go on (and not because a message is incomplete) calls
    /// `pauseReading()` before returning, and is offered the rest after `resumeReading()`; who only
    /// wants to let others go first calls `offerRestNextTurn()`. The callee bounds what it leaves: a
    /// stream may own up to what was left, plus 64 KiB.
    ///
    /// `input` is never empty and must not be kept.
    open func received(_ input: Span<UInt8>) -> Int { input.count }

    /// The peer has ended its stream (FIN) and all its data was offered. Writing may go on.
    ///
    /// `bytesHeld` says how much of the data was never taken. Comes at most once.
    open func inputEnded() {}

    /// The peer's hang-up was seen (RDHUP, HUP or ERR), though data may still be unread, and though
    /// reading may be paused. Comes at most once, before `inputEnded()` or `closed(_:)`.
    open func peerHungUp() {}

    /// All output was given to the kernel, after some of it had been queued or written.
    open func outputDrained() {}

    /// The output queue has fallen to a quarter of the high-water mark, after it had been above it.
    open func outputBelowLowWater() {}

    /// `connect` has succeeded.
    open func connected() {}

    /// The time given to `setDeadline` has come; the deadline is cleared.
    open func deadlineReached() {}

    /// The timer armed with `armTimer(tag:at:)` has come.
    open func timerFired(_ tag: UInt32) {}

    /// The stream is over. The last call, exactly once; the counts and `acknowledgedPosition()` still
    /// answer inside it.
    open func closed(_ reason: CloseReason) {}

    // MARK: Connecting

    /// Connects to `address`; `connected()` or `closed(_:)` follows, the latter with `.timedOut` at
    /// `deadline`. Once per stream. Writes before that are queued.
    package final func connect(to address: SocketAddress, deadline: MonotonicTime) { fatalError() }

    /// Whether the stream is connected and not closed.
    package final var isOpen: Bool { fatalError() }

    /// How others may keep this stream.
    package final var handle: StreamHandle { fatalError() }

    // MARK: Reading

    /// Stops reading; the peer is slowed down by its TCP. `peerHungUp()` still comes.
    package final func pauseReading() { fatalError() }

    /// Goes on reading; what was left is offered in this turn or the next.
    package final func resumeReading() { fatalError() }

    /// Whether reading is paused.
    package final var isReadingPaused: Bool { fatalError() }

    /// Inside `received(_:)`: offers what is left again in the next turn, though nothing has arrived.
    package final func offerRestNextTurn() { fatalError() }

    /// How many received bytes have been offered and not taken.
    package final var bytesHeld: Int { fatalError() }

    /// How many bytes have ever been received from the kernel.
    package final var receivedPosition: UInt64 { fatalError() }

    /// Whether the peer's hang-up was seen: `peerHungUp()` was called.
    package final var hasPeerHungUp: Bool { fatalError() }

    /// Whether the end of the peer's stream was seen: `inputEnded()` was called.
    package final var hasInputEnded: Bool { fatalError() }

    // MARK: Writing

    /// Appends a copy of `bytes` to the output.
    package final func write(_ bytes: Span<UInt8>) { fatalError() }

    /// Appends `bytes[range]` to the output, without copying it if it is large.
    package final func write(shared bytes: [UInt8], _ range: Range<Int>) { fatalError() }

    /// Appends bytes to the output in place: `body` may append up to `capacity` of them.
    package final func write(upTo capacity: Int, _ body: (inout OutputSpan<UInt8>) -> Void) {
        fatalError()
    }

    /// How many bytes were written and not yet given to the kernel.
    package final var bytesQueued: Int { fatalError() }

    /// Whether the writer should stop: more than `highWaterMark` bytes are queued.
    package final var isOutputAboveHighWater: Bool { fatalError() }

    /// Bytes queued above which a writer should stop: 64 KiB. The low mark is a quarter of it.
    package static let highWaterMark = 65_536

    /// How many bytes have ever been written to the stream.
    package final var outputPosition: UInt64 { fatalError() }

    /// How many of them were given to the kernel.
    package final var writtenPosition: UInt64 { fatalError() }

    /// How many of them the peer's kernel has acknowledged, at least (own FIN not counted): exact on
    /// TCP, a lower bound on a unix socket until the peer has read all. A system call.
    package final func acknowledgedPosition() -> UInt64 { fatalError() }

    // MARK: Ending

    /// Ends our direction once all output is with the kernel (FIN). Reading goes on. Later writes are
    /// dropped.
    package final func shutdownOutput() { fatalError() }

    /// Whether FIN was given to the kernel.
    package final var hasShutDownOutput: Bool { fatalError() }

    /// Sends what is queued, then closes; resets if that takes longer than `limit`. Reading stops.
    ///
    /// If the peer's bytes stand unread, its TCP gets a reset and may drop the answer: use
    /// `closeLingering` where that matters.
    package final func close(within limit: Duration = .seconds(30)) { fatalError() }

    /// Sends what is queued, then FIN, then reads and discards until the peer's FIN, `limit` or
    /// `bytesMax` bytes, then closes, so that the last answer survives unread input (RFC 9112 9.6).
    package final func closeLingering(
        within limit: Duration = .seconds(2),
        bytesMax: Int = 1 << 20
    ) {
        fatalError()
    }

    /// Ends the connection now with a reset (`SO_LINGER` 0), dropping all output.
    package final func reset() { fatalError() }

    // MARK: Time

    /// Has `deadlineReached()` called at `time`, in place of an earlier deadline. A store if the
    /// deadline only moves back, the common case.
    package final func setDeadline(_ time: MonotonicTime) { fatalError() }

    /// Clears the deadline.
    package final func clearDeadline() { fatalError() }

    /// Has `timerFired(tag)` called at `time`, unless the stream closes before.
    package final func armTimer(tag: UInt32, at time: MonotonicTime) -> TimerHandle { fatalError() }

    /// A timer of the stream has come.
    package final func timerElapsed(_ tag: UInt32) { fatalError() }

    // MARK: Options

    /// Sets TCP keep-alive, which finds a peer that is gone without a word. Nothing on unix sockets.
    package final func setKeepAlive(_ settings: KeepAlive) { fatalError() }

    /// The address of our end; nil if the system does not say.
    package final var localAddress: SocketAddress? { fatalError() }
}

/// When TCP asks a silent peer whether it is still there.
package struct KeepAlive: Hashable, Sendable {
    /// Silence before the first question, in whole seconds.
    package var idle: Duration
    /// Time between questions, in whole seconds.
    package var interval: Duration
    /// Unanswered questions after which the connection is reset.
    package var probes: Int32

    /// Asks after `idle`, then every `interval`, `probes` times.
    package init(idle: Duration, interval: Duration, probes: Int32) {
        self.idle = idle
        self.interval = interval
        self.probes = probes
    }
}

/// Why a stream is over.
public enum CloseReason: Hashable, Sendable {
    /// `close` or `closeLingering` was called, and all output was given to the kernel.
    case closed
    /// `reset` was called.
    case resetByUs
    /// The peer reset the connection (also: `EPIPE`).
    case resetByPeer
    /// A limit of ours passed: the connect deadline, or that of `close`.
    case timedOut
    /// Nobody listens at the address.
    case refused
    /// Another error of the system: unreachable, keep-alive unanswered, …
    case failed(SystemError)
}

/// A socket that a listener has accepted.
package struct AcceptedSocket {
    /// The socket, which its stream will own.
    package let descriptor: Descriptor
    /// Who connected.
    package let peer: SocketAddress
    /// Where it was accepted; counts it until the stream is closed.
    package let listener: Listener
}

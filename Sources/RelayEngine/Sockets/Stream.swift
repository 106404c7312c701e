/// A connected stream socket (TCP or unix) on one loop.
///
/// The class of a connection subclasses it, so that a connection is one object and an event one
/// virtual call: override the methods under 'Events'. It is `open` because Swift lets no class be
/// subclassed outside its module otherwise.
///
/// **Life**: made by `init(loop:accepted:)`, or by `init(loop:)` and `connect`; `closed(_:)` is its
/// last event and comes exactly once, whoever ends it, for every stream that was accepted or asked
/// to connect. The loop keeps it alive until then. Calls after that are harmless and do nothing.
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
    /// The peer: who was accepted, or whom to connect to.
    package final internal(set) var peer: SocketAddress

    final var state: StreamState = []
    /// Why it ends; read once `.finished` is set.
    final var closeReason: CloseReason = .closed
    /// Where it was accepted; nil for one that connects.
    final var listener: Listener?
    final var output: OutputQueue?
    private final var nextReady: Stream?
    private final var nextUnflushed: Stream?
    private final var nextEnding: Stream?
    final var held = HeldBytes()
    /// When `deadlineReached()` is due.
    final var deadline: MonotonicTime = .never
    /// Fires at the deadline or before it, and is armed again then.
    final var deadlineTimer: TimerHandle = .none
    /// When it fires; kept here, because the timer's own memory is seldom at hand.
    final var deadlineTimerTime: MonotonicTime = .never
    /// How many bytes `closeLingering` may still discard.
    final var lingeringBytesLeft: Int32 = 0

    /// How many bytes have ever been received from the kernel.
    package final internal(set) var receivedPosition: UInt64 = 0
    /// How many bytes have ever been written to the stream.
    package final internal(set) var outputPosition: UInt64 = 0
    /// How many of them were given to the kernel.
    package final internal(set) var writtenPosition: UInt64 = 0

    /// A stream that is not connected yet: call `connect`.
    package init(loop: EventLoop) {
        self.peer = .unix(path: "")
        super.init(on: loop)
    }

    /// A stream of an accepted socket, which it owns from now on; reading begins with the next turn.
    package init(loop: EventLoop, accepted: AcceptedSocket) {
        self.peer = accepted.peer
        self.listener = accepted.listener
        super.init(on: loop)
        self.descriptor = accepted.descriptor
        self.state = [.counted, .connected, .writable]
        loop.streamCountChanged(by: 1)
        self.register()
    }

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

    /// The peer has ended its stream (FIN), and all its data was offered.
    ///
    /// Writing may go on. `bytesHeld` says how much of the data was never taken. Comes at most once.
    open func inputEnded() {}

    /// The peer's hang-up was seen (RDHUP, HUP or ERR).
    ///
    /// Data may still be unread, and reading may be paused. Comes at most once, before
    /// `inputEnded()`.
    open func peerHungUp() {}

    /// All output was given to the kernel, at the end of a turn that gave it the last of it.
    open func outputDrained() {}

    /// The output queue has fallen to a quarter of the high-water mark, after it had been above it.
    open func outputBelowLowWater() {}

    /// `connect` has succeeded.
    open func connected() {}

    /// The time given to `setDeadline` has come; the deadline is cleared.
    open func deadlineReached() {}

    /// The timer armed with `armTimer(tag:at:)` has come.
    open func timerFired(_ tag: UInt32) {}

    /// The stream is over: the last call, exactly once.
    ///
    /// The positions and `acknowledgedPosition()` still answer inside it. Cancel what `armTimer` has
    /// armed: a timer keeps the stream's memory until its time.
    open func closed(_ reason: CloseReason) {}

    // MARK: Loop

    /// Says who comes behind this stream in a list.
    final func setNext(_ stream: Stream?, _ link: StreamLink) {
        switch link {
        case .ready: self.nextReady = stream
        case .unflushed: self.nextUnflushed = stream
        case .ending: self.nextEnding = stream
        }
    }

    /// Leaves a list: who comes behind this stream.
    final func takeNext(_ link: StreamLink) -> Stream? {
        switch link {
        case .ready: self.nextReady.take()
        case .unflushed: self.nextUnflushed.take()
        case .ending: self.nextEnding.take()
        }
    }

    final override func eventsReported(_ events: EpollEvents) {
        if self.state.contains(.finished) { return }
        if !self.state.contains(.connected) {
            self.connectDecided(events)
            return
        }
        if events.contains(.writable) {
            self.state.insert(.writable)
            if self.output != nil { self.scheduleFlush() }
        }
        if !events.isDisjoint(with: [.peerHangUp, .hangUp, .error]) {
            self.state.insert(.readable)
            self.hangUpReported(events)
        }
        if events.contains(.readable) { self.state.insert(.readable) }
        // One in the ready list has had this turn's budget, and has its place in the next.
        if !self.state.contains(.isReady) { self.readIfPossible() }
    }

    /// A timer of the stream has come.
    package final func timerElapsed(_ tag: UInt32) {
        if self.state.contains(.finished) { return }
        if tag == Stream.deadlineTag {
            self.deadlineTimerFired()
        } else {
            self.timerFired(tag)
        }
    }
}

/// What has happened to a stream and what it was asked for.
struct StreamState: OptionSet {
    let rawValue: UInt32

    /// The connection is established.
    static let connected = StreamState(rawValue: 1 << 0)
    /// The kernel may have something to read.
    static let readable = StreamState(rawValue: 1 << 1)
    /// The kernel may have room to write.
    static let writable = StreamState(rawValue: 1 << 2)
    /// RDHUP, HUP or ERR was reported.
    static let ended = StreamState(rawValue: 1 << 3)
    /// The end of the peer's stream was read.
    static let inputEnded = StreamState(rawValue: 1 << 4)
    /// `pauseReading` was called.
    static let paused = StreamState(rawValue: 1 << 5)
    /// What is held is to be offered again though nothing has arrived.
    static let offersHeld = StreamState(rawValue: 1 << 6)
    /// In the loop's ready list.
    static let isReady = StreamState(rawValue: 1 << 7)
    /// In the loop's list of what is to be sent.
    static let isUnflushed = StreamState(rawValue: 1 << 8)
    /// More was queued than the high-water mark, and the low one is not reached yet.
    static let aboveHighWater = StreamState(rawValue: 1 << 9)
    /// FIN is to follow the output.
    static let shutsDown = StreamState(rawValue: 1 << 10)
    /// FIN was given to the kernel.
    static let hasShutDown = StreamState(rawValue: 1 << 11)
    /// The kernel refused output for good; what the peer has sent before is still read.
    static let outputFailed = StreamState(rawValue: 1 << 12)
    /// `close` was called: no more input, and the end once the output is sent.
    static let closing = StreamState(rawValue: 1 << 13)
    /// `closeLingering` was called: input is discarded, and its end is the end.
    static let lingering = StreamState(rawValue: 1 << 14)
    /// Waits for the end of the turn, where `closed(_:)` is called.
    static let finished = StreamState(rawValue: 1 << 15)
    /// Counted as a stream of its loop.
    static let counted = StreamState(rawValue: 1 << 16)
    /// Output was given to the kernel since `outputDrained()` was last called.
    static let hasSent = StreamState(rawValue: 1 << 17)
}

/// Why a stream is over.
public enum CloseReason: Hashable, Sendable {
    /// `close` or `closeLingering` was called, and all output was given to the kernel.
    case closed
    /// `reset` was called.
    case resetByUs
    /// The peer reset the connection, or took no more output (`EPIPE`).
    case resetByPeer
    /// A limit of ours passed: the connect deadline, or that of `close`.
    case timedOut
    /// Nobody listens at the address.
    case refused
    /// Another error of the system: unreachable, keep-alive unanswered, …
    case failed(SystemError)

    /// The reason that an error number of a socket means.
    init(_ error: SystemError) {
        switch error {
        case .connectionReset, .brokenPipe: self = .resetByPeer
        case .connectionRefused: self = .refused
        default: self = .failed(error)
        }
    }
}

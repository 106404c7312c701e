import Glibc
import Synchronization

/// One thread's worth of sockets and timers: an epoll and everything that lives on it.
///
/// A connection, its exchanges and its upstream connections live on one loop, without locks. `post`
/// and `stop` may be called from any thread, everything else only on the loop: inside a turn, or
/// between turns on the thread that drives them (checked by assertions).
///
/// A **turn**: wait for events (not at all if something is ready); run the posted messages; serve what
/// was left ready and what has events; fire timers; send what the turn has written; close what has
/// ended. No callback is ever made from inside a call of the callee's own: `close()` returns before
/// `closed(_:)` is called.
///
/// `@unchecked Sendable`: what other threads touch is the message queue (a lock and two flags), the
/// counts and the stop flag (atomics), and constants.
package final class EventLoop: @unchecked Sendable {
    /// Its number in its group, from 0; also the index of its counters.
    package let index: Int
    /// The system that it calls.
    package let system: SystemCalls

    /// The monotonic time, as of the beginning of this turn's work.
    package private(set) var now: MonotonicTime

    /// Where a turn's input is received.
    let receiveBuffer = ReceiveBuffer()
    /// Output queues that no stream needs at the moment.
    var spareQueues = SpareQueues()
    /// Listeners that wait for a descriptor to be closed.
    var exhaustedPorts: [ListenerPort] = []

    private let epoll: Descriptor
    private let wakeDescriptor: Descriptor
    private let queue = MessageQueue()
    private let isStopping = Atomic<Bool>(false)
    private let streams = Atomic<Int>(0)
    private let streamsHandedOver = Atomic<Int>(0)
    /// The thread that runs the loop; nil between turns that are driven by hand.
    private var thread: pthread_t?

    private var slots = SlotTable()
    private var timers: TimerWheel
    private var events = [EpollEvent](
        repeating: EpollEvent(events: [], token: 0),
        count: EventLoop.eventsMax
    )
    private var messages: [MessageQueue.Message] = []
    private var endOfTurn: [() -> Void] = []
    private var ready = StreamList(.ready)
    private var unflushed = StreamList(.unflushed)
    private var ending = StreamList(.ending)
    private var wallClockOfTurn: WallTime?

    private static let eventsMax = 256
    /// The token of the eventfd; slot numbers stay below it.
    private static let wakeToken = UInt64.max

    /// Makes a loop with its epoll and eventfd.
    ///
    /// Throws if descriptors or memory have run out.
    package init(index: Int, system: SystemCalls) throws(SystemError) {
        self.index = index
        self.system = system
        self.now = system.monotonicTime()
        self.timers = TimerWheel(now: self.now)
        let epoll = system.createEpoll()
        if let error = epoll.error { throw error }
        let wake = system.createEventDescriptor()
        self.epoll = epoll.descriptor
        self.wakeDescriptor = wake.descriptor
        // Edge-triggered, an eventfd reports every write and need never be read.
        let added =
            wake.isSuccess
            ? system.epollAdd(
                self.epoll,
                self.wakeDescriptor,
                [.readable, .edgeTriggered],
                token: EventLoop.wakeToken
            ) : wake
        if let error = added.error {
            // A throwing initialiser of a class runs `deinit` only if all is set, as it is here.
            throw error
        }
    }

    deinit {
        if self.wakeDescriptor >= 0 { _ = self.system.close(self.wakeDescriptor) }
        _ = self.system.close(self.epoll)
    }

    /// The time of day, as of the first question of this turn.
    package var wallClock: WallTime {
        if let time = self.wallClockOfTurn { return time }
        let time = self.system.wallTime()
        self.wallClockOfTurn = time
        return time
    }

    /// How many streams live on the loop or are on their way to it.
    ///
    /// Readable from any thread.
    package var streamCount: Int {
        self.streams.load(ordering: .relaxed) + self.streamsHandedOver.load(ordering: .relaxed)
    }

    // MARK: Turns

    /// Runs turns on the calling thread until `stop` was called.
    package func run() {
        self.thread = pthread_self()
        while !self.isStopping.load(ordering: .acquiring) {
            self.runTurn(waitingAtMost: nil)
        }
        self.thread = nil
    }

    /// Runs one turn, waiting for events at most `duration` (nil: as long as it takes).
    package func turn(waitingAtMost duration: Duration?) {
        self.assertOnLoop()
        let outer = self.thread
        self.thread = pthread_self()
        self.runTurn(waitingAtMost: duration)
        self.thread = outer
    }

    /// Ends `run` after the current turn.
    ///
    /// From any thread.
    package func stop() {
        self.isStopping.store(true, ordering: .releasing)
        self.post { _ in }
    }

    /// When the loop next has something to do by itself: `now` if something is ready or was posted,
    /// else the earliest timer; nil if only an event can wake it.
    ///
    /// For who drives turns by hand.
    package var nextWakeTime: MonotonicTime? {
        self.hasWork ? self.now : self.timers.nextTime
    }

    /// Has `message` run on the loop in a later turn, in the order of posting.
    ///
    /// From any thread.
    ///
    /// Never runs it inside the call, not even on the loop itself. Costs a lock, and a write to an
    /// eventfd only if the loop sleeps.
    package func post(_ message: @escaping @Sendable (EventLoop) -> Void) {
        if self.queue.append(message) {
            _ = self.system.signalEvent(self.wakeDescriptor)
        }
    }

    /// Calls `body` at the end of this turn (or of the next one), before the turn's output is sent:
    /// for work that should see all events of a turn first.
    ///
    /// Allocates; not for the hot path.
    package func atEndOfTurn(_ body: @escaping () -> Void) {
        self.assertOnLoop()
        self.endOfTurn.append(body)
    }

    /// Stops the process in debug builds unless the caller may touch the loop.
    @inline(__always)
    package func assertOnLoop() {
        assert(
            self.thread.map { pthread_equal($0, pthread_self()) != 0 } ?? true,
            "called from another thread than the loop's"
        )
    }

    // MARK: Timers

    /// Calls `target.timerElapsed(tag)` once at `time` or up to 2 ms later, never earlier.
    ///
    /// The loop keeps `target` alive until the timer has fired or was cancelled. O(1), no allocation.
    package func arm(_ target: any TimerTarget, tag: UInt32, at time: MonotonicTime) -> TimerHandle
    {
        self.assertOnLoop()
        return self.timers.arm(target, tag: tag, at: time)
    }

    /// Moves a timer that has not fired; false if it has, or was cancelled.
    ///
    /// O(1).
    @discardableResult
    package func rearm(_ timer: TimerHandle, at time: MonotonicTime) -> Bool {
        self.assertOnLoop()
        return self.timers.rearm(timer, at: time)
    }

    /// Cancels a timer; false if it has fired or was cancelled before.
    ///
    /// O(1).
    @discardableResult
    package func cancel(_ timer: TimerHandle) -> Bool {
        self.assertOnLoop()
        return self.timers.cancel(timer)
    }
}

// MARK: - A turn

extension EventLoop {
    private var hasWork: Bool {
        !self.ready.isEmpty || !self.unflushed.isEmpty || !self.ending.isEmpty
            || !self.endOfTurn.isEmpty || self.queue.hasMessages
    }

    private func runTurn(waitingAtMost duration: Duration?) {
        let count = self.wait(atMost: duration)
        self.now = self.system.monotonicTime()
        self.wallClockOfTurn = nil
        if self.queue.hasMessages { self.runMessages() }
        if !self.ready.isEmpty { self.serveReady() }
        for index in 0..<count {
            let event = self.events[index]
            self.source(token: event.token)?.eventsReported(event.events)
        }
        while let timer = self.timers.popDue(at: self.now) {
            timer.target.timerElapsed(timer.tag)
        }
        if !self.endOfTurn.isEmpty { self.runEndOfTurn() }
        // What is closed may write to others, and what is sent may close: a few rounds settle nearly
        // every turn, and the rest is served by the next one, which does not sleep.
        for _ in 0..<4 where !self.unflushed.isEmpty || !self.ending.isEmpty {
            self.flush()
            self.endStreams()
        }
    }

    /// Waits for events; returns how many there are.
    private func wait(atMost duration: Duration?) -> Int {
        var milliseconds = self.hasWork ? 0 : self.waitMilliseconds(atMost: duration)
        if milliseconds != 0, !self.queue.fallAsleep() { milliseconds = 0 }
        let result = self.waitForEvents(milliseconds: milliseconds)
        if milliseconds != 0 { self.queue.wakeUp() }
        return result.value
    }

    private func waitForEvents(milliseconds: Int32) -> SystemResult {
        var events: [EpollEvent] = []
        swap(&events, &self.events)
        defer { swap(&events, &self.events) }
        var span = events.mutableSpan
        return self.system.epollWait(self.epoll, into: &span, milliseconds: milliseconds)
    }

    /// How long to sleep: until the next timer, rounded up so that none is early; -1 is for ever.
    private func waitMilliseconds(atMost duration: Duration?) -> Int32 {
        var nanoseconds = duration?.wholeNanoseconds ?? .max
        if let next = self.timers.nextTime {
            let remaining = next.nanoseconds - self.system.monotonicTime().nanoseconds
            nanoseconds = min(nanoseconds, remaining)
        }
        if nanoseconds == .max { return -1 }
        return Int32(clamping: max(0, (nanoseconds &+ 999_999) / 1_000_000))
    }

    private func runMessages() {
        var messages = self.messages
        self.messages = []
        self.queue.take(into: &messages)
        for message in messages { message(self) }
        messages.removeAll(keepingCapacity: messages.capacity <= 1024)
        self.messages = messages
    }

    private func serveReady() {
        var streams = StreamList(.ready)
        swap(&streams, &self.ready)
        while let stream = streams.popFirst() { stream.serveReady() }
    }

    private func runEndOfTurn() {
        var bodies: [() -> Void] = []
        swap(&bodies, &self.endOfTurn)
        for body in bodies { body() }
    }

    private func flush() {
        var streams = StreamList(.unflushed)
        swap(&streams, &self.unflushed)
        while let stream = streams.popFirst() { stream.flush() }
    }

    private func endStreams() {
        guard !self.ending.isEmpty else { return }
        var streams = StreamList(.ending)
        swap(&streams, &self.ending)
        while let stream = streams.popFirst() { stream.end() }
        // Their descriptors are free again.
        if !self.exhaustedPorts.isEmpty {
            var ports: [ListenerPort] = []
            swap(&ports, &self.exhaustedPorts)
            for port in ports { port.descriptorFreed() }
        }
    }
}

// MARK: - What lives on the loop

extension EventLoop {
    private func source(token: UInt64) -> EventSource? {
        self.slots.source(
            slot: UInt32(truncatingIfNeeded: token),
            generation: UInt32(token >> 32)
        )
    }

    /// Puts a source with its descriptor into the epoll, for `events`.
    func register(_ source: EventSource, _ events: EpollEvents) -> SystemResult {
        self.assertOnLoop()
        let token = self.slots.insert(source)
        let added = self.system.epollAdd(self.epoll, source.descriptor, events, token: token)
        if !added.isSuccess { self.slots.remove(source) }
        return added
    }

    /// Takes a source out of the epoll; its descriptor stays open.
    func unregister(_ source: EventSource) {
        guard source.slot != .max else { return }
        _ = self.system.epollRemove(self.epoll, source.descriptor)
        self.slots.remove(source)
    }

    /// Forgets a source whose descriptor is about to be closed, which takes it out of the epoll.
    func forget(_ source: EventSource) {
        self.slots.remove(source)
    }

    /// How others may keep a stream.
    func handle(of stream: Stream) -> StreamHandle {
        StreamHandle(slot: stream.slot, generation: self.slots.generation(of: stream.slot))
    }

    /// The stream of `handle`; nil if it is closed.
    ///
    /// The handle must be of this loop.
    package func stream(_ handle: StreamHandle) -> Stream? {
        self.assertOnLoop()
        return self.slots.source(slot: handle.slot, generation: handle.generation) as? Stream
    }

    /// Receives behind the first `offset` bytes of the receive buffer.
    ///
    /// Streams ask the loop for this and what follows, rather than to go through it to what it has: only an
    /// object's own constants are used without counting a reference.
    func receive(from descriptor: Descriptor, behind offset: Int) -> SystemResult {
        self.receiveBuffer.receive(from: descriptor, behind: offset, self.system)
    }

    /// Shows the first `count` bytes of the receive buffer to `body`.
    @inline(__always)
    func withReceived(_ count: Int, _ body: (Span<UInt8>) -> Void) {
        self.receiveBuffer.withBytes(count, body)
    }

    /// Sends from the front of a queue, as much as one system call takes.
    func send(_ queue: OutputQueue, to descriptor: Descriptor) -> SystemResult {
        queue.send(to: descriptor, self.system)
    }

    /// How many bytes of a socket's output the peer has not acknowledged.
    func bytesUnacknowledged(_ descriptor: Descriptor) -> SystemResult {
        self.system.bytesUnacknowledged(descriptor)
    }

    /// Serves a stream in the next turn, which will not sleep.
    ///
    /// Once per stream and turn.
    func addReady(_ stream: Stream) {
        self.ready.append(stream)
    }

    /// Sends a stream's output at the end of this turn.
    ///
    /// Once per stream and turn.
    func addUnflushed(_ stream: Stream) {
        self.unflushed.append(stream)
    }

    /// Ends a stream at the end of this turn.
    ///
    /// Once per stream.
    func addEnding(_ stream: Stream) {
        self.ending.append(stream)
    }

    /// Counts a stream in or out.
    func streamCountChanged(by change: Int) {
        // Only this thread writes it.
        let count = self.streams.load(ordering: .relaxed)
        self.streams.store(count + change, ordering: .relaxed)
    }

    /// Counts a descriptor on its way to this loop in or out; from any thread.
    func handedOverCountChanged(by change: Int) {
        self.streamsHandedOver.wrappingAdd(change, ordering: .relaxed)
    }
}

/// A stream on a loop, as others may keep it: refers to nothing, a stale one is refused.
package struct StreamHandle: Hashable, Sendable {
    let slot: UInt32
    let generation: UInt32
}

import Testing

@testable import RelayEngine

/// Loops driven by hand on the test's thread, over the system that the test gives.
///
/// `@unchecked Sendable`: everything runs on the test's thread; only the type of a listener's factory
/// asks for it.
final class EngineBed: @unchecked Sendable {
    let system: SystemCalls
    let group: EventLoopGroup
    /// What listeners have accepted, in order.
    var accepted: [RecordingStream] = []

    init(loops: Int = 1, system: SystemCalls = LinuxSystemCalls()) throws {
        self.system = system
        self.group = try EventLoopGroup(count: loops, system: system)
    }

    var loop: EventLoop { self.group.loops[0] }

    /// Runs one turn of every loop.
    func turn(waitingAtMost duration: Duration = .milliseconds(1)) {
        for loop in self.group.loops { loop.turn(waitingAtMost: duration) }
    }

    /// Runs turns until `condition` holds, and fails the test if it does not in ten seconds.
    func run(
        sourceLocation: SourceLocation = #_sourceLocation,
        until condition: () -> Bool
    ) {
        let clock = ContinuousClock()
        let end = clock.now + .seconds(10)
        while !condition() {
            if clock.now > end {
                Issue.record("the condition never held", sourceLocation: sourceLocation)
                return
            }
            self.turn()
        }
    }

    /// Opens a listener, on a port of the system's choice unless told otherwise.
    func listen(
        on address: SocketAddress = .loopback(port: 0),
        connectionsMax: Int = 1000,
        overlapping: [Listener] = []
    ) throws -> Listener {
        var settings = ListenerSettings(address: address)
        settings.connectionsMax = connectionsMax
        let listener = try Listener(
            settings: settings,
            overlapping: overlapping,
            system: self.system
        )
        listener.start(on: self.group) { accepted, loop in
            let stream = RecordingStream(loop: loop, accepted: accepted)
            self.accepted.append(stream)
            return stream
        }
        return listener
    }

    /// A stream that connects to `address`.
    func connect(
        to address: SocketAddress,
        on loop: EventLoop? = nil,
        within limit: Duration = .seconds(60)
    ) -> RecordingStream {
        let loop = loop ?? self.loop
        let stream = RecordingStream(loop: loop)
        stream.connect(to: address, deadline: loop.now + limit)
        return stream
    }

    /// Two ends of one connection.
    func pair(
        on address: SocketAddress = .loopback(port: 0)
    ) throws -> (
        client: RecordingStream, server: RecordingStream
    ) {
        let listener = try self.listen(on: address)
        let client = self.connect(to: listener.address)
        self.run { self.accepted.count == 1 && client.events.contains(.connected) }
        listener.close()
        return (client, try #require(self.accepted.last))
    }
}

/// What happened to a stream.
enum StreamEvent: Hashable {
    case connected, received(Int), inputEnded, peerHungUp, outputDrained, outputBelowLowWater
    case deadlineReached, timerFired(UInt32), closed(CloseReason)
}

/// A stream that writes down what happens to it.
final class RecordingStream: RelayEngine.Stream {
    var events: [StreamEvent] = []
    var input: [UInt8] = []
    /// Whether `input` grows.
    var keepsInput = true
    /// Says how much of what is offered is taken; all of it without.
    var take: ((RecordingStream, Span<UInt8>) -> Int)?
    var onEvent: ((RecordingStream, StreamEvent) -> Void)?

    var reason: CloseReason? {
        for case .closed(let reason) in self.events { return reason }
        return nil
    }

    func write(_ bytes: [UInt8]) {
        self.write(bytes.span)
    }

    override func received(_ bytes: Span<UInt8>) -> Int {
        let taken = self.take?(self, bytes) ?? bytes.count
        if self.keepsInput {
            unsafe bytes.extracting(0..<taken).withUnsafeBytes {
                unsafe self.input.append(contentsOf: $0)
            }
        }
        self.record(.received(taken))
        return taken
    }

    override func connected() { self.record(.connected) }
    override func inputEnded() { self.record(.inputEnded) }
    override func peerHungUp() { self.record(.peerHungUp) }
    override func outputDrained() { self.record(.outputDrained) }
    override func outputBelowLowWater() { self.record(.outputBelowLowWater) }
    override func deadlineReached() { self.record(.deadlineReached) }
    override func timerFired(_ tag: UInt32) { self.record(.timerFired(tag)) }
    override func closed(_ reason: CloseReason) { self.record(.closed(reason)) }

    private func record(_ event: StreamEvent) {
        self.events.append(event)
        self.onEvent?(self, event)
    }
}

/// Linux with a monotonic clock that a test moves, and with calls that fail when a test says so.
///
/// `@unchecked Sendable`: used on the test's thread only.
final class AdjustableSystem: LinuxSystemCalls, @unchecked Sendable {
    private var start = MonotonicTime(nanoseconds: 1_000_000_000)
    /// How many of the next accepts fail, and how.
    var acceptFailures: (count: Int, error: SystemError) = (0, .tryAgain)
    /// How many calls of accept there were.
    var acceptCalls = 0

    func advance(by duration: Duration) {
        self.start = self.start + duration
    }

    override func monotonicTime() -> MonotonicTime { self.start }

    override func accept(
        _ descriptor: Descriptor
    )
        -> (result: SystemResult, peer: SocketAddress)
    {
        self.acceptCalls += 1
        if self.acceptFailures.count > 0 {
            self.acceptFailures.count -= 1
            return (SystemResult(failure: self.acceptFailures.error), .unix(path: ""))
        }
        return super.accept(descriptor)
    }
}

/// The bytes 0, 1, … repeating with a period that is no power of two, so that a shift shows.
func pattern(_ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: $0 % 251) }
}

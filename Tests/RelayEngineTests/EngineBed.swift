import Testing

@testable import RelayEngine

/// Loops driven by hand on the test's thread, in the world that the test gives.
///
/// `@unchecked Sendable`: everything runs on the test's thread; only the type of a listener's factory
/// asks for it.
final class EngineBed: @unchecked Sendable {
    let machine: any Machine
    let group: EventLoopGroup
    /// What listeners have accepted, in order.
    var accepted: [RecordingStream] = []

    /// Loops in a world.
    convenience init(_ world: World, loops: Int = 1, socketBytes: Int? = nil) throws {
        try self.init(loops: loops, machine: world.makeMachine(socketBytes: socketBytes))
    }

    /// Loops on Linux, with its clock or that of `system`.
    convenience init(loops: Int = 1, system: LinuxSystemCalls = LinuxSystemCalls()) throws {
        try self.init(loops: loops, machine: LinuxMachine(system))
    }

    private init(loops: Int, machine: any Machine) throws {
        self.machine = machine
        self.group = try EventLoopGroup(count: loops, system: machine.system)
    }

    var system: SystemCalls { self.machine.system }

    var loop: EventLoop { self.group.loops[0] }

    /// Runs one turn of every loop.
    func turn(waitingAtMost duration: Duration = .milliseconds(1)) {
        for loop in self.group.loops { loop.turn(waitingAtMost: duration) }
        self.machine.pass()
    }

    /// Runs turns until `condition` holds, and fails the test if it does not for a long time.
    ///
    /// Turns of `loops` only, if that is given.
    func run(
        turning loops: [EventLoop]? = nil,
        sourceLocation: SourceLocation = #_sourceLocation,
        until condition: () -> Bool
    ) {
        let isOver = self.machine.makePatience()
        while !condition() {
            if isOver() {
                Issue.record("the condition never held", sourceLocation: sourceLocation)
                return
            }
            for loop in loops ?? self.group.loops { loop.turn(waitingAtMost: .milliseconds(1)) }
            self.machine.pass()
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

    /// A stream that was accepted, and the far end of its connection.
    func serve(
        on address: SocketAddress = .loopback(port: 0)
    ) throws -> (far: any FarEnd, server: RecordingStream) {
        let listener = try self.listen(on: address)
        let far = self.machine.connect(to: listener.address)
        self.run { self.accepted.count == 1 && far.isConnected }
        listener.close()
        return (far, try #require(self.accepted.last))
    }

    /// Two ends of one connection, streams both.
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

/// Linux with a monotonic clock that a test moves, and without descriptors for accept(2) when a test
/// says so.
///
/// `@unchecked Sendable`: used on the test's thread only.
final class AdjustableSystem: LinuxSystemCalls, @unchecked Sendable {
    private var start = MonotonicTime(nanoseconds: 1_000_000_000)
    /// How many descriptors accept(2) may still take; nil: no limit.
    var descriptorsLeft: Int?
    /// How many calls of accept(2) there were.
    private(set) var acceptCalls = 0

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
        if self.descriptorsLeft == 0 {
            return (SystemResult(failure: .tooManyFiles), .unix(path: ""))
        }
        let accepted = super.accept(descriptor)
        if let left = self.descriptorsLeft, accepted.result.isSuccess {
            self.descriptorsLeft = left - 1
        }
        return accepted
    }

    override func close(_ descriptor: Descriptor) -> SystemResult {
        if let left = self.descriptorsLeft { self.descriptorsLeft = left + 1 }
        return super.close(descriptor)
    }
}

/// The bytes 0, 1, … repeating with a period that is no power of two, so that a shift shows.
func pattern(_ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: $0 % 251) }
}

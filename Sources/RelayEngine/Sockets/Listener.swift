import Synchronization

/// A listening socket, accepted from by every loop of a group.
///
/// The socket stands level-triggered and exclusive in every loop's epoll; a loop that holds many more
/// connections than the least loaded hands a new descriptor over before it reads from it. When
/// descriptors or kernel memory run out, accepting pauses and goes on by itself.
///
/// **Threads**: every method may be called from any thread.
package final class Listener: Sendable {
    /// Makes the stream of an accepted socket; called on the loop that will own it.
    package typealias StreamFactory =
        @Sendable (_ accepted: AcceptedSocket, _ loop: EventLoop) -> Stream

    /// The address that it listens on, with the port that the system chose if 0 was asked for.
    package let address: SocketAddress

    let descriptor: Descriptor
    let system: SystemCalls

    private struct State {
        var group: EventLoopGroup?
        var ports: [PortReference] = []
        var portsLeft = 0
        var isPaused = false
        var isClosed = false
        var makeStream: StreamFactory?
        var completion: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())
    private let open = Atomic<Int>(0)
    private let openMax: Atomic<Int>
    /// Whether a loop has stopped accepting because the listener was full.
    private let isFull = Atomic<Bool>(false)
    private let pauses = Atomic<Int>(0)

    /// Opens a listening socket.
    ///
    /// `overlapping` are the listeners of this process whose address overlaps (see
    /// `SocketAddress.overlaps`): the port is then shared with them until they are closed. Without
    /// any, a port that is in use is an error. A unix socket file that nobody answers is replaced,
    /// one that answers is an error.
    package convenience init(
        settings: ListenerSettings,
        overlapping: [Listener] = [],
        system: SystemCalls
    ) throws(ListenError) {
        let sharing = overlapping.filter { $0.address.overlaps(settings.address) }
        let descriptor = try ListeningSocket(settings: settings, system: system).open(
            sharingWith: sharing.map { $0.descriptor }
        )
        try self.init(adopting: descriptor, settings: settings, system: system)
    }

    /// Takes over a listening socket that this process was given (socket activation).
    package init(
        adopting descriptor: Descriptor,
        settings: ListenerSettings,
        system: SystemCalls
    )
        throws(ListenError)
    {
        guard let address = system.localAddress(descriptor) else {
            throw ListenError(
                address: settings.address,
                operation: "getsockname",
                cause: .badDescriptor
            )
        }
        self.address = address
        self.descriptor = descriptor
        self.system = system
        self.openMax = Atomic(settings.connectionsMax)
    }

    /// How many of its connections may be open at once; further ones wait in the kernel's queue.
    package var connectionsMax: Int {
        get { self.openMax.load(ordering: .relaxed) }
        set {
            self.openMax.store(newValue, ordering: .relaxed)
            self.wakeIfFull()
        }
    }

    /// How many of its connections are open.
    package var connectionsOpen: Int { self.open.load(ordering: .relaxed) }

    /// How often accepting has paused because descriptors or kernel memory ran out.
    package var exhaustionPauses: Int { self.pauses.load(ordering: .relaxed) }

    /// Begins to accept, on every loop of `group`.
    ///
    /// Once.
    package func start(on group: EventLoopGroup, makeStream: @escaping StreamFactory) {
        let mayStart = self.state.withLock { state in
            guard !state.isClosed, state.group == nil else { return false }
            state.group = group
            state.makeStream = makeStream
            state.portsLeft = group.loops.count
            return true
        }
        guard mayStart else { return }
        for loop in group.loops {
            loop.post { loop in
                let port = ListenerPort(
                    listener: self,
                    group: group,
                    loop: loop,
                    makeStream: makeStream
                )
                self.state.withLock { $0.ports.append(PortReference(port)) }
                port.update()
            }
        }
    }

    /// Stops accepting until `resumeAccepting`; the kernel goes on queueing.
    package func pauseAccepting() {
        self.state.withLock { $0.isPaused = true }
        self.updatePorts()
    }

    /// Goes on accepting.
    package func resumeAccepting() {
        self.state.withLock { $0.isPaused = false }
        self.updatePorts()
    }

    /// Accepts what the kernel has queued, closes the socket and removes a unix socket's file.
    ///
    /// Then `completion` is called, on one of the loops (at once if `start` never was). Connections
    /// stay. Once; later calls do nothing.
    package func close(_ completion: @escaping @Sendable () -> Void = {}) {
        let (isFirst, group) = self.state.withLock { state in
            defer { state.isClosed = true }
            if !state.isClosed { state.completion = completion }
            return (!state.isClosed, state.group)
        }
        guard isFirst else { return }
        guard let group else {
            self.closeSocket()
            completion()
            return
        }
        // In order with the message of `start`, so that every port exists by then.
        for loop in group.loops {
            loop.post { loop in self.closePort(on: loop, of: group) }
        }
    }
}

// MARK: - For its ports and streams

extension Listener {
    /// Whether ports are to stay out of their epolls by request.
    var isAcceptingPaused: Bool { self.state.withLock { $0.isPaused || $0.isClosed } }

    /// Counts a connection that was accepted without a permit.
    func connectionAcceptedBeyondLimit() {
        self.open.wrappingAdd(1, ordering: .relaxed)
    }

    /// Takes a permit for one more connection; false if there is none.
    func reserveConnection() -> Bool {
        if self.open.wrappingAdd(1, ordering: .relaxed).oldValue < self.connectionsMax {
            return true
        }
        self.open.wrappingSubtract(1, ordering: .relaxed)
        return false
    }

    /// Says that the caller stops because there is no permit; false if there is one again.
    func waitForPermit() -> Bool {
        self.isFull.store(true, ordering: .sequentiallyConsistent)
        return self.open.load(ordering: .sequentiallyConsistent) >= self.connectionsMax
    }

    /// Gives a permit back: the connection is closed, or there was none to accept.
    func connectionClosed() {
        self.open.wrappingSubtract(1, ordering: .sequentiallyConsistent)
        self.wakeIfFull()
    }

    /// Counts a pause because something ran out.
    func exhausted() {
        self.pauses.wrappingAdd(1, ordering: .relaxed)
    }

    private func wakeIfFull() {
        guard self.isFull.load(ordering: .sequentiallyConsistent) else { return }
        if self.isFull.exchange(false, ordering: .sequentiallyConsistent) { self.updatePorts() }
    }

    /// Has every port look again whether it should accept.
    private func updatePorts() {
        let ports = self.state.withLock { $0.ports }
        for port in ports {
            port.loop.post { _ in port.onLoop?.permitsMayBeFree() }
        }
    }

    /// Takes the port of `loop` away; the last one empties the kernel's queue and closes the socket.
    private func closePort(on loop: EventLoop, of group: EventLoopGroup) {
        let (port, isLast) = self.state.withLock { state in
            let index = state.ports.firstIndex { $0.loop === loop }
            let port = index.map { state.ports.remove(at: $0) }
            state.portsLeft -= 1
            return (port, state.portsLeft == 0)
        }
        port?.onLoop?.close()
        guard isLast else { return }
        port?.onLoop?.acceptAll()
        self.closeSocket()
        let completion = self.state.withLock { state in
            state.makeStream = nil
            return state.completion.take()
        }
        completion?()
    }

    private func closeSocket() {
        // Removed before it is closed, so that it cannot be a successor's file.
        if case .unix(let path) = self.address, !path.isEmpty {
            _ = self.system.removeFile(path)
        }
        _ = self.system.close(self.descriptor)
    }
}

/// A port as the listener keeps it.
///
/// `@unchecked Sendable`: `loop` may be used anywhere, `onLoop` only on that loop.
private final class PortReference: @unchecked Sendable {
    let loop: EventLoop
    let onLoop: ListenerPort?

    init(_ port: ListenerPort) {
        self.loop = port.loop
        self.onLoop = port
    }
}

/// A socket that a listener has accepted.
package struct AcceptedSocket: Sendable {
    /// The socket, which its stream will own.
    package let descriptor: Descriptor
    /// Who connected.
    package let peer: SocketAddress
    /// Where it was accepted; counts it until the stream is closed.
    package let listener: Listener
}

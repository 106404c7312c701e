package import RelayEngine

/// One end of a connection that a test scripts: a client or a backend outside of the machine.
///
/// It reads what arrives into `received` until it is told to stop, and writes what it was given as
/// the network allows. Its callbacks run between the turns of the loops, a little after what they
/// tell of. A script may poll the properties instead.
///
/// Unlike a program on a kernel of its own: it has no epoll and no descriptor, is never out of memory,
/// and can do what only a kernel or a cut cable does (`holdsAcknowledgements`, `fallSilent()`).
package final class SimulatedPeer {
    /// Called once when the connection stands.
    package var onConnected: ((SimulatedPeer) -> Void)?
    /// Called after bytes were added to `received`.
    package var onReceived: ((SimulatedPeer) -> Void)?
    /// Called once when the other end has ended its stream.
    package var onInputEnded: ((SimulatedPeer) -> Void)?
    /// Called once when the connection is over for another reason than its own `close` or `reset`.
    package var onFailed: ((SimulatedPeer, SystemError) -> Void)?

    /// What was received and not taken.
    package private(set) var received: [UInt8] = []
    /// How many bytes were received in all.
    package private(set) var receivedCount = 0
    /// Whether the connection stands or stood.
    package private(set) var isConnected = false
    /// Whether the other end has ended its stream, and all of it was read.
    package private(set) var hasInputEnded = false
    /// Why the connection failed: refused, reset, timed out.
    package private(set) var failure: SystemError?
    /// Whether `close` or `reset` was called, or the connection has failed.
    package private(set) var isClosed = false
    /// Bytes read at once; with `readPause` the speed of a slow reader.
    package var readBytesMax = 65_536
    /// Time between two reads.
    package var readPause: Duration = .zero

    private let socket: SimulatedSocket
    private let network: Network
    /// What it was connected by, which stays when the socket is closed.
    private var connection: (TCPConnection, Side)?
    private var output: [UInt8] = []
    private var isReading = true
    private var isReadPaused = false
    private var isShuttingDown = false
    private var isClosing = false
    private var isReactionScheduled = false

    /// Takes over a socket that connects or is connected.
    init(_ socket: SimulatedSocket) {
        self.socket = socket
        self.network = socket.network
        self.socket.observer = { self.scheduleReaction() }
        self.scheduleReaction()
    }

    /// The address of the end itself.
    package var address: SocketAddress? { self.socket.local }

    /// Takes what was received.
    package func takeReceived() -> [UInt8] {
        defer { self.received = [] }
        return self.received
    }

    /// Takes the first `count` bytes of what was received, or all.
    package func takeReceived(_ count: Int) -> [UInt8] {
        let taken = Array(self.received.prefix(count))
        self.received.removeFirst(taken.count)
        return taken
    }

    // MARK: Writing

    /// Sends `bytes`, after what it was given before.
    package func send(_ bytes: [UInt8]) {
        guard !self.isClosed, !self.isClosing, !self.isShuttingDown else { return }
        self.output += bytes
        self.scheduleReaction()
    }

    /// Sends the UTF-8 of `text`.
    package func send(_ text: String) { self.send(Array(text.utf8)) }

    /// How many bytes the kernel of this end has not taken yet.
    package var bytesQueued: Int { self.output.count }

    /// How many bytes the kernel of the other end has not acknowledged, FIN counted as one.
    package var bytesUnacknowledged: Int { self.socket.bytesUnacknowledged.value }

    // MARK: Ending

    /// Ends its stream once everything is sent; reading goes on.
    package func shutdownOutput() {
        self.isShuttingDown = true
        self.scheduleReaction()
    }

    /// Closes once everything is sent; a reset if something is unread then.
    package func close() {
        self.isClosing = true
        self.scheduleReaction()
    }

    /// Resets the connection now, dropping what was not sent.
    package func reset() {
        self.socket.setOption(.resetOnClose, to: 1)
        self.closeNow()
    }

    // MARK: Misbehaving

    /// Stops reading; the kernel goes on receiving until its buffer is full.
    package func stopReading() { self.isReading = false }

    /// Goes on reading.
    package func startReading() {
        self.isReading = true
        self.scheduleReaction()
    }

    /// Whether the kernel of this end keeps to itself that it has received something.
    ///
    /// For TCP. When that ends it acknowledges everything at once.
    package var holdsAcknowledgements: Bool {
        get { self.socket.holdsAcknowledgements }
        set {
            let isReleased = self.socket.holdsAcknowledgements && !newValue
            self.socket.holdsAcknowledgements = newValue
            guard isReleased, let (connection, side) = self.tcp else { return }
            connection.acknowledge(at: side)
        }
    }

    /// From now on nothing gets through between the ends, and neither is told; for TCP.
    package func fallSilent() {
        guard let (connection, _) = self.tcp else { return }
        connection.fallSilent()
    }

    private var tcp: (TCPConnection, Side)? {
        guard case .connected(let connection as TCPConnection, let side) = self.socket.role else {
            return nil
        }
        return (connection, side)
    }

    /// How many bytes the other end has given to its kernel so far, whether they came or not; for TCP.
    ///
    /// Also when this end is closed; 0 before the connection stands.
    package var bytesWrittenByOtherEnd: Int {
        guard let (connection, side) = self.connection else { return 0 }
        return connection.directions[side.other].written
    }

    // MARK: Reacting

    /// Looks at the socket soon, as a process does that has to be scheduled.
    private func scheduleReaction() {
        guard !self.isReactionScheduled, !self.isClosed else { return }
        self.isReactionScheduled = true
        let delay = self.network.duration(in: .microseconds(1)...(.microseconds(20)))
        self.network.timeline.schedule(after: delay) {
            self.isReactionScheduled = false
            self.react()
        }
    }

    private func react() {
        guard !self.isClosed else { return }
        switch self.socket.role {
        case .connecting: return
        case .idle, .listening:
            self.fail(self.socket.takeError() ?? .notConnected)
            return
        case .connected: break
        }
        if !self.isConnected {
            self.isConnected = true
            self.connection = self.tcp
            self.onConnected?(self)
        }
        self.write()
        self.read()
        // After the end of the stream nothing is read that could fail.
        if self.hasInputEnded, !self.isClosed, let error = self.socket.takeError() {
            self.fail(error)
        }
    }

    private func write() {
        while !self.output.isEmpty, !self.isClosed {
            let result = self.socket.send(self.output[...])
            if let error = result.error {
                if error != .tryAgain { self.fail(error) }
                return
            }
            self.output.removeFirst(result.value)
        }
        if self.isClosed { return }
        if self.isClosing {
            self.closeNow()
        } else if self.isShuttingDown {
            self.isShuttingDown = false
            _ = self.socket.shutdownOutput()
        }
    }

    private func read() {
        guard self.isReading, !self.isReadPaused, !self.isClosed, !self.hasInputEnded else {
            return
        }
        switch self.socket.receive(self.readBytesMax) {
        case .failure(.tryAgain): return
        case .failure(let error): self.fail(error)
        case .success([]):
            self.hasInputEnded = true
            self.onInputEnded?(self)
        case .success(let bytes):
            self.received += bytes
            self.receivedCount += bytes.count
            self.readAgainLater()
            self.onReceived?(self)
        }
    }

    private func readAgainLater() {
        if self.readPause == .zero { return self.scheduleReaction() }
        self.isReadPaused = true
        self.network.timeline.schedule(after: self.readPause) {
            self.isReadPaused = false
            self.react()
        }
    }

    private func fail(_ error: SystemError) {
        self.failure = error
        self.closeNow()
        self.onFailed?(self, error)
    }

    private func closeNow() {
        guard !self.isClosed else { return }
        self.isClosed = true
        self.output = []
        self.network.trace("peer \(self.socket.label): closes")
        self.socket.close()
    }
}

/// A listening socket outside of the machine: where scripted backends are reached.
package final class SimulatedPeerListener {
    /// Called for every connection.
    package var onAccept: ((SimulatedPeer) -> Void)?
    /// Where it listens.
    package let address: SocketAddress
    private let socket: SimulatedSocket
    private let queue: AcceptQueue

    init(_ socket: SimulatedSocket, _ queue: AcceptQueue, address: SocketAddress) {
        self.socket = socket
        self.queue = queue
        self.address = address
        socket.observer = { self.scheduleAccept() }
    }

    /// Whether it accepts; if not, connections wait in its queue.
    package var isAccepting = true {
        didSet { self.scheduleAccept() }
    }

    /// Stops listening: those who wait are reset, later ones refused.
    package func close() { self.socket.close() }

    private func scheduleAccept() {
        let network = self.socket.network
        let delay = network.duration(in: .microseconds(1)...(.microseconds(20)))
        network.timeline.schedule(after: delay) {
            while self.isAccepting, !self.socket.isClosed, let next = self.queue.takeFirst() {
                self.onAccept?(SimulatedPeer(next))
            }
        }
    }
}

extension Simulation {
    /// A peer that connects to `address`, from `source` if that is given (port 0: any).
    ///
    /// `conditions` are how the connection goes; nil: as the network says.
    package func connect(
        to address: SocketAddress,
        from source: SocketAddress? = nil,
        conditions: Conditions? = nil
    ) -> SimulatedPeer {
        let network = self.system.network
        let socket = network.makeSocket(address.simulatedFamily)
        socket.conditions = conditions
        if let conditions {
            socket.sendBufferSize = conditions.sendBufferSize
            socket.receiveBufferSize = conditions.receiveBufferSize
        }
        if let source {
            socket.local =
                source.port == 0 ? source.withPort(network.freePort()) : source
        }
        let result = network.connect(socket, to: address)
        if let error = result.error, error != .inProgress { socket.connectFailed(error) }
        return SimulatedPeer(socket)
    }

    /// A listener at `address` (port 0: any); throws what bind(2) or listen(2) gives.
    package func listen(
        at address: SocketAddress,
        backlog: Int32 = 128
    ) throws(SystemError) -> SimulatedPeerListener {
        let network = self.system.network
        let socket = network.makeSocket(address.simulatedFamily)
        socket.setOption(.reuseAddress, to: 1)
        if let error = network.bind(socket, to: address).error { throw error }
        if let error = network.listen(socket, backlog: backlog).error { throw error }
        guard case .listening(let queue) = socket.role else { throw .invalidArgument }
        return SimulatedPeerListener(socket, queue, address: socket.local ?? address)
    }
}

extension SocketAddress {
    fileprivate var simulatedFamily: SocketFamily {
        switch self {
        case .v4: .v4
        case .v6: .v6
        case .unix: .unix
        }
    }
}

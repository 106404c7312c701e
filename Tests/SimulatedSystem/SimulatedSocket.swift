import Glibc
import RelayEngine

/// A stream socket: of the process under test, or of a scripted peer.
///
/// Unlike Linux: a shutdown while connecting is `ENOTCONN` and ends nothing; buffer sizes are taken as
/// given, not doubled; `TCP_NODELAY` changes nothing, because nothing waits for more to send.
final class SimulatedSocket: SimulatedFile {
    /// What the socket is at the moment.
    enum Role {
        /// Neither connected nor listening; `failed` after a connect that did not succeed.
        case idle(failed: Bool)
        /// Accepts connections.
        case listening(AcceptQueue)
        /// connect(2) is under way.
        case connecting(ConnectAttempt)
        /// One end of a connection.
        case connected(any Connection, Side)
    }

    let number: Int
    let family: SocketFamily
    let network: Network
    /// How its connections go; nil: as the network says.
    var conditions: Conditions?
    var role = Role.idle(failed: false)
    /// The address that bind(2) or the network gave it.
    var local: SocketAddress?
    /// Who is at the other end.
    var remote: SocketAddress?
    /// `SO_ERROR`.
    var pendingError: SystemError?
    /// Options set so far, except sizes.
    private(set) var options: [SocketOption: Int32] = [:]
    var sendBufferSize: Int
    var receiveBufferSize: Int
    /// Whether the kernel has the socket without a descriptor.
    private(set) var isClosed = false
    /// Whether a writer waits for room (Linux: `SOCK_NOSPACE`), so that room wakes it.
    var waitsForRoom = false
    /// Whether the kernel of this end acknowledges what arrives; scripted peers can hold that back.
    var holdsAcknowledgements = false

    init(number: Int, family: SocketFamily, network: Network) {
        self.number = number
        self.family = family
        self.network = network
        self.sendBufferSize = network.conditions.sendBufferSize
        self.receiveBufferSize = network.conditions.receiveBufferSize
    }

    override var label: String {
        let place = self.local.map { SocketText.of($0) } ?? "-"
        return self.remote.map { "\(place)>\(SocketText.of($0))" } ?? place
    }

    override var isDeciding: Bool {
        if case .connecting = self.role { true } else { false }
    }

    override var readiness: EpollEvents {
        var events: EpollEvents = self.pendingError == nil ? [] : .error
        switch self.role {
        case .idle(failed: false): events.formUnion([.writable, .hangUp])
        case .idle(failed: true):
            events.formUnion([.readable, .writable, .hangUp, .peerHangUp])
        case .listening(let queue): if !queue.isEmpty { events.formUnion(.readable) }
        case .connecting: break
        case .connected(let connection, let side):
            events.formUnion(connection.readiness(of: side))
        }
        return events
    }

    override func poll() -> EpollEvents {
        let events = self.readiness
        if case .connected = self.role, !events.contains(.writable) { self.waitsForRoom = true }
        return events
    }

    /// recv(2) of at most `limit` bytes; no bytes are the end of the stream.
    func receive(_ limit: Int) -> Result<ArraySlice<UInt8>, SystemError> {
        switch self.role {
        case .connected(let connection, let side): return connection.receive(at: side, limit)
        case .connecting: return .failure(.tryAgain)
        case .idle(failed: true):
            if let error = self.takeError() { return .failure(error) }
            return .success([])
        case .idle, .listening:
            return .failure(self.family == .unix ? .invalidArgument : .notConnected)
        }
    }

    /// send(2): how many of `bytes` were taken.
    func send(_ bytes: ArraySlice<UInt8>) -> SystemResult {
        switch self.role {
        case .connected(let connection, let side): return connection.send(from: side, bytes)
        case .connecting: return SystemResult(failure: .tryAgain)
        case .idle(let failed):
            if failed, let error = self.takeError() { return SystemResult(failure: error) }
            return SystemResult(failure: self.family == .unix ? .notConnected : .brokenPipe)
        case .listening:
            return SystemResult(failure: self.family == .unix ? .notConnected : .brokenPipe)
        }
    }

    /// shutdown(2) of the sending side.
    func shutdownOutput() -> SystemResult {
        switch self.role {
        case .connected(let connection, let side): return connection.shutdownOutput(of: side)
        case .connecting: return SystemResult(failure: .notConnected)
        case .idle, .listening: break
        }
        // Linux wakes everyone whatever comes of it.
        self.wake(nil)
        if case .listening = self.role { return .success }
        return self.family == .unix ? .success : SystemResult(failure: .notConnected)
    }

    /// close(2) of the last descriptor.
    func close() {
        guard !self.isClosed else { return }
        self.isClosed = true
        self.observer = nil
        switch self.role {
        case .connected(let connection, let side): connection.close(side)
        case .listening(let queue): self.network.closeListener(self, queue)
        case .connecting(let attempt): attempt.isAbandoned = true
        case .idle: break
        }
        self.role = .idle(failed: true)
        self.network.socketClosed(self)
    }

    override func lastDescriptorClosed() { self.close() }

    /// The simulation is over: nobody is told anything.
    func forget() {
        self.isClosed = true
        self.observer = nil
        self.role = .idle(failed: true)
    }

    /// `SIOCOUTQ`.
    var bytesUnacknowledged: SystemResult {
        switch self.role {
        case .listening: SystemResult(failure: .invalidArgument)
        // The SYN of a connect that failed stays unacknowledged for ever.
        case .idle(let failed): SystemResult(failed && self.family != .unix ? 1 : 0)
        case .connecting: .success
        case .connected(let connection, let side):
            SystemResult(connection.bytesUnacknowledged(from: side))
        }
    }

    /// `SO_ERROR`, which is cleared.
    func takeError() -> SystemError? {
        defer { self.pendingError = nil }
        return self.pendingError
    }

    /// setsockopt(2) of an option that is no size.
    func setOption(_ option: SocketOption, to value: Int32) {
        self.options[option] = value
        guard case .connected(let connection as TCPConnection, let side) = self.role else { return }
        connection.guardAgainstSilence(side)
    }

    /// An accepted socket has the options of its listener.
    func inheritOptions(from listener: SimulatedSocket) {
        self.options = listener.options
        self.sendBufferSize = listener.sendBufferSize
        self.receiveBufferSize = listener.receiveBufferSize
    }

    /// Whether close(2) is to reset.
    var resetsOnClose: Bool { self.options[.resetOnClose] == 1 }

    // MARK: Connecting

    /// The connection stands.
    func established(_ connection: any Connection, _ side: Side) {
        self.role = .connected(connection, side)
        self.wake(nil)
    }

    /// connect(2) has failed.
    func connectFailed(_ error: SystemError) {
        self.role = .idle(failed: true)
        self.pendingError = error
        self.network.trace("\(self.label): connect failed, error \(error.code)")
        self.wake(nil)
    }
}

/// A connect(2) under way.
final class ConnectAttempt {
    /// Whether the socket was closed meanwhile.
    var isAbandoned = false
    /// How often the peer was asked.
    var attempts = 0
}

/// Connections that no one has accepted yet.
final class AcceptQueue {
    /// How many may wait; Linux lets one more in than listen(2) was told.
    let limit: Int
    private var waiting: [SimulatedSocket] = []

    init(backlog: Int32) {
        self.limit = max(Int(backlog), 0) + 1
    }

    var isEmpty: Bool { self.waiting.isEmpty }
    var isFull: Bool { self.waiting.count >= self.limit }

    func append(_ socket: SimulatedSocket) { self.waiting.append(socket) }

    func takeFirst() -> SimulatedSocket? {
        self.waiting.isEmpty ? nil : self.waiting.removeFirst()
    }
}

/// Addresses as a trace shows them.
enum SocketText {
    /// The address without the engine's own formatting, which is under test too.
    static func of(_ address: SocketAddress) -> String {
        switch address {
        case .v4(let bits, let port):
            let octets = [24, 16, 8, 0].map { String(bits >> UInt32($0) & 0xff) }
            return octets.joined(separator: ".") + ":\(port)"
        case .v6(let high, let low, let port, _):
            return "[\(String(high, radix: 16)):\(String(low, radix: 16))]:\(port)"
        case .unix(let path): return "unix:\(path)"
        }
    }
}

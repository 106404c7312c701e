import Glibc
import RelayEngine

/// connect(2) and the handshake.
extension Network {
    /// Linux: SYN is sent again after 1, 2, 4, … s, six times (`tcp_syn_retries`), 127 s in all.
    private static let connectAttemptsMax = 7

    /// connect(2).
    func connect(_ socket: SimulatedSocket, to address: SocketAddress) -> SystemResult {
        switch socket.role {
        case .connecting: return SystemResult(failure: SystemError(code: EALREADY))
        case .connected: return SystemResult(failure: SystemError(code: EISCONN))
        case .listening: return SystemResult(failure: .invalidArgument)
        case .idle(failed: true): return SystemResult(failure: .connectionAborted)
        case .idle: break
        }
        if case .unix(let path) = address { return self.connectFile(socket, path) }
        socket.remote = address
        if socket.local == nil { socket.local = self.sourceAddress(for: address) }
        let attempt = ConnectAttempt()
        socket.role = .connecting(attempt)
        self.trace("\(socket.label): connects")
        self.sendSYN(socket, attempt, to: address)
        return SystemResult(failure: .inProgress)
    }

    private func sendSYN(
        _ socket: SimulatedSocket,
        _ attempt: ConnectAttempt,
        to address: SocketAddress
    ) {
        attempt.attempts += 1
        if attempt.attempts > Self.connectAttemptsMax {
            if !attempt.isAbandoned { socket.connectFailed(.timedOut) }
            return
        }
        let conditions =
            socket.conditions ?? self.conditionsByAddress[address] ?? self.conditions
        self.timeline.schedule(after: self.duration(in: conditions.latency)) {
            if attempt.isAbandoned { return }
            if !self.arrivedSYN(socket, attempt, address, conditions) {
                self.timeline.schedule(after: .seconds(1 << (attempt.attempts - 1))) {
                    if !attempt.isAbandoned { self.sendSYN(socket, attempt, to: address) }
                }
            }
        }
    }

    /// A SYN reaches its address; false if there will be no answer.
    private func arrivedSYN(
        _ socket: SimulatedSocket,
        _ attempt: ConnectAttempt,
        _ address: SocketAddress,
        _ conditions: Conditions
    ) -> Bool {
        var refusal = SystemError.connectionRefused
        var listener: (socket: SimulatedSocket, queue: AcceptQueue)?
        switch self.unreachable[address] {
        case .silent: return false
        case .noRoute: refusal = SystemError(code: EHOSTUNREACH)
        case nil: listener = self.listener(at: address)
        }
        guard let listener else {
            self.timeline.schedule(after: self.duration(in: conditions.latency)) {
                if !attempt.isAbandoned { socket.connectFailed(refusal) }
            }
            return true
        }
        if listener.queue.isFull { return false }
        self.establish(socket, attempt, with: listener, conditions)
        return true
    }

    private func establish(
        _ client: SimulatedSocket,
        _ attempt: ConnectAttempt,
        with listener: (socket: SimulatedSocket, queue: AcceptQueue),
        _ conditions: Conditions
    ) {
        let server = self.makeSocket(listener.socket.family)
        server.inheritOptions(from: listener.socket)
        server.local = client.remote
        server.remote = client.local
        let connection = TCPConnection(
            network: self,
            conditions: conditions,
            client: client,
            server: server
        )
        server.role = .connected(connection, .server)
        let answer = connection.arrivalTime(from: .server)
        self.timeline.schedule(at: answer) {
            if attempt.isAbandoned {
                connection.ends[.client].isDead = true
                connection.resetArrived(at: .server)
            } else {
                self.trace("\(client.label): connected")
                client.established(connection, .client)
            }
        }
        listener.queue.append(server)
        listener.socket.wake(.readable)
    }

    private func connectFile(_ client: SimulatedSocket, _ path: String) -> SystemResult {
        guard SocketFiles.isAddress(path) else { return SystemResult(failure: .invalidArgument) }
        guard self.files.isSocket(path) != nil else { return SystemResult(failure: .noSuchFile) }
        guard let listener = self.files.socket(at: path),
            case .listening(let queue) = listener.role
        else { return SystemResult(failure: .connectionRefused) }
        if queue.isFull { return SystemResult(failure: .tryAgain) }
        let server = self.makeSocket(.unix)
        server.local = .unix(path: path)
        server.remote = client.local ?? .unix(path: "")
        client.remote = .unix(path: path)
        let connection = UnixConnection(network: self, client: client, server: server)
        server.role = .connected(connection, .server)
        client.role = .connected(connection, .client)
        self.trace("\(client.label) (socket \(client.number)): connected")
        queue.append(server)
        listener.wake(.readable)
        return .success
    }

    private func listener(
        at address: SocketAddress
    ) -> (socket: SimulatedSocket, queue: AcceptQueue)? {
        var exact: [(SimulatedSocket, AcceptQueue)] = []
        var wildcard: [(SimulatedSocket, AcceptQueue)] = []
        for socket in self.bound {
            guard let local = socket.local, local.port == address.port,
                case .listening(let queue) = socket.role, Self.covers(local, socket, address)
            else { continue }
            if local == address {
                exact.append((socket, queue))
            } else {
                wildcard.append((socket, queue))
            }
        }
        return (exact.isEmpty ? wildcard : exact).randomElement(using: &self.generator)
    }

    /// The address that a connecting socket gets: the loopback one to a loopback one, else 10.0.0.1.
    private func sourceAddress(for address: SocketAddress) -> SocketAddress {
        let port = self.freePort()
        switch address {
        case .v4(let bits, _):
            return .v4(bits >> 24 == 127 ? bits : 0x0a00_0001, port: port)
        case .v6(0, 1, _, _): return .v6(high: 0, low: 1, port: port, zone: 0)
        case .v6: return .v6(high: 0xfd00_0000_0000_0000, low: 1, port: port, zone: 0)
        case .unix: return .unix(path: "")
        }
    }
}

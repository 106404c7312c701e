import RelayEngine

/// bind(2), listen(2) and what ends them.
extension Network {
    /// bind(2).
    func bind(_ socket: SimulatedSocket, to address: SocketAddress) -> SystemResult {
        guard socket.local == nil, case .idle(failed: false) = socket.role else {
            return SystemResult(failure: .invalidArgument)
        }
        if case .unix(let path) = address {
            let result = self.files.bind(socket, path)
            if result.isSuccess { socket.local = address }
            return result
        }
        let chosen = address.port == 0 ? address.withPort(self.freePort()) : address
        if self.bound.contains(where: { self.conflicts(socket, chosen, with: $0) }) {
            return SystemResult(failure: .addressInUse)
        }
        socket.local = chosen
        self.bound.append(socket)
        return .success
    }

    /// listen(2).
    func listen(_ socket: SimulatedSocket, backlog: Int32) -> SystemResult {
        guard case .idle = socket.role else {
            if case .listening = socket.role { return .success }
            return SystemResult(failure: .invalidArgument)
        }
        if socket.local == nil {
            if socket.family == .unix { return SystemResult(failure: .invalidArgument) }
            let any: SocketAddress =
                socket.family == .v4 ? .v4(0, port: 0) : .v6(high: 0, low: 0, port: 0, zone: 0)
            guard self.bind(socket, to: any).isSuccess else {
                return SystemResult(failure: .addressInUse)
            }
        }
        socket.role = .listening(AcceptQueue(backlog: backlog))
        self.trace("\(socket.label): listens")
        return .success
    }

    /// close(2) of a listening socket: connections that nobody accepted are reset.
    func closeListener(_ socket: SimulatedSocket, _ queue: AcceptQueue) {
        self.trace("\(socket.label): listens no more")
        while let waiting = queue.takeFirst() {
            guard case .connected(let connection, let side) = waiting.role else { continue }
            if let unix = connection as? UnixConnection { unix.closeUnaccepted() }
            if let tcp = connection as? TCPConnection, !tcp.ends[side].isDead, !tcp.isOver {
                tcp.sendReset(from: side)
            }
            waiting.close()
        }
    }

    private func conflicts(
        _ socket: SimulatedSocket,
        _ address: SocketAddress,
        with other: SimulatedSocket
    ) -> Bool {
        guard let taken = other.local, address.port == taken.port,
            Self.covers(taken, other, address) || Self.covers(address, socket, taken)
        else { return false }
        if socket.options[.reusePort] == 1 && other.options[.reusePort] == 1 { return false }
        if case .listening = other.role { return true }
        return socket.options[.reuseAddress] != 1 || other.options[.reuseAddress] != 1
    }

    /// Whether a socket bound to `bound` takes connections to `address`, ports being equal.
    static func covers(
        _ bound: SocketAddress,
        _ socket: SimulatedSocket,
        _ address: SocketAddress
    )
        -> Bool
    {
        switch (bound, address) {
        case (.v4(let bits, _), .v4(let wanted, _)): bits == 0 || bits == wanted
        case (.v6(let high, let low, _, _), .v6(let wantedHigh, let wantedLow, _, _)):
            (high == 0 && low == 0) || (high == wantedHigh && low == wantedLow)
        case (.v6(0, 0, _, _), .v4): socket.options[.onlyV6] != 1
        default: false
        }
    }
}

import RelayEngine

/// A TCP connection: two kernels with a wire between them, as Linux's processes see it.
///
/// The rules of Linux 6.x that it keeps, and where they come from (net/ipv4/tcp*.c):
/// - close(2) with unread bytes sends a reset instead of FIN, and what was not sent is lost;
/// - bytes for an end that its process has closed are answered with a reset;
/// - a reset fails the next call of the receiver once (`ECONNRESET`, or `EPIPE` if FIN came before),
///   its later reads give the end of the stream, its later writes `EPIPE`; bytes that arrived before
///   the reset can still be read, and come before the error;
/// - an event for writing comes only to who met a full buffer, and when a third of it is free.
///
/// Unlike Linux: nothing is lost and sent again (a stall stands for that); windows and memory count
/// bytes of data and nothing else; a window update is sent when the reader has read anything while
/// the sender was held up, and cannot be lost; there is no TIME_WAIT.
final class TCPConnection: Connection {
    let network: Network
    let conditions: Conditions
    /// The sockets; they stay while the connection does, closed or not.
    let sockets: PerSide<SimulatedSocket>
    /// What each end has written.
    var directions = PerSide(client: StreamDirection(), server: StreamDirection())
    /// How each end stands.
    var ends = PerSide(client: End(), server: End())
    /// Whether nothing gets through any more, in either direction.
    private(set) var isSilent = false

    /// What one kernel knows of its end.
    struct End {
        /// Whether its process may not send any more.
        var sendingEnded = false
        /// Whether the other's FIN has come, or a reset.
        var receivingEnded = false
        /// Whether it is over: reset or timed out.
        var isDead = false
        /// When the peer was last heard of.
        var lastHeard = MonotonicTime(nanoseconds: 0)
        /// Since when an acknowledgement of what is in flight is waited for.
        var waitingSince = MonotonicTime(nanoseconds: 0)
        /// The guard against silence, and when it looks.
        var silenceGuard: (ticket: Timeline.Ticket, time: MonotonicTime)?
    }

    init(
        network: Network,
        conditions: Conditions,
        client: SimulatedSocket,
        server: SimulatedSocket
    ) {
        self.network = network
        self.conditions = conditions
        self.sockets = PerSide(client: client, server: server)
        self.ends[.client].lastHeard = network.now
        self.ends[.server].lastHeard = network.now
    }

    // MARK: What processes ask for

    func readiness(of side: Side) -> EpollEvents {
        let end = self.ends[side]
        var events: EpollEvents = []
        if end.sendingEnded && end.receivingEnded { events.formUnion(.hangUp) }
        if end.receivingEnded { events.formUnion([.readable, .peerHangUp]) }
        if self.directions[side.other].readable > 0 { events.formUnion(.readable) }
        if end.sendingEnded || self.hasRoom(side) { events.formUnion(.writable) }
        return events
    }

    func receive(at side: Side, _ limit: Int) -> Result<ArraySlice<UInt8>, SystemError> {
        if limit == 0 { return .success([]) }
        let readable = self.directions[side.other].readable
        if readable > 0 {
            let wanted = min(readable, limit)
            let bytes = self.directions[side.other].take(
                self.network.readSize(wanted, self.conditions)
            )
            // A read falls short because the rest came while it was under way: an event of its own.
            if bytes.count < wanted { self.sockets[side].wake(.readable) }
            self.updateWindow(of: side)
            return .success(bytes)
        }
        if self.directions[side.other].fin >= .arrived { return .success([]) }
        if let error = self.sockets[side].takeError() { return .failure(error) }
        return self.ends[side].receivingEnded ? .success([]) : .failure(.tryAgain)
    }

    func send(from side: Side, _ bytes: ArraySlice<UInt8>) -> SystemResult {
        if self.ends[side].sendingEnded {
            return SystemResult(failure: self.sockets[side].takeError() ?? .brokenPipe)
        }
        let socket = self.sockets[side]
        let direction = self.directions[side]
        let room = socket.sendBufferSize - (direction.written - direction.acknowledged)
        guard room > 0 else {
            socket.waitsForRoom = true
            return SystemResult(failure: .tryAgain)
        }
        let count = self.network.writeSize(min(room, bytes.count), self.conditions)
        if count < bytes.count { socket.waitsForRoom = true }
        self.directions[side].write(bytes.prefix(count))
        self.transmit(from: side)
        return SystemResult(count)
    }

    func shutdownOutput(of side: Side) -> SystemResult {
        // Linux wakes everyone whatever comes of it, even on a socket that is over.
        defer { self.sockets[side].wake(nil) }
        let end = self.ends[side]
        if end.isDead || self.isOver { return SystemResult(failure: .notConnected) }
        if !end.sendingEnded {
            self.ends[side].sendingEnded = true
            self.directions[side].end()
            self.transmit(from: side)
        }
        return .success
    }

    func close(_ side: Side) {
        guard !self.ends[side].isDead, !self.isOver else { return }
        let isUnread = self.directions[side.other].readable > 0
        let isLastAcknowledgement =
            self.ends[side].sendingEnded && self.directions[side.other].fin >= .arrived
        if isUnread || (self.sockets[side].resetsOnClose && !isLastAcknowledgement) {
            self.sendReset(from: side)
        } else {
            self.ends[side].sendingEnded = true
            self.directions[side].end()
            self.transmit(from: side)
        }
    }

    func bytesUnacknowledged(from side: Side) -> Int { self.directions[side].unacknowledged }

    // MARK: Resets and silence

    /// The end resets the connection: what it has not sent is lost.
    func sendReset(from side: Side) {
        self.network.trace("\(self.sockets[side].label): sends reset")
        self.directions[side].cutUnsent()
        self.kill(side, error: nil)
        let overtakes = self.network.chance(self.conditions.resetOvertakesChance)
        let time = overtakes ? self.travelTime() : self.arrivalTime(from: side)
        self.network.timeline.schedule(at: time) {
            if !self.isSilent { self.resetArrived(at: side.other) }
        }
    }

    /// From now on nothing of either end reaches the other, not even what is on its way.
    func fallSilent() {
        self.isSilent = true
        self.network.trace("\(self.sockets[.client].label): falls silent")
        self.guardAgainstSilence(.client)
        self.guardAgainstSilence(.server)
    }

    /// A reset reaches the end.
    func resetArrived(at side: Side) {
        guard !self.ends[side].isDead, !self.isOver else { return }
        self.network.trace("\(self.sockets[side].label): reset arrives")
        let isCloseWait =
            self.directions[side.other].fin >= .arrived && !self.ends[side].sendingEnded
        self.directions[side.other].cut()
        self.kill(side, error: isCloseWait ? .brokenPipe : .connectionReset)
    }

    /// Ends the end, and has its process told by `error` if there is one.
    func kill(_ side: Side, error: SystemError?) {
        self.dismissGuard(side)
        self.ends[side].isDead = true
        self.ends[side].sendingEnded = true
        self.ends[side].receivingEnded = true
        let socket = self.sockets[side]
        guard !socket.isClosed else { return }
        if let error { socket.pendingError = error }
        socket.wake(nil)
    }

    /// Whether both ends have ended their streams and know it.
    var isOver: Bool {
        self.directions[.client].fin == .acknowledged
            && self.directions[.server].fin == .acknowledged
    }

    /// Linux calls a socket writable when a third of its buffer is free (`sk_stream_is_writeable`).
    private func hasRoom(_ side: Side) -> Bool {
        let used = self.directions[side].written - self.directions[side].acknowledged
        return used * 3 <= self.sockets[side].sendBufferSize * 2
    }

    /// Wakes a writer that met a full buffer, if there is room now.
    func wakeWriter(_ side: Side) {
        let socket = self.sockets[side]
        guard socket.waitsForRoom, self.hasRoom(side) else { return }
        socket.waitsForRoom = false
        socket.wake(.writable)
    }
}

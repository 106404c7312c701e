import RelayEngine

/// What one end of a unix connection has written and the other has not read: messages, each of which
/// costs the writer memory until its last byte is read.
struct UnixQueue {
    private var bytes = ByteQueue()
    /// The messages: bytes left to read, and memory.
    private var messages: [(left: Int, memory: Int)] = []
    /// What the messages cost the writer, which is what fills its buffer and what `SIOCOUTQ` gives.
    private(set) var memory = 0

    /// Bytes of one message at most; longer writes are several.
    private static let messageBytesMax = 32_768
    /// What a message costs beside its bytes.
    private static let overhead = 768

    /// How many bytes can be read.
    var readable: Int { self.bytes.count }

    /// Appends what fits into `limit` of memory; tells how many bytes that was.
    ///
    /// A message is begun while any memory is left, and may exceed it.
    mutating func write(_ new: ArraySlice<UInt8>, limit: Int) -> Int {
        var rest = new
        while !rest.isEmpty, self.memory < limit {
            let message = rest.prefix(Self.messageBytesMax)
            let memory = message.count + Self.overhead
            self.bytes.append(message)
            self.messages.append((message.count, memory))
            self.memory += memory
            rest = rest.dropFirst(message.count)
        }
        return new.count - rest.count
    }

    /// Takes the first `count` bytes, at most `readable`; tells whether that has freed memory.
    mutating func take(_ count: Int) -> (bytes: ArraySlice<UInt8>, freesMemory: Bool) {
        var left = count
        var finished = 0
        while left > 0, finished < self.messages.count {
            let part = min(left, self.messages[finished].left)
            self.messages[finished].left -= part
            left -= part
            guard self.messages[finished].left == 0 else { break }
            self.memory -= self.messages[finished].memory
            finished += 1
        }
        self.messages.removeFirst(finished)
        return (self.bytes.take(count), finished > 0)
    }

    /// Drops everything, because nobody will read it.
    mutating func clear() {
        self = UnixQueue()
    }
}

/// A connection of two unix sockets (unix(7)): no wire, the writer fills the reader's queue.
///
/// The rules of Linux 6.x that it keeps (net/unix/af_unix.c): a close ends both directions of both
/// ends at once; with unread bytes it is `ECONNRESET` for the other, which loses nothing that it was
/// sent; a writer is woken for every message read while its buffer is at most a quarter full.
///
/// Unlike Linux: a message costs its bytes and a constant.
final class UnixConnection: Connection {
    private let network: Network
    /// The sockets; they stay while the connection does, closed or not.
    private let sockets: PerSide<SimulatedSocket>
    /// What each end has written.
    private var queues = PerSide(client: UnixQueue(), server: UnixQueue())
    /// Which directions are over for the process of the end.
    private var ended = PerSide(client: Ended(), server: Ended())

    private struct Ended {
        var sending = false
        var receiving = false
    }

    init(network: Network, client: SimulatedSocket, server: SimulatedSocket) {
        self.network = network
        self.sockets = PerSide(client: client, server: server)
    }

    func readiness(of side: Side) -> EpollEvents {
        var events: EpollEvents = []
        let ended = self.ended[side]
        if ended.sending && ended.receiving { events.formUnion(.hangUp) }
        if ended.receiving { events.formUnion([.readable, .peerHangUp]) }
        if self.queues[side.other].readable > 0 { events.formUnion(.readable) }
        if self.hasRoom(side) { events.formUnion(.writable) }
        return events
    }

    func receive(at side: Side, _ limit: Int) -> Result<ArraySlice<UInt8>, SystemError> {
        if limit == 0 { return .success([]) }
        let readable = self.queues[side.other].readable
        if readable > 0 {
            let (bytes, freesMemory) = self.queues[side.other].take(
                self.network.readSize(min(readable, limit))
            )
            if freesMemory && self.hasRoom(side.other) {
                self.sockets[side.other].wake(.writable)
            }
            return .success(bytes)
        }
        if let error = self.sockets[side].takeError() { return .failure(error) }
        return self.ended[side].receiving ? .success([]) : .failure(.tryAgain)
    }

    func send(from side: Side, _ bytes: ArraySlice<UInt8>) -> SystemResult {
        if self.ended[side].sending || self.ended[side.other].receiving {
            return SystemResult(failure: .brokenPipe)
        }
        let limit = self.sockets[side].sendBufferSize
        let count = self.queues[side].write(
            bytes.prefix(self.network.writeSize(bytes.count)),
            limit: limit
        )
        if count == 0 && !bytes.isEmpty { return SystemResult(failure: .tryAgain) }
        self.sockets[side.other].wake(.readable)
        return SystemResult(count)
    }

    func shutdownOutput(of side: Side) -> SystemResult {
        self.ended[side].sending = true
        self.ended[side.other].receiving = true
        self.sockets[side].wake(nil)
        self.sockets[side.other].wake(nil)
        return .success
    }

    func close(_ side: Side) {
        let unread = self.queues[side.other].readable > 0
        self.disconnect(side, losingData: unread)
    }

    /// The listener closed before the server's end was accepted.
    func closeUnaccepted() {
        self.disconnect(.server, losingData: true)
    }

    func bytesUnacknowledged(from side: Side) -> Int {
        self.queues[side].memory
    }

    private func disconnect(_ side: Side, losingData: Bool) {
        self.queues[side.other].clear()
        self.ended[side] = Ended(sending: true, receiving: true)
        let peer = self.sockets[side.other]
        guard !peer.isClosed else { return }
        self.ended[side.other] = Ended(sending: true, receiving: true)
        if losingData { peer.pendingError = .connectionReset }
        peer.wake(nil)
    }

    /// Linux calls a unix socket writable while a quarter of its buffer is in use.
    private func hasRoom(_ side: Side) -> Bool {
        self.queues[side].memory * 4 <= self.sockets[side].sendBufferSize
    }
}

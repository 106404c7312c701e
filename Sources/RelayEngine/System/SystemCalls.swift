/// The seam under the engine: one method per system call, and nothing of relay above or below it.
///
/// The engine calls the system through an instance of a subclass: `LinuxSystemCalls`, or a simulated
/// system in tests. It is `open`, as is every type in its signatures, because Swift lets no class be
/// subclassed outside its module otherwise; nothing outside this package sees it.
///
/// All descriptors are non-blocking and close-on-exec. Results are values; nothing is retried here
/// except that an implementation may hide `EINTR`.
///
/// **Threads**: every method may be called from any thread at any time (`@unchecked Sendable`: the
/// Linux one has no state; the simulated one runs on one thread).
open class SystemCalls: @unchecked Sendable {
    /// For subclasses; the methods of this class itself must not be reached.
    public init() {}

    // MARK: Sockets

    /// socket(2) of a stream for addresses of `family`.
    open func socket(_ family: SocketFamily) -> SystemResult { self.missing() }

    /// bind(2).
    ///
    /// A unix path longer than 107 bytes is `EINVAL`.
    open func bind(_ descriptor: Descriptor, to address: SocketAddress) -> SystemResult {
        self.missing()
    }

    /// listen(2).
    open func listen(_ descriptor: Descriptor, backlog: Int32) -> SystemResult { self.missing() }

    /// accept4(2): the new descriptor and its peer, or the error.
    open func accept(_ descriptor: Descriptor) -> (result: SystemResult, peer: SocketAddress) {
        self.missing()
    }

    /// connect(2): success, or `EINPROGRESS` and an event when it is decided.
    open func connect(_ descriptor: Descriptor, to address: SocketAddress) -> SystemResult {
        self.missing()
    }

    /// getsockname(2); nil on failure.
    open func localAddress(_ descriptor: Descriptor) -> SocketAddress? { self.missing() }

    /// recv(2) without flags, up to `buffer.count` bytes; 0 is the end of the peer's stream.
    open func receive(
        _ descriptor: Descriptor,
        into buffer: inout MutableSpan<UInt8>
    )
        -> SystemResult
    {
        self.missing()
    }

    /// send(2) with `MSG_NOSIGNAL`: how many bytes the kernel took.
    open func send(_ descriptor: Descriptor, _ bytes: Span<UInt8>) -> SystemResult {
        self.missing()
    }

    /// sendmsg(2) with `MSG_NOSIGNAL`, gathering at most `OutputPart.gatheredMax` parts.
    open func send(_ descriptor: Descriptor, gathering parts: Span<OutputPart>) -> SystemResult {
        self.missing()
    }

    /// shutdown(2) of the sending side: FIN follows what was written.
    open func shutdownOutput(_ descriptor: Descriptor) -> SystemResult { self.missing() }

    /// close(2).
    ///
    /// The descriptor is gone afterwards, whatever the result.
    open func close(_ descriptor: Descriptor) -> SystemResult { self.missing() }

    /// setsockopt(2).
    open func setOption(
        _ option: SocketOption,
        of descriptor: Descriptor,
        to value: Int32
    )
        -> SystemResult
    {
        self.missing()
    }

    /// getsockopt(2) of `SO_ERROR`, which clears it: 0 or an error number, or why the call failed.
    open func takeSocketError(_ descriptor: Descriptor) -> SystemResult { self.missing() }

    /// ioctl(2) `SIOCOUTQ`: on TCP, the bytes written and not yet acknowledged by the peer's kernel,
    /// own FIN included; on a unix socket, the memory of what the peer has not read (never less than
    /// its bytes, and 0 when all is read).
    open func bytesUnacknowledged(_ descriptor: Descriptor) -> SystemResult { self.missing() }

    // MARK: Unix socket files

    /// unlink(2).
    open func removeFile(_ path: String) -> SystemResult { self.missing() }

    /// chmod(2).
    open func setMode(_ mode: UInt32, ofFile path: String) -> SystemResult { self.missing() }

    /// Whether lstat(2) finds a socket at `path`: 1 or 0, or why the call failed.
    open func isSocketFile(_ path: String) -> SystemResult { self.missing() }

    // MARK: Events

    /// epoll_create1(2).
    open func createEpoll() -> SystemResult { self.missing() }

    /// epoll_ctl(2) `EPOLL_CTL_ADD`.
    ///
    /// `token` comes back with every event.
    open func epollAdd(
        _ epoll: Descriptor,
        _ descriptor: Descriptor,
        _ events: EpollEvents,
        token: UInt64
    ) -> SystemResult {
        self.missing()
    }

    /// epoll_ctl(2) `EPOLL_CTL_DEL`.
    open func epollRemove(_ epoll: Descriptor, _ descriptor: Descriptor) -> SystemResult {
        self.missing()
    }

    /// epoll_wait(2): fills `events` from the front and gives the number filled.
    ///
    /// Waits at most `milliseconds` (0 polls, -1 waits for ever). May give no event early.
    open func epollWait(
        _ epoll: Descriptor,
        into events: inout MutableSpan<EpollEvent>,
        milliseconds: Int32
    ) -> SystemResult {
        self.missing()
    }

    /// eventfd(2), counter 0.
    open func createEventDescriptor() -> SystemResult { self.missing() }

    /// write(2) of a 1 to an eventfd: an event for everyone who has it in an epoll, edge-triggered
    /// too.
    open func signalEvent(_ descriptor: Descriptor) -> SystemResult { self.missing() }

    /// signalfd(2) for `signals`, which are blocked in the calling thread and those it starts later.
    open func createSignalDescriptor(_ signals: [Int32]) -> SystemResult { self.missing() }

    /// read(2) of one signal from a signalfd: its number, or `EAGAIN`.
    open func readSignal(_ descriptor: Descriptor) -> SystemResult { self.missing() }

    // MARK: Clocks and chance

    /// clock_gettime(2) `CLOCK_MONOTONIC`.
    open func monotonicTime() -> MonotonicTime { self.missing() }

    /// clock_gettime(2) `CLOCK_REALTIME`.
    open func wallTime() -> WallTime { self.missing() }

    /// getrandom(2): fills all of `buffer` with bytes that nobody can guess.
    open func fillWithRandomBytes(_ buffer: inout MutableSpan<UInt8>) { self.missing() }

    // MARK: Memory

    /// Bytes of memory that the process has to itself; nil if that cannot be told.
    open func memoryBytesUsed() -> Int? { self.missing() }

    /// malloc_trim(3): gives memory back that malloc keeps for later.
    ///
    /// Blocks for milliseconds; called by workers only.
    open func returnUnusedMemory() { self.missing() }

    // MARK: What blocks

    /// getaddrinfo(3): the addresses of `host`, port 0, best first.
    ///
    /// Blocks; called by workers only.
    open func lookUp(_ host: String) -> NameLookup { self.missing() }

    /// pthread_create(3): runs `body` on a thread of its own, named `name` (15 bytes at most).
    ///
    /// The simulated system has no threads and refuses.
    open func startThread(
        named name: String,
        _ body: @escaping @Sendable () -> Void
    )
        -> SystemResult
    {
        self.missing()
    }

    /// Begins to serve a pool of workers: called once, before the first job.
    ///
    /// Linux: starts `pool.threads` threads that call `pool.serve()`. Simulated: remembers it.
    open func startWorkers(_ pool: WorkerPool) { self.missing() }

    /// A job was added to `pool`.
    ///
    /// Linux: wakes one of its threads. Simulated: calls `pool.runNext()` now or at a later virtual
    /// time, once per job.
    open func jobAdded(to pool: WorkerPool) { self.missing() }

    private func missing() -> Never {
        preconditionFailure("\(type(of: self)) lacks a system call")
    }
}

/// The kind of a stream socket.
public enum SocketFamily: Sendable {
    /// TCP over IPv4.
    case v4
    /// TCP over IPv6.
    case v6
    /// A unix socket.
    case unix
}

/// The socket options that the engine sets.
public enum SocketOption: Sendable {
    /// `TCP_NODELAY`: send small writes at once.
    case noDelay
    /// `SO_REUSEADDR`: bind although old connections of the address are in TIME_WAIT.
    case reuseAddress
    /// `SO_REUSEPORT`: bind although another socket with this option has the address.
    case reusePort
    /// `IPV6_V6ONLY`: leave IPv4 to others.
    case onlyV6
    /// `SO_LINGER` on with 0 seconds if the value is 1: close(2) resets the connection.
    case resetOnClose
    /// `SO_KEEPALIVE`.
    case keepAlive
    /// `TCP_KEEPIDLE`, seconds.
    case keepAliveIdle
    /// `TCP_KEEPINTVL`, seconds.
    case keepAliveInterval
    /// `TCP_KEEPCNT`.
    case keepAliveProbes
    /// `TCP_USER_TIMEOUT`, milliseconds: how long sent bytes may stay unacknowledged.
    case userTimeout
    /// `SO_SNDBUF`, bytes.
    case sendBufferSize
    /// `SO_RCVBUF`, bytes.
    case receiveBufferSize
}

/// What epoll is asked for and what it reports (epoll_ctl(2)).
public struct EpollEvents: OptionSet, Hashable, Sendable {
    /// The kernel's bits.
    public let rawValue: UInt32

    /// Events of the kernel's bits.
    public init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// `EPOLLIN`: there is something to read or accept, or the peer's stream has ended.
    public static let readable = EpollEvents(rawValue: 0x001)
    /// `EPOLLOUT`: there is room to write.
    public static let writable = EpollEvents(rawValue: 0x004)
    /// `EPOLLERR`: the socket has an error; reported without being asked for.
    public static let error = EpollEvents(rawValue: 0x008)
    /// `EPOLLHUP`: both directions are over; reported without being asked for.
    public static let hangUp = EpollEvents(rawValue: 0x010)
    /// `EPOLLRDHUP`: the peer shut down its sending side.
    public static let peerHangUp = EpollEvents(rawValue: 0x2000)
    /// `EPOLLEXCLUSIVE`: wake one of the epolls that hold this descriptor, not all.
    public static let exclusive = EpollEvents(rawValue: 1 << 28)
    /// `EPOLLET`: report changes, not states.
    public static let edgeTriggered = EpollEvents(rawValue: 1 << 31)
}

/// One event that epoll reported.
///
/// Laid out as the kernel's `struct epoll_event`, so that nothing is converted: 12 bytes on x86-64,
/// where it is packed, and 16 elsewhere.
public struct EpollEvent: Hashable, Sendable, BitwiseCopyable {
    private var bits: UInt32
    #if !arch(x86_64)
    private var padding: UInt32 = 0
    #endif
    private var tokenLow: UInt32
    private var tokenHigh: UInt32

    /// An event `events` of what was registered with `token`.
    public init(events: EpollEvents, token: UInt64) {
        self.bits = events.rawValue
        self.tokenLow = UInt32(truncatingIfNeeded: token)
        self.tokenHigh = UInt32(truncatingIfNeeded: token >> 32)
    }

    /// What happened.
    public var events: EpollEvents { EpollEvents(rawValue: self.bits) }

    /// What the descriptor was registered with.
    public var token: UInt64 { UInt64(self.tokenHigh) << 32 | UInt64(self.tokenLow) }
}

/// What a name means.
public enum NameLookup: Hashable, Sendable {
    /// The addresses with port 0, best first; never empty.
    case addresses([SocketAddress])
    /// No address, and the resolver's sentence why.
    case failure(String)
}

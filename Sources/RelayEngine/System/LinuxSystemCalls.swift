import CLinux
import Glibc

/// The system calls of the Linux that the process runs on.
///
/// Each method is one call; `unsafe` marks where memory is shown to the kernel, which keeps no
/// pointer beyond the call.
package class LinuxSystemCalls: SystemCalls, @unchecked Sendable {
    /// The system; has no state, any number of instances are the same.
    package override init() {}

    // MARK: Sockets

    package override func socket(_ family: SocketFamily) -> SystemResult {
        let domain =
            switch family {
            case .v4: AF_INET
            case .v6: AF_INET6
            case .unix: AF_UNIX
            }
        let type = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        return result(Int(Glibc.socket(domain, type, 0)))
    }

    package override func bind(
        _ descriptor: Descriptor,
        to address: SocketAddress
    )
        -> SystemResult
    {
        unsafe address.withSocketAddress { pointer, length in
            unsafe Int(Glibc.bind(descriptor, pointer, length))
        }
    }

    package override func listen(_ descriptor: Descriptor, backlog: Int32) -> SystemResult {
        result(Int(Glibc.listen(descriptor, backlog)))
    }

    package override func accept(
        _ descriptor: Descriptor
    )
        -> (result: SystemResult, peer: SocketAddress)
    {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let accepted = repeatingIfInterrupted {
            unsafe withUnsafeMutablePointer(to: &storage) { pointer in
                unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                    unsafe Int(relay_accept(descriptor, generic, &length))
                }
            }
        }
        return (accepted, SocketAddress(storage, length: length))
    }

    package override func connect(
        _ descriptor: Descriptor,
        to address: SocketAddress
    )
        -> SystemResult
    {
        unsafe address.withSocketAddress { pointer, length in
            unsafe Int(Glibc.connect(descriptor, pointer, length))
        }
    }

    package override func localAddress(_ descriptor: Descriptor) -> SocketAddress? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let status = unsafe withUnsafeMutablePointer(to: &storage) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                unsafe getsockname(descriptor, generic, &length)
            }
        }
        return status == 0 ? SocketAddress(storage, length: length) : nil
    }

    package override func receive(
        _ descriptor: Descriptor,
        into buffer: inout MutableSpan<UInt8>
    ) -> SystemResult {
        unsafe buffer.withUnsafeMutableBytes { bytes in
            repeatingIfInterrupted { unsafe recv(descriptor, bytes.baseAddress, bytes.count, 0) }
        }
    }

    package override func send(_ descriptor: Descriptor, _ bytes: Span<UInt8>) -> SystemResult {
        unsafe bytes.withUnsafeBytes { bytes in
            repeatingIfInterrupted {
                unsafe Glibc.send(
                    descriptor,
                    bytes.baseAddress,
                    bytes.count,
                    Int32(MSG_NOSIGNAL)
                )
            }
        }
    }

    package override func send(
        _ descriptor: Descriptor,
        gathering parts: Span<OutputPart>
    )
        -> SystemResult
    {
        let count = min(parts.count, OutputPart.gatheredMax)
        return unsafe withUnsafeTemporaryAllocation(of: iovec.self, capacity: count) { vectors in
            for index in 0..<count {
                unsafe vectors.initializeElement(at: index, to: parts[index].vector)
            }
            var message = unsafe msghdr()
            unsafe message.msg_iov = vectors.baseAddress
            unsafe message.msg_iovlen = count
            return repeatingIfInterrupted {
                unsafe sendmsg(descriptor, &message, Int32(MSG_NOSIGNAL))
            }
        }
    }

    package override func shutdownOutput(_ descriptor: Descriptor) -> SystemResult {
        result(Int(shutdown(descriptor, Int32(SHUT_WR))))
    }

    package override func close(_ descriptor: Descriptor) -> SystemResult {
        result(Int(Glibc.close(descriptor)))
    }

    package override func setOption(
        _ option: SocketOption,
        of descriptor: Descriptor,
        to value: Int32
    ) -> SystemResult {
        if option == .resetOnClose {
            var linger = linger(l_onoff: value, l_linger: 0)
            return result(
                Int(
                    unsafe setsockopt(
                        descriptor,
                        SOL_SOCKET,
                        SO_LINGER,
                        &linger,
                        socklen_t(MemoryLayout<linger>.size)
                    )
                )
            )
        }
        var value = value
        let (level, name) = option.levelAndName
        return result(
            Int(
                unsafe setsockopt(
                    descriptor,
                    level,
                    name,
                    &value,
                    socklen_t(MemoryLayout<Int32>.size)
                )
            )
        )
    }

    package override func takeSocketError(_ descriptor: Descriptor) -> SystemResult {
        var code: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        let status = unsafe getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &length)
        return status == 0 ? SystemResult(Int(code)) : result(-1)
    }

    package override func bytesUnacknowledged(_ descriptor: Descriptor) -> SystemResult {
        var count: Int32 = 0
        let status = unsafe relay_ioctl_int(descriptor, UInt(SIOCOUTQ), &count)
        return status == 0 ? SystemResult(Int(max(count, 0))) : result(-1)
    }

    // MARK: Unix socket files

    package override func removeFile(_ path: String) -> SystemResult {
        unsafe result(Int(unlink(path)))
    }

    package override func setMode(_ mode: UInt32, ofFile path: String) -> SystemResult {
        unsafe result(Int(chmod(path, mode)))
    }

    package override func isSocketFile(_ path: String) -> SystemResult {
        var status = stat()
        guard unsafe lstat(path, &status) == 0 else { return result(-1) }
        return SystemResult(status.st_mode & S_IFMT == S_IFSOCK ? 1 : 0)
    }

    // MARK: Events

    package override func createEpoll() -> SystemResult {
        result(Int(epoll_create1(Int32(EPOLL_CLOEXEC))))
    }

    package override func epollAdd(
        _ epoll: Descriptor,
        _ descriptor: Descriptor,
        _ events: EpollEvents,
        token: UInt64
    ) -> SystemResult {
        var event = unsafe epoll_event(events: events.rawValue, data: epoll_data_t(u64: token))
        return result(Int(unsafe epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event)))
    }

    package override func epollRemove(
        _ epoll: Descriptor,
        _ descriptor: Descriptor
    )
        -> SystemResult
    {
        result(Int(epoll_ctl(epoll, EPOLL_CTL_DEL, descriptor, nil)))
    }

    package override func epollWait(
        _ epoll: Descriptor,
        into events: inout MutableSpan<EpollEvent>,
        milliseconds: Int32
    ) -> SystemResult {
        unsafe assert(MemoryLayout<EpollEvent>.stride == MemoryLayout<epoll_event>.stride)
        return unsafe events.withUnsafeMutableBytes { bytes in
            // `EpollEvent` has the kernel's layout.
            let records = unsafe bytes.baseAddress?.assumingMemoryBound(to: epoll_event.self)
            let capacity = Int32(clamping: bytes.count / MemoryLayout<EpollEvent>.stride)
            let count = unsafe epoll_wait(epoll, records, capacity, milliseconds)
            if count < 0, errno == EINTR { return SystemResult(0) }
            return result(Int(count))
        }
    }

    package override func createEventDescriptor() -> SystemResult {
        result(Int(eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))))
    }

    package override func signalEvent(_ descriptor: Descriptor) -> SystemResult {
        var one: UInt64 = 1
        return result(unsafe write(descriptor, &one, MemoryLayout<UInt64>.size))
    }

    package override func createSignalDescriptor(_ signals: [Int32]) -> SystemResult {
        var set = sigset_t()
        unsafe sigemptyset(&set)
        for signal in signals {
            unsafe sigaddset(&set, signal)
        }
        unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
        let flags = Int32(SFD_CLOEXEC | SFD_NONBLOCK)
        return result(Int(unsafe signalfd(-1, &set, flags)))
    }

    package override func readSignal(_ descriptor: Descriptor) -> SystemResult {
        var record = signalfd_siginfo()
        let size = MemoryLayout<signalfd_siginfo>.size
        let count = repeatingIfInterrupted { unsafe read(descriptor, &record, size) }
        if count.error != nil { return count }
        return count.value == size
            ? SystemResult(Int(record.ssi_signo)) : SystemResult(failure: .tryAgain)
    }

    // MARK: Clocks and chance

    package override func monotonicTime() -> MonotonicTime {
        MonotonicTime(nanoseconds: nanoseconds(of: CLOCK_MONOTONIC))
    }

    package override func wallTime() -> WallTime {
        WallTime(nanoseconds: nanoseconds(of: CLOCK_REALTIME))
    }

    package override func fillWithRandomBytes(_ buffer: inout MutableSpan<UInt8>) {
        unsafe buffer.withUnsafeMutableBytes { bytes in
            var filled = 0
            while filled < bytes.count {
                let count = unsafe getrandom(
                    bytes.baseAddress.map { unsafe $0 + filled },
                    bytes.count - filled,
                    0
                )
                // getrandom(2) fails only when interrupted, or before the first entropy of a boot.
                precondition(count >= 0 || errno == EINTR, "getrandom(2) failed")
                filled += max(count, 0)
            }
        }
    }

    // MARK: What blocks

    package override func memoryBytesUsed() -> Int? { MachineMemory.bytesUsed }

    package override func returnUnusedMemory() { malloc_trim(0) }

    package override func lookUp(_ host: String) -> NameLookup {
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        unsafe hints.ai_flags = AI_ADDRCONFIG
        var list: UnsafeMutablePointer<addrinfo>?
        let status = unsafe getaddrinfo(host, nil, &hints, &list)
        guard status == 0 else {
            return .failure(unsafe gai_strerror(status).map { unsafe String(cString: $0) } ?? "")
        }
        defer { unsafe freeaddrinfo(list) }
        var addresses: [SocketAddress] = []
        var next = unsafe list
        while let entry = unsafe next {
            if let generic = unsafe entry.pointee.ai_addr {
                let length = unsafe min(
                    Int(entry.pointee.ai_addrlen),
                    MemoryLayout<sockaddr_storage>.size
                )
                var storage = sockaddr_storage()
                unsafe withUnsafeMutableBytes(of: &storage) {
                    unsafe $0.copyMemory(
                        from: UnsafeRawBufferPointer(start: generic, count: length)
                    )
                }
                let address = SocketAddress(storage, length: socklen_t(length))
                if !addresses.contains(address) { addresses.append(address) }
            }
            unsafe next = entry.pointee.ai_next
        }
        return addresses.isEmpty ? .failure("the name has no address") : .addresses(addresses)
    }

    package override func startThread(
        named name: String,
        _ body: @escaping @Sendable () -> Void
    ) -> SystemResult {
        // Signals to the process are the main thread's; a new thread inherits what is blocked. Those that
        // are about its own faults stay, so that a crash is reported.
        var blocked = sigset_t()
        var before = sigset_t()
        unsafe sigfillset(&blocked)
        for fault in [SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS] {
            unsafe sigdelset(&blocked, fault)
        }
        unsafe pthread_sigmask(SIG_BLOCK, &blocked, &before)
        defer { _ = unsafe pthread_sigmask(SIG_SETMASK, &before, nil) }

        let start = unsafe Unmanaged.passRetained(ThreadBody(body))
        var thread = pthread_t()
        let status = unsafe pthread_create(
            &thread,
            nil,
            { argument in
                if let argument = unsafe argument {
                    unsafe Unmanaged<ThreadBody>.fromOpaque(argument).takeRetainedValue().body()
                }
                return nil
            },
            unsafe start.toOpaque()
        )
        guard status == 0 else {
            unsafe start.release()
            return SystemResult(failure: SystemError(code: status))
        }
        unsafe relay_name_thread(thread, String(name.prefix(15)))
        pthread_detach(thread)
        return .success
    }

    package override func startWorkers(_ pool: WorkerPool) {
        for _ in 0..<pool.threads {
            let started = self.startThread(named: pool.name) { pool.serve() }
            precondition(started.isSuccess, "a worker thread could not be started")
        }
    }

    package override func jobAdded(to pool: WorkerPool) {
        pool.wakeOne()
    }
}

/// Carries a closure through the `void *` of pthread_create(3).
private final class ThreadBody: Sendable {
    let body: @Sendable () -> Void

    init(_ body: @escaping @Sendable () -> Void) {
        self.body = body
    }
}

/// What a call that returned `value` gave: the value, or errno if it is negative.
func result(_ value: Int) -> SystemResult {
    value >= 0 ? SystemResult(value) : SystemResult(failure: SystemError(code: errno))
}

/// Makes a call until no signal interrupts it.
@inline(__always)
private func repeatingIfInterrupted(_ call: () -> Int) -> SystemResult {
    while true {
        let value = call()
        if value >= 0 { return SystemResult(value) }
        let code = errno
        if code != EINTR { return SystemResult(failure: SystemError(code: code)) }
    }
}

/// What a clock says.
private func nanoseconds(of clock: clockid_t) -> Int64 {
    var time = timespec()
    unsafe clock_gettime(clock, &time)
    return Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
}

extension SocketOption {
    /// The arguments of setsockopt(2).
    fileprivate var levelAndName: (Int32, Int32) {
        let tcp = Int32(IPPROTO_TCP)
        return switch self {
        case .noDelay: (tcp, TCP_NODELAY)
        case .reuseAddress: (SOL_SOCKET, SO_REUSEADDR)
        case .reusePort: (SOL_SOCKET, SO_REUSEPORT)
        case .onlyV6: (Int32(IPPROTO_IPV6), IPV6_V6ONLY)
        case .resetOnClose: (SOL_SOCKET, SO_LINGER)
        case .keepAlive: (SOL_SOCKET, SO_KEEPALIVE)
        case .keepAliveIdle: (tcp, TCP_KEEPIDLE)
        case .keepAliveInterval: (tcp, TCP_KEEPINTVL)
        case .keepAliveProbes: (tcp, TCP_KEEPCNT)
        case .userTimeout: (tcp, TCP_USER_TIMEOUT)
        case .sendBufferSize: (SOL_SOCKET, SO_SNDBUF)
        case .receiveBufferSize: (SOL_SOCKET, SO_RCVBUF)
        }
    }
}

import Glibc

/// How reading from or writing to a stream can end.
enum StreamFailure: Error, Hashable {
    /// The peer has shut down its side.
    case ended
    /// The peer has reset the connection.
    case reset
    /// Nobody listens there.
    case refused
    /// The deadline came first.
    case timedOut
    /// Another `errno`.
    case other(Int32)
    /// What came is not HTTP.
    case malformed(String)

    /// The failure that an `errno` tells.
    static func of(_ code: Int32) -> StreamFailure {
        switch code {
        case ECONNRESET, EPIPE: .reset
        case ECONNREFUSED: .refused
        default: .other(code)
        }
    }
}

/// A TCP connection read and written with deadlines, by one thread.
final class SocketStream {
    let descriptor: Descriptor
    private var buffer: [UInt8] = []
    private var start = 0

    /// The stream over an accepted connection.
    init(_ descriptor: Descriptor) {
        self.descriptor = descriptor
        var on: Int32 = 1
        unsafe setsockopt(descriptor.value, Int32(IPPROTO_TCP), TCP_NODELAY, &on, 4)
    }

    /// Connects to `address`.
    ///
    /// A small `receiveBuffer` makes the kernel take little that the test does not read.
    convenience init(connectingTo address: Address, receiveBuffer: Int32? = nil) throws {
        let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        let descriptor = Descriptor(socket(AF_INET, type, 0))
        if var bytes = receiveBuffer {
            unsafe setsockopt(descriptor.value, SOL_SOCKET, SO_RCVBUF, &bytes, 4)
        }
        let number = descriptor.value
        guard unsafe address.withKernelForm({ unsafe connect(number, $0, $1) }) == 0 else {
            throw StreamFailure.of(errno)
        }
        self.init(descriptor)
    }

    /// Whether bytes, the end or an error can be read by `deadline`.
    func hasInput(by deadline: Deadline) -> Bool {
        self.start < self.buffer.count || self.descriptor.wait(for: POLLIN, until: deadline)
    }

    /// Sends all of `bytes`.
    func write(_ bytes: [UInt8], by deadline: Deadline = .usual) throws {
        var written = 0
        while written < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { buffer in
                unsafe send(
                    self.descriptor.value,
                    buffer.baseAddress?.advanced(by: written),
                    bytes.count - written,
                    Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT)
                )
            }
            if count >= 0 {
                written += count
            } else if errno == EAGAIN {
                guard self.descriptor.wait(for: POLLOUT, until: deadline) else {
                    throw StreamFailure.timedOut
                }
            } else if errno != EINTR {
                throw StreamFailure.of(errno)
            }
        }
    }

    /// Reads what is there, at least a byte; false at the end.
    @discardableResult
    func fill(by deadline: Deadline = .usual) throws -> Bool {
        guard self.descriptor.wait(for: POLLIN, until: deadline) else {
            throw StreamFailure.timedOut
        }
        if self.start == self.buffer.count {
            self.buffer.removeAll(keepingCapacity: true)
            self.start = 0
        }
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        let count = unsafe chunk.withUnsafeMutableBytes { buffer in
            unsafe recv(self.descriptor.value, buffer.baseAddress, buffer.count, 0)
        }
        guard count >= 0 else { throw StreamFailure.of(errno) }
        self.buffer += chunk[..<count]
        return count > 0
    }

    /// The next byte.
    func byte(by deadline: Deadline) throws -> UInt8 {
        while self.start == self.buffer.count {
            guard try self.fill(by: deadline) else { throw StreamFailure.ended }
        }
        self.start += 1
        return self.buffer[self.start - 1]
    }

    /// The next `count` bytes.
    func bytes(_ count: Int, by deadline: Deadline) throws -> [UInt8] {
        while self.buffer.count - self.start < count {
            guard try self.fill(by: deadline) else { throw StreamFailure.ended }
        }
        defer { self.start += count }
        return Array(self.buffer[self.start..<self.start + count])
    }

    /// All bytes to the end.
    func rest(by deadline: Deadline = .usual) throws -> [UInt8] {
        while try self.fill(by: deadline) {}
        defer { self.start = self.buffer.count }
        return Array(self.buffer[self.start...])
    }

    /// Whether the peer ends the connection, without another byte.
    func hasEnded(by deadline: Deadline = .usual) throws -> Bool {
        do {
            return try self.rest(by: deadline).isEmpty
        } catch StreamFailure.reset {
            return true
        }
    }

    /// Sends FIN, and goes on reading.
    func finish() { _ = shutdown(self.descriptor.value, Int32(SHUT_WR)) }

    /// Ends the connection both ways.
    func shutDown() { _ = shutdown(self.descriptor.value, Int32(SHUT_RDWR)) }

    /// Closes; the kernel sends FIN, or RST if something is unread.
    func close() { self.descriptor.close() }

    /// Closes with RST.
    func reset() {
        var linger = Glibc.linger(l_onoff: 1, l_linger: 0)
        let size = socklen_t(MemoryLayout<Glibc.linger>.size)
        unsafe setsockopt(self.descriptor.value, SOL_SOCKET, SO_LINGER, &linger, size)
        self.descriptor.close()
    }
}

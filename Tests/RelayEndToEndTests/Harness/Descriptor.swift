import Glibc
import Synchronization

/// An open file of this process; closed with its last owner, if not before.
final class Descriptor: Sendable {
    private let number: Atomic<Int32>

    init(_ number: Int32) { self.number = Atomic(number) }

    deinit { self.close() }

    /// The number for a system call; -1 once closed.
    var value: Int32 { self.number.load(ordering: .acquiring) }

    /// Closes it; again is nothing.
    func close() {
        let number = self.number.exchange(-1, ordering: .acquiringAndReleasing)
        if number >= 0 { _ = Glibc.close(number) }
    }

    /// Calls `body` while no process is being started and nobody else makes descriptors that a
    /// process would inherit before they are marked (pipe2(2) and accept4(2) are not in Glibc's
    /// module): else a socket would stay open in a process that knows nothing of it.
    static func withoutInheritance<Result>(
        _ body: () throws -> sending Result
    ) rethrows -> sending Result {
        try self.inheritance.withLock { _ in try body() }
    }

    private static let inheritance = Mutex<Void>(())

    /// Keeps processes that are started from now on from having the descriptor.
    static func closeOnExec(_ number: Int32) { _ = fcntl(number, F_SETFD, FD_CLOEXEC) }

    /// Waits for one of `events` of poll(2), an error or the end; false at the deadline.
    func wait(for events: Int32, until deadline: Deadline) -> Bool {
        while true {
            var entry = pollfd(fd: self.value, events: Int16(events), revents: 0)
            let count = unsafe poll(&entry, 1, deadline.millisecondsLeft)
            if count > 0 { return true }
            if count == 0, deadline.isOver { return false }
            if count < 0, errno != EINTR { return true }
        }
    }
}

/// A TCP socket that accepts.
final class ListeningSocket: Sendable {
    let address: Address
    private let descriptor: Descriptor

    init(_ address: Address, backlog: Int32 = 1024) throws {
        self.address = address
        let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        self.descriptor = Descriptor(socket(AF_INET, type, 0))
        var on: Int32 = 1
        unsafe setsockopt(self.descriptor.value, SOL_SOCKET, SO_REUSEADDR, &on, 4)
        let number = self.descriptor.value
        guard unsafe address.withKernelForm({ unsafe bind(number, $0, $1) }) == 0,
            listen(number, backlog) == 0
        else { throw Failure("cannot listen at \(address): \(errno)") }
    }

    /// The next connection; nil once `shutDown` was called.
    func accept() -> Descriptor? {
        while true {
            _ = self.descriptor.wait(for: POLLIN, until: .usual)
            let (number, code) = Descriptor.withoutInheritance {
                let number = Glibc.accept(self.descriptor.value, nil, nil)
                let code = errno
                if number >= 0 { Descriptor.closeOnExec(number) }
                return (number, code)
            }
            if number >= 0 { return Descriptor(number) }
            guard [EINTR, ECONNABORTED, EAGAIN].contains(code) else { return nil }
        }
    }

    /// Refuses connections from now on, and ends a blocked `accept`.
    func shutDown() {
        _ = shutdown(self.descriptor.value, Int32(SHUT_RDWR))
    }

    /// Frees the port.
    func close() { self.descriptor.close() }
}

import Glibc
import Synchronization

/// An IPv4 address and port.
struct Address: Hashable, Sendable, CustomStringConvertible {
    let host: String
    let port: UInt16

    var description: String { "\(self.host):\(self.port)" }

    /// Calls `body` with the form that the kernel takes.
    func withKernelForm<Result>(
        _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
    ) -> Result {
        var form = sockaddr_in()
        form.sin_family = sa_family_t(AF_INET)
        form.sin_port = self.port.bigEndian
        unsafe inet_pton(AF_INET, self.host, &form.sin_addr)
        let length = socklen_t(MemoryLayout<sockaddr_in>.size)
        return unsafe withUnsafePointer(to: &form) { pointer in
            // A sockaddr_in is one of the forms of a sockaddr.
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe body($0, length)
            }
        }
    }
}

/// An address of this machine that no other test has, so that every port of it is free.
///
/// All of 127.0.0.0/8 is loopback, and connections that leave from it leave from 127.0.0.1: no port
/// of another address of it is ever taken by chance. So tests run beside each other, and a backend
/// can come back at its old port.
struct LoopbackHost: Sendable {
    let text: String

    private static let next = Atomic<Int>(0)

    /// The next one.
    ///
    /// The process's id keeps two runs apart, a lock those that have the same one.
    static func unique() throws -> LoopbackHost {
        for _ in 0..<1000 {
            let count = Self.next.add(1, ordering: .relaxed).newValue
            let number = (Int(getpid()) &* 251 &+ count) & 0x7F_FFFF
            let text = "127.\(1 + number >> 16).\((number >> 8) & 0xFF).\(1 + number & 0x7F)"
            let lock = Address(host: text, port: 1024)
            guard let listener = try? ListeningSocket(lock) else { continue }
            Self.locks.withLock { $0.append(listener) }
            return LoopbackHost(text: text)
        }
        throw Failure("no free loopback address")
    }

    /// Keeps the addresses of this process out of the reach of other ones.
    private static let locks = Mutex<[ListeningSocket]>([])

    /// The address with `port`.
    func at(_ port: UInt16) -> Address { Address(host: self.text, port: port) }
}

import Glibc

/// A file descriptor of the process.
public typealias Descriptor = Int32

/// What a system call gave back: a count or descriptor, or the error number.
///
/// A value and not a thrown error, because `EAGAIN` on the hot path is no exception.
public struct SystemResult: Hashable, Sendable {
    /// The value if it is not negative, else the error number with its sign turned.
    private let raw: Int

    /// A call that succeeded with `value`, which is not negative.
    public init(_ value: Int) {
        assert(value >= 0, "a result is not negative")
        self.raw = value
    }

    /// A call that failed.
    public init(failure error: SystemError) {
        self.raw = -Int(error.code)
    }

    /// A call that succeeded and has nothing to say.
    public static var success: SystemResult { SystemResult(0) }

    /// Whether the call succeeded.
    public var isSuccess: Bool { self.raw >= 0 }

    /// The count or descriptor of a call that succeeded; 0 for one that failed.
    public var value: Int { max(self.raw, 0) }

    /// The descriptor that a call gave; -1 if it failed.
    public var descriptor: Descriptor {
        self.raw >= 0 ? Descriptor(truncatingIfNeeded: self.raw) : -1
    }

    /// Why the call failed; nil if it succeeded.
    public var error: SystemError? {
        self.raw >= 0 ? nil : SystemError(code: Int32(truncatingIfNeeded: -self.raw))
    }
}

/// An error number of the system (`errno`).
public struct SystemError: Hashable, Sendable, Error, CustomStringConvertible {
    /// The number, as errno(3) lists them.
    public let code: Int32

    /// The error with this number.
    public init(code: Int32) {
        self.code = code
    }

    /// The sentence that strerror(3) has for it, in lower case.
    public var description: String {
        var text = [CChar](repeating: 0, count: 128)
        guard unsafe strerror_r(self.code, &text, text.count) == 0 else {
            return "error \(self.code)"
        }
        return String(
            decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)),
            as: UTF8.self
        ).lowercased()
    }
}

extension SystemError {
    /// Nothing to read or no room to write at the moment.
    public static var tryAgain: SystemError { SystemError(code: EAGAIN) }
    /// A signal came first.
    public static var interrupted: SystemError { SystemError(code: EINTR) }
    /// A connect that goes on in the background.
    public static var inProgress: SystemError { SystemError(code: EINPROGRESS) }
    /// Nobody listens there.
    public static var connectionRefused: SystemError { SystemError(code: ECONNREFUSED) }
    /// The peer reset the connection.
    public static var connectionReset: SystemError { SystemError(code: ECONNRESET) }
    /// The connection was aborted before it was accepted.
    public static var connectionAborted: SystemError { SystemError(code: ECONNABORTED) }
    /// Writing to a connection whose other end is gone.
    public static var brokenPipe: SystemError { SystemError(code: EPIPE) }
    /// No answer in time.
    public static var timedOut: SystemError { SystemError(code: ETIMEDOUT) }
    /// Not connected.
    public static var notConnected: SystemError { SystemError(code: ENOTCONN) }
    /// The address is taken.
    public static var addressInUse: SystemError { SystemError(code: EADDRINUSE) }
    /// The process has no descriptor left.
    public static var tooManyFiles: SystemError { SystemError(code: EMFILE) }
    /// The machine has no descriptor left.
    public static var tooManyFilesInSystem: SystemError { SystemError(code: ENFILE) }
    /// The kernel has no buffer left.
    public static var noBuffers: SystemError { SystemError(code: ENOBUFS) }
    /// The kernel has no memory left.
    public static var noMemory: SystemError { SystemError(code: ENOMEM) }
    /// No such file.
    public static var noSuchFile: SystemError { SystemError(code: ENOENT) }
    /// The call is not one for this descriptor, or an argument is wrong.
    public static var invalidArgument: SystemError { SystemError(code: EINVAL) }
    /// Not a descriptor of this process.
    public static var badDescriptor: SystemError { SystemError(code: EBADF) }

    /// Whether descriptors or kernel memory ran out, which passes when something closes.
    public var isExhaustion: Bool {
        self == .tooManyFiles || self == .tooManyFilesInSystem || self == .noBuffers
            || self == .noMemory
    }
}

import CLinux
import Glibc

/// A run of bytes in a gathered send, valid only during the call that it is given to.
///
/// `@safe`: the pointer is private, was made from memory that the caller keeps alive during the
/// call, and is shown to a reader as a span that cannot escape.
@safe
public struct OutputPart {
    private let base: UnsafeRawPointer
    /// How many bytes it has.
    public let count: Int

    /// How many parts one call gathers at most.
    public static let gatheredMax = 16

    /// The `count` bytes at `base`, which stay where they are for as long as the part is used.
    @unsafe
    init(base: UnsafeRawPointer, count: Int) {
        unsafe self.base = base
        self.count = count
    }

    /// Shows the bytes to `body`.
    public func withBytes<Result>(_ body: (Span<UInt8>) -> Result) -> Result {
        let bytes = unsafe UnsafeRawBufferPointer(start: self.base, count: self.count)
        return unsafe body(Span(_unsafeBytes: bytes))
    }

    /// The part as the kernel takes it.
    @unsafe
    var vector: iovec {
        unsafe iovec(iov_base: UnsafeMutableRawPointer(mutating: self.base), iov_len: self.count)
    }
}

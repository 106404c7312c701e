/// Received bytes that a stream has offered and that were not taken: owned only while there are any.
///
/// `@safe`: the memory is private and lives as long as the value.
@safe
struct HeldBytes: ~Copyable {
    private var memory = unsafe UnsafeMutableBufferPointer<UInt8>(start: nil, count: 0)

    init() {}

    deinit {
        unsafe self.memory.deallocate()
    }

    /// How many there are.
    var count: Int { unsafe self.memory.count }

    /// Holds a copy of `bytes` from now on, in exactly as much memory.
    mutating func replace(with bytes: Span<UInt8>) {
        if bytes.count != self.count {
            unsafe self.memory.deallocate()
            unsafe self.memory =
                bytes.isEmpty
                ? UnsafeMutableBufferPointer(start: nil, count: 0)
                : .allocate(capacity: bytes.count)
        }
        unsafe bytes.withUnsafeBytes {
            unsafe UnsafeMutableRawBufferPointer(self.memory).copyMemory(from: $0)
        }
    }

    /// Holds nothing.
    mutating func removeAll() {
        unsafe self.memory.deallocate()
        unsafe self.memory = UnsafeMutableBufferPointer(start: nil, count: 0)
    }

    /// Shows them to `body`.
    func withBytes<Result>(_ body: (Span<UInt8>) -> Result) -> Result {
        let bytes = unsafe UnsafeBufferPointer(self.memory)
        return unsafe body(bytes.span)
    }
}

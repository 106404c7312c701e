/// The memory that a loop receives into: one for all its streams.
///
/// `@safe`: the memory is private, and spans of it live no longer than the call they are given to.
@safe
final class ReceiveBuffer {
    /// How many new bytes one call receives at most.
    static let receivedMax = 65_536

    private var memory = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: receivedMax)

    deinit {
        unsafe self.memory.deallocate()
    }

    /// Copies what a stream holds to the front, so that what comes next stands behind it.
    func load(_ held: borrowing HeldBytes) {
        self.reserve(held.count)
        held.withBytes { bytes in
            unsafe bytes.withUnsafeBytes {
                unsafe UnsafeMutableRawBufferPointer(self.memory).copyMemory(from: $0)
            }
        }
    }

    /// Receives behind the first `offset` bytes.
    @inline(__always)
    func receive(
        from descriptor: Descriptor,
        behind offset: Int,
        _ system: SystemCalls
    )
        -> SystemResult
    {
        if offset > 0 || self.isGrown {
            self.reserve(offset + ReceiveBuffer.receivedMax, keeping: offset)
        }
        let room = unsafe UnsafeMutableBufferPointer(
            rebasing: self.memory[offset..<(offset + ReceiveBuffer.receivedMax)]
        )
        var span = unsafe room.mutableSpan
        return system.receive(descriptor, into: &span)
    }

    /// Shows the first `count` bytes to `body`, which must not receive into the buffer.
    func withBytes<Result>(_ count: Int, _ body: (Span<UInt8>) -> Result) -> Result {
        let bytes = unsafe UnsafeBufferPointer(rebasing: self.memory[0..<count])
        return unsafe body(bytes.span)
    }

    private var isGrown: Bool { unsafe self.memory.count != ReceiveBuffer.receivedMax }

    /// Makes room for `capacity` bytes.
    ///
    /// Grows only for a stream that holds many bytes, and gives that back with the next one that
    /// does not.
    private func reserve(_ capacity: Int, keeping kept: Int = 0) {
        let present = unsafe self.memory.count
        let isEnough = present >= capacity
        if isEnough, present <= 4 * ReceiveBuffer.receivedMax { return }
        let wanted = max(capacity, ReceiveBuffer.receivedMax)
        if isEnough, present / 2 < wanted { return }
        let larger = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: wanted)
        if kept > 0 {
            unsafe UnsafeMutableRawBufferPointer(larger).copyMemory(
                from: UnsafeRawBufferPointer(
                    rebasing: UnsafeRawBufferPointer(self.memory)[0..<kept]
                )
            )
        }
        unsafe self.memory.deallocate()
        unsafe self.memory = larger
    }
}

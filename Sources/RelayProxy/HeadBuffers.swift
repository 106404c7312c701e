/// Buffers for the heads that are passed on, used again and again, so that a request on warm connections allocates
/// none.
///
/// Bound to its loop, as is the stage that has it.
final class HeadBuffers {
    private var free: [[UInt8]] = []

    /// More than are in use at a time in most seconds.
    private static let keptMax = 64
    /// A larger one would keep memory for a head that is rare.
    private static let bytesMax = 16 << 10

    /// An empty buffer, whose owner gives it back.
    func take() -> [UInt8] { self.free.popLast() ?? [] }

    /// Takes a buffer back, of which nobody else has a copy.
    func giveBack(_ buffer: inout [UInt8]) {
        guard self.free.count < Self.keptMax, buffer.capacity <= Self.bytesMax else { return }
        buffer.removeAll(keepingCapacity: true)
        // Moved in, because a copy would not be the only one.
        self.free.append([])
        swap(&self.free[self.free.count - 1], &buffer)
    }
}

@available(*, unavailable) extension HeadBuffers: Sendable {}

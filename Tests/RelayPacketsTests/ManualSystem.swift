import RelayEngine

/// A system without sockets, on which nothing happens but time, and that only when a test moves it.
///
/// Unlike the real one: there are no descriptors behind the numbers, no events ever come, and the
/// random bytes are all 7.
final class ManualSystem: SystemCalls, @unchecked Sendable {
    private var nanoseconds: Int64 = 1_000_000_000
    private var descriptor = 100

    /// Moves both clocks.
    func advance(_ duration: Duration) { self.nanoseconds += duration.wholeNanoseconds }

    override func createEpoll() -> SystemResult { self.next() }
    override func createEventDescriptor() -> SystemResult { self.next() }
    override func signalEvent(_ descriptor: Descriptor) -> SystemResult { .success }
    override func close(_ descriptor: Descriptor) -> SystemResult { .success }

    override func epollAdd(
        _ epoll: Descriptor,
        _ descriptor: Descriptor,
        _ events: EpollEvents,
        token: UInt64
    ) -> SystemResult { .success }

    override func epollRemove(_ epoll: Descriptor, _ descriptor: Descriptor) -> SystemResult {
        .success
    }

    override func epollWait(
        _ epoll: Descriptor,
        into events: inout MutableSpan<EpollEvent>,
        milliseconds: Int32
    ) -> SystemResult { .success }

    override func monotonicTime() -> MonotonicTime { MonotonicTime(nanoseconds: self.nanoseconds) }

    override func wallTime() -> WallTime {
        WallTime(nanoseconds: 1_700_000_000_000_000_000 + self.nanoseconds)
    }

    override func fillWithRandomBytes(_ buffer: inout MutableSpan<UInt8>) {
        for index in buffer.indices { buffer[index] = 7 }
    }

    private func next() -> SystemResult {
        self.descriptor += 1
        return SystemResult(self.descriptor)
    }
}

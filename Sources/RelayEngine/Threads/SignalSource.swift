/// Signals as events of a loop.
///
/// Made on the main thread: all others are started with signals blocked. Stays for the life of the
/// loop.
package final class SignalSource: EventSource {
    private let received: (_ signal: Int32) -> Void

    /// Blocks `signals` (numbers of signal(7)) in this thread, and has `received` called on `loop` for
    /// each that comes.
    package init(
        _ signals: [Int32],
        loop: EventLoop,
        _ received: @escaping (_ signal: Int32) -> Void
    ) throws(SystemError) {
        self.received = received
        super.init(on: loop)
        let opened = loop.system.createSignalDescriptor(signals)
        if let error = opened.error { throw error }
        self.descriptor = opened.descriptor
        let added = loop.register(self, .readable)
        if let error = added.error {
            _ = loop.system.close(self.descriptor)
            throw error
        }
    }

    override func eventsReported(_ events: EpollEvents) {
        while true {
            let signal = self.loop.system.readSignal(self.descriptor)
            guard signal.isSuccess else { return }
            self.received(Int32(truncatingIfNeeded: signal.value))
        }
    }
}

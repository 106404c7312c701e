/// Something with a descriptor in a loop's epoll; one virtual call per event.
///
/// Bound to its loop. Subclassed in this module only (`open` because `Stream` is).
open class EventSource {
    /// The loop that it lives on.
    package final let loop: EventLoop
    /// Its place in the loop's slot table; `UInt32.max` while it is in no epoll.
    final var slot: UInt32
    /// Its descriptor; -1 once closed or before there is one.
    package final internal(set) var descriptor: Descriptor

    init(on loop: EventLoop) {
        self.loop = loop
        self.slot = .max
        self.descriptor = -1
    }

    /// The descriptor has `events`; called by the loop, also with events that are not true any more.
    func eventsReported(_ events: EpollEvents) {}
}

@available(*, unavailable) extension EventSource: Sendable {}

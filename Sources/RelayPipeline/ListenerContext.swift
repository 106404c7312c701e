package import RelayConfig
import Synchronization

/// What the exchanges of a listener share on one loop: its settings, its pipeline, its bounds.
///
/// Replaced as a whole by a reload; exchanges keep the one they began with. Bound to its loop, except
/// for `shared`.
package final class ListenerContext {
    /// What relay.yaml says of the listener.
    package let configuration: ListenerConfiguration
    /// The stages.
    package let pipeline: Pipeline
    /// What all loops count together for this listener; survives reloads.
    package let shared: ListenerCounts
    /// The exchanges of the loop that have a name.
    package let exchanges: ExchangeTable
    /// What it tells browsers about pages of other origins; nil: nothing.
    package let crossOrigin: CrossOriginPolicy?
    /// What it refuses while memory is short; nil: nothing.
    let memoryGate: MemoryGate?

    /// The context of a listener on one loop.
    ///
    /// Without `memory` nothing is refused for want of it.
    package init(
        configuration: ListenerConfiguration,
        pipeline: Pipeline,
        shared: ListenerCounts,
        exchanges: ExchangeTable,
        memory: MemoryPressure? = nil
    ) {
        self.configuration = configuration
        self.pipeline = pipeline
        self.shared = shared
        self.exchanges = exchanges
        self.crossOrigin = CrossOriginPolicy(configuration)
        self.memoryGate = memory.map { MemoryGate(configuration, $0) }
    }

    /// `limits.body_size`.
    var bodyBytesMax: UInt64 { UInt64(clamping: self.configuration.limits.bodyBytesMax) }
}

@available(*, unavailable) extension ListenerContext: Sendable {}

/// What is counted for a listener over all loops.
///
/// From any thread.
package final class ListenerCounts: Sendable {
    /// Connections by the address that they come from, where that is limited.
    package let sources = SourceCounts()
    /// Bytes of request bodies kept in memory.
    private let bytesBuffered = Atomic<Int>(0)

    /// Nothing yet.
    package init() {}

    /// Whether there is room for `count` bytes at the moment.
    ///
    /// For a look at the head: nothing is taken for bytes that have not come, because a client that announces
    /// much and sends nothing would keep it from all others.
    package func hasRoom(for count: Int, max: Int) -> Bool {
        self.bytesBuffered.load(ordering: .relaxed) <= max - min(count, max) && count <= max
    }

    /// Takes room for `count` bytes of a body; false, and nothing taken, if that exceeds `max`.
    package func reserve(_ count: Int, max: Int) -> Bool {
        let (taken, overflow) = self.bytesBuffered.add(count, ordering: .relaxed).newValue
            .subtractingReportingOverflow(max)
        guard overflow || taken > 0 else { return true }
        self.release(count)
        return false
    }

    /// Gives room back.
    package func release(_ count: Int) {
        self.bytesBuffered.subtract(count, ordering: .relaxed)
    }
}

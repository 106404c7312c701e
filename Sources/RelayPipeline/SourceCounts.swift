package import RelayConfig
import Synchronization

/// How many connections each address has on a listener, over all loops.
///
/// An address of IPv6 stands for its /64, because whoever has one has all of it. From any thread.
package final class SourceCounts: Sendable {
    private let counts = Mutex<[IPAddress: Int]>([:])

    /// None.
    package init() {}

    /// Counts a connection; false, and nothing counted, if its source has `max` already.
    package func add(_ address: IPAddress, max: Int) -> Bool {
        let source = address.source
        return self.counts.withLock { counts in
            let count = counts[source, default: 0]
            guard count < max else { return false }
            counts[source] = count + 1
            return true
        }
    }

    /// A connection that was counted is over.
    package func remove(_ address: IPAddress) {
        let source = address.source
        self.counts.withLock { counts in
            guard let count = counts[source] else { return }
            counts[source] = count > 1 ? count - 1 : nil
        }
    }
}

extension IPAddress {
    fileprivate var source: IPAddress {
        switch self {
        case .v4: self
        case .v6(let high, _): .v6(high: high, low: 0)
        }
    }
}

package import RelayObservation
import RelayStore

/// What the packet relay counts, over all loops.
///
/// Read from any thread.
package final class PacketCounters: Sendable {
    /// Packets stored that clients sent.
    package let storedToBackend: Counter
    /// Packets stored that backends gave.
    package let storedToClient: Counter
    /// Packets that a backend took.
    package let consumed: Counter
    /// Packets whose arrival at a client is proven.
    package let delivered: Counter
    /// Packets that were handed to a client again.
    package let redelivered: Counter
    /// Attempts on packets that failed or were refused.
    package let attemptsFailed: Counter
    /// Fetches that failed or were answered with an error.
    package let fetchesFailed: Counter
    /// Packets of the same client that the same retryable 4xx refused for the tenth time.
    package let refusedRepeatedly: Counter
    /// Packets that were too large to be stored, and the oldest of full outboxes that were dropped.
    package let lost: Counter
    /// Packets that became dead letters.
    package let dead: Counter
    /// Logins that a backend granted.
    package let logins: Counter
    /// Polls that are held.
    package let heldPolls: Gauge

    /// Nothing counted yet.
    init(loops: Int) {
        self.storedToBackend = Counter(loops: loops)
        self.storedToClient = Counter(loops: loops)
        self.consumed = Counter(loops: loops)
        self.delivered = Counter(loops: loops)
        self.redelivered = Counter(loops: loops)
        self.attemptsFailed = Counter(loops: loops)
        self.fetchesFailed = Counter(loops: loops)
        self.refusedRepeatedly = Counter(loops: loops)
        self.lost = Counter(loops: loops)
        self.dead = Counter(loops: loops)
        self.logins = Counter(loops: loops)
        self.heldPolls = Gauge(loops: loops)
    }
}

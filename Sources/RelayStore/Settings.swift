/// What holds for the clients of a realm.
///
/// A reload replaces it.
package struct RealmSettings: Sendable, Equatable {
    /// How long a packet waits, in both directions; then it is a dead letter.
    package var packetTTL: Duration = .seconds(86_400)

    /// Packets that wait for one client.
    package var clientPacketsMax = 1024

    /// Bytes that wait for one client, bodies and carried headers.
    package var clientBytesMax = 4 << 20

    /// What becomes of the oldest packet, of those not under way, when a client's outbox is full.
    package var overflow: Overflow = .deadLetter

    /// How many ids that never logged in may have packets waiting; what comes for more is a dead
    /// letter.
    package var unknownClientsMax = 10_000

    /// Whether the packets of a client to a pool are sent one after the other, in the order in which
    /// they were stored.
    package var keepsOrder = true

    /// How long the key of a packet that a client sent, or that was pushed, is remembered; 0 for not
    /// at all.
    package var dedupeWindow: Duration = .seconds(600)

    /// How many such keys are remembered, the newest: of one client, and of all pushes together.
    package var dedupeKeysMax = 1024

    /// The defaults of relay.yaml.
    package init() {}

    /// What becomes of the oldest packet of a full outbox.
    package enum Overflow: Sendable {
        /// It is kept as a dead letter.
        case deadLetter
        /// It is forgotten, and counted as lost.
        case dropOldest
    }
}

/// How much may wait for the backends of one pool.
///
/// A reload replaces it.
package struct InboxLimits: Sendable, Equatable {
    /// Packets not consumed yet, of all clients.
    package var packetsMax = 100_000

    /// The same in bytes, bodies and carried headers.
    package var bytesMax = 1 << 30

    /// The defaults of relay.yaml.
    package init() {}
}

/// What holds for the whole store.
///
/// A reload replaces it.
package struct StoreLimits: Sendable, Equatable {
    /// Packets that wait for all clients together.
    package var outboxPacketsMax = 1_000_000

    /// The same in bytes, bodies and carried headers.
    package var outboxBytesMax = 4 << 30

    /// How long a dead letter is kept.
    package var deadLettersKept: Duration = .seconds(7 * 86_400)

    /// How many dead letters are kept; the oldest goes out first.
    package var deadLettersMax = 10_000

    /// The same in bytes, bodies and carried headers.
    package var deadLetterBytesMax = 256 << 20

    /// The defaults of relay.yaml.
    package init() {}
}

extension Duration {
    /// In nanoseconds: 0 if negative, the longest that fits if longer.
    var nanosecondsClamped: UInt64 {
        let (seconds, attoseconds) = self.components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        let (whole, isLong) = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
        let (total, isLonger) = whole.addingReportingOverflow(UInt64(attoseconds / 1_000_000_000))
        return isLong || isLonger ? .max : total
    }
}

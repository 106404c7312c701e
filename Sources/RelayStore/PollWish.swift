/// What a request wants of the outbox of its client.
package enum PollWish: Sendable {
    /// The oldest packet; while there is none, it waits.
    case packetOrWait
    /// The oldest packet, if there is one.
    case packet
    /// No packet, only to know how many wait.
    case nothing
}

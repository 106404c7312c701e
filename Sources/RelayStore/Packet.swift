/// A stored packet, as it is handed out: to be sent to a backend or delivered to a client.
package struct Packet: Sendable {
    /// Unique in the store; larger than that of any packet stored before it for the same client.
    package let number: PacketNumber

    /// What it carries.
    package let contents: PacketContents

    /// Who sent it: always the client for a packet to a backend; for a packet to a client the
    /// sender, where one is known.
    package let from: ClientName?

    /// When it was stored, on the clock that never goes back.
    package let storedAtNanoseconds: UInt64

    /// How many attempts were counted before this one, 0 at first.
    ///
    /// To a backend only.
    package let attempts: UInt32

    /// Whether the client may have it already: an earlier delivery of it failed or was not
    /// acknowledged, after bytes were written, or goes on beside this one.
    ///
    /// To a client only.
    package let isRedelivered: Bool
}

/// A packet on its way to a client.
package struct Delivery: Sendable {
    /// The poll that it answers.
    ///
    /// The packet is under way on this exchange until the delivery is proven or has failed.
    package let ticket: Ticket

    /// Whose packet it is.
    package let client: ClientHandle

    /// What is delivered.
    package let packet: Packet

    /// Whether the packet stays until the client acknowledges it, whatever becomes of the delivery.
    package let needsAcknowledgement: Bool

    /// How many packets wait behind it.
    package let more: Int

    /// How many packets the client has lost and is not known to have been told of.
    package let lost: UInt64
}

/// A packet on its way to a backend.
package struct LaneSend: Sendable {
    /// The event loop that owns the lane now and sends the packet.
    package let loop: UInt16

    /// The lane, for all that is to be said about the attempt.
    package let lane: LaneHandle

    /// What is sent.
    package let packet: Packet
}

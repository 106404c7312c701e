/// What an answer says of packets that a client will not get.
package struct LossNotice: Sendable, Equatable {
    /// How many were lost of which the client is not known to have been told.
    package let count: UInt64

    /// Up to which loss that is; for `PacketStore.lossesTold`.
    package let upTo: UInt64
}

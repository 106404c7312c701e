import DequeModule

/// The newest packets, whose bytes stay in memory; those of older ones are left to the file.
struct PacketCache: Sendable {
    /// Oldest first, those that have gone since among them.
    private var packets: Deque<PlacedPacket> = []
    private var bytes = 0
    private let bytesMax: Int

    /// What a packet takes in memory besides its bytes.
    private static let overhead = 64

    /// An empty one for so many bytes.
    init(bytesMax: Int) {
        self.bytesMax = bytesMax
    }

    /// Adds packets, for which the oldest ones go out.
    mutating func keep(_ placed: [PlacedPacket], of store: PacketStore) {
        for packet in placed {
            self.packets.append(packet)
            self.bytes += packet.byteCount + Self.overhead
        }
        while self.bytes > self.bytesMax, let oldest = self.packets.popFirst() {
            self.bytes -= oldest.byteCount + Self.overhead
            store.forgetBytes(of: oldest)
        }
    }
}

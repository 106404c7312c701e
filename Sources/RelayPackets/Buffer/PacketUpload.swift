import RelayConfig
import RelayHTTP
import RelayPipeline
import RelayStore

/// A packet while it comes in from a client: its carried fields, then as much of its body as is here.
///
/// What it keeps of the body is within the listener's `buffered`, until the store has it.
final class PacketUpload {
    /// Where a packet goes.
    enum Destination {
        /// To the backends of a pool.
        case pool(PoolID)
        /// To other clients.
        case clients(Recipients)
    }

    let destination: Destination

    /// The client's own id of the packet.
    let key: PacketKey?

    private var bytes: [UInt8]
    private let headerCount: Int
    private let listener: ListenerContext

    /// Bytes taken of the listener's `buffered`: what has come.
    private var reserved = 0

    /// How long the body will be, if that is known.
    private let length: Int?

    /// Memory that is set aside for a body before it has come.
    private static let expectedBytesMax = 64 << 10

    /// An upload with these carried fields, and with a body of `length` bytes if that is known.
    init(
        to destination: Destination,
        key: PacketKey?,
        fields: Span<UInt8>,
        length: Int?,
        listener: ListenerContext
    ) {
        self.destination = destination
        self.key = key
        self.listener = listener
        self.headerCount = fields.count
        self.length = length
        self.bytes = []
        self.bytes.reserveCapacity(fields.count + min(length ?? 0, Self.expectedBytesMax))
        self.bytes.append(fields)
    }

    deinit {
        if self.reserved > 0 { self.listener.shared.release(self.reserved) }
    }

    /// Whether nothing of a body came.
    var isEmpty: Bool { self.bytes.count == self.headerCount }

    /// Keeps a piece of the body; false, and nothing kept, if too much is kept for the listener.
    func append(_ piece: Span<UInt8>) -> Bool {
        let missing = self.bytes.count - self.headerCount + piece.count - self.reserved
        if missing > 0 {
            guard
                self.listener.shared.reserve(
                    missing,
                    max: self.listener.configuration.limits.bufferedBytesMax
                )
            else { return false }
            self.reserved += missing
        }
        // The array stays with the packet: exactly as large as it is, where that is known; but a long body
        // must have begun to come.
        if let length, self.bytes.count + piece.count > self.bytes.capacity {
            self.bytes.reserveCapacity(self.headerCount + length)
        }
        self.bytes.append(piece)
        return true
    }

    /// The packet; the upload is empty afterwards.
    func takeContents() -> PacketContents {
        var bytes: [UInt8] = []
        swap(&bytes, &self.bytes)
        return PacketContents(bytes: bytes, headerCount: self.headerCount)
    }
}

@available(*, unavailable) extension PacketUpload: Sendable {}

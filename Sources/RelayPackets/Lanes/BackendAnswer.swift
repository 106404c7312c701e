import RelayHTTP
import RelayPipeline
import RelayStore
import RelayUpstream

/// What a backend answers to a packet or a fetch, while it comes in: its status, and the packet that
/// it carries.
struct BackendAnswer {
    private(set) var status: UInt16 = 0

    /// Of a status other than 2xx.
    private(set) var retryAfterSeconds: UInt32?

    private var recipient = Recipient.none
    private var sender: ClientName?

    /// The field lines to be stored, then the body: what the packet will consist of.
    private var bytes: [UInt8] = []
    private var headerCount = 0
    private var bodyBytesMax = 0
    private var bodyCount: UInt64 = 0

    /// What `To` says.
    private enum Recipient {
        /// There is none.
        case none
        /// It is not one client's id.
        case invalid
        case client(ClientName)
    }

    /// The packet that an answer carries.
    enum Packet {
        /// None.
        case none
        /// One for a client.
        case reply(Reply)
        /// One that cannot be stored for anybody, and why.
        case unusable(PacketContents, DeadLetter.Reason, for: ClientName?)
    }

    /// Whether the status is a success.
    var isSuccess: Bool { 200..<300 ~= self.status }

    /// The head has come.
    ///
    /// Nothing of a packet is kept unless the status is a success.
    mutating func begin(
        _ head: borrowing ResponseHead,
        _ bytes: Span<UInt8>,
        pool: PacketPool,
        store: PacketStore
    ) {
        self = BackendAnswer()
        self.status = head.status
        self.bodyBytesMax = pool.packetBytesMax
        guard self.isSuccess else {
            if let value = head.fields.value(of: .retryAfter) {
                self.retryAfterSeconds = FieldValue.retryAfterSeconds(bytes.extracting(value))
            }
            return
        }
        // `To` without a body is no packet.
        guard !head.framing.isEmpty else { return }
        if let value = head.fields.value(of: .to) {
            let name = store.clientName(bytes.extracting(value), in: pool.realm)
            if let name, !head.fields.isRepeated(.to) {
                self.recipient = .client(name)
            } else {
                self.recipient = .invalid
            }
        }
        if let value = head.fields.value(of: .from), !head.fields.isRepeated(.from) {
            self.sender = store.clientName(bytes.extracting(value), in: pool.realm)
        }
        CarriedFields.appendResponse(pool.kept, of: head, bytes, to: &self.bytes)
        self.headerCount = self.bytes.count
        if case .length(let length) = head.framing, length <= UInt64(self.bodyBytesMax) {
            self.bytes.reserveCapacity(self.headerCount + Int(length))
        }
    }

    /// A piece of the body has come.
    ///
    /// What exceeds the largest packet is counted and not kept.
    mutating func append(_ piece: Span<UInt8>) {
        guard self.isSuccess else { return }
        let (count, isHuge) = self.bodyCount.addingReportingOverflow(UInt64(piece.count))
        self.bodyCount = isHuge ? .max : count
        if self.isTooLarge {
            self.bytes = []
            self.headerCount = 0
        } else {
            self.bytes.append(piece)
        }
    }

    /// The answer is complete: takes out the packet that it carried.
    mutating func takePacket() -> Packet {
        guard self.isSuccess, self.bodyCount > 0 else { return .none }
        var bytes: [UInt8] = []
        swap(&bytes, &self.bytes)
        let contents = PacketContents(bytes: bytes, headerCount: self.headerCount)
        self.headerCount = 0
        switch self.recipient {
        case .client(let name):
            if self.isTooLarge { return .unusable(.empty, .tooLarge, for: name) }
            return .reply(Reply(recipients: .one(name), contents: contents, from: self.sender))
        case .none, .invalid:
            let reason: DeadLetter.Reason = self.isTooLarge ? .tooLarge : .noRecipient
            return .unusable(contents, reason, for: nil)
        }
    }

    private var isTooLarge: Bool { self.bodyCount > UInt64(self.bodyBytesMax) }
}

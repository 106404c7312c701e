import RelayHTTP
import RelayPipeline
import RelayStore
import RelayUpstream

/// What a backend answers to a packet or a fetch, while it comes in: its status, and the packet that
/// it carries.
struct BackendAnswer {
    private(set) var status: UInt16 = 0

    /// How long it asks to wait, at most ``retryAfterSecondsMax``; of a status other than 2xx.
    private(set) var retryAfterSeconds: UInt32?

    /// The clients whose sessions it ends.
    private(set) var endedSessions: [ClientName] = []

    /// Whether the backend says that it has more packets; of a success.
    private(set) var announcesMore = false

    /// Whether its `From` is no id, so that the packet is from nobody.
    private(set) var hasInvalidSender = false

    /// The key of the packet that answers a fetch, if there is a proper one.
    private(set) var key: [UInt8]?

    /// Whether there is one that is not.
    private(set) var hasInvalidKey = false

    /// Longer waits are cut: a wrong clock must not keep a client's packets for days.
    static let retryAfterSecondsMax: UInt32 = 3600

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
        /// It is no list of ids.
        case invalid
        case clients(Recipients)
    }

    /// The packet that an answer carries.
    enum Packet {
        /// None.
        case none
        /// One for a client, or several.
        case reply(Reply)
        /// One that cannot be stored for anybody, and why.
        case unusable(PacketContents, DeadLetter.Reason, for: Recipients?)
    }

    /// Whether the status is a success.
    var isSuccess: Bool { 200..<300 ~= self.status }

    /// The head has come.
    ///
    /// Nothing of a packet is kept unless the status is a success. On the loop of `owner`.
    mutating func begin(
        _ head: borrowing ResponseHead,
        _ bytes: Span<UInt8>,
        pool: PacketPool,
        owner: PacketLoop
    ) {
        self = BackendAnswer()
        self.status = head.status
        self.bodyBytesMax = pool.packetBytesMax
        if head.fields.contains(.endSession) {
            self.endedSessions = SessionEnds.clients(head.fields, in: bytes)
        }
        guard self.isSuccess else {
            if let value = head.fields.value(of: .retryAfter) {
                let seconds = FieldValue.retryAfterSeconds(
                    bytes.extracting(value),
                    at: Int64(clamping: owner.now.unixMicroseconds / 1_000_000)
                )
                self.retryAfterSeconds = seconds.map { min($0, Self.retryAfterSecondsMax) }
            }
            return
        }
        if let value = head.fields.value(of: .more) {
            self.announcesMore = UInt64(decimal: bytes.extracting(value)) ?? 0 > 0
        }
        // `To` without a body is no packet.
        guard !head.framing.isEmpty else { return }
        let store = owner.store
        if head.fields.contains(.to) {
            let list = ClientList.read(.to, of: head.fields, in: bytes) {
                store.clientName($0, in: pool.realm)
            }
            self.recipient = list?.recipients.map { .clients($0) } ?? .invalid
        }
        if let value = head.fields.value(of: .from), !head.fields.isRepeated(.from) {
            self.sender = store.clientName(bytes.extracting(value), in: pool.realm)
            self.hasInvalidSender = self.sender == nil
        }
        CarriedFields.appendResponse(pool.kept, of: head, bytes, to: &self.bytes)
        self.headerCount = self.bytes.count
        if case .length(let length) = head.framing, length <= UInt64(self.bodyBytesMax) {
            self.bytes.reserveCapacity(self.headerCount + Int(length))
        }
    }

    /// The head of an answer to a fetch has come, after `begin`: only such a packet has a key.
    mutating func readKey(_ head: borrowing ResponseHead, _ bytes: Span<UInt8>) {
        guard self.isSuccess, !head.framing.isEmpty else { return }
        switch PacketKeyField(head.fields, in: bytes) {
        case .absent:
            break
        case .malformed:
            self.hasInvalidKey = true
        case .key(let key):
            // In `Stored` one with a comma would be two.
            self.hasInvalidKey = key.bytes.contains(0x2C)
            if !self.hasInvalidKey { self.key = key.bytes }
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
        // Everything is moved out, because a copy counts references.
        var recipient = Recipient.none
        swap(&recipient, &self.recipient)
        switch consume recipient {
        case .clients(let recipients):
            if self.isTooLarge { return .unusable(.empty, .tooLarge, for: recipients) }
            let sender = self.sender.take()
            return .reply(Reply(recipients: recipients, contents: contents, from: sender))
        case .none, .invalid:
            let reason: DeadLetter.Reason = self.isTooLarge ? .tooLarge : .noRecipient
            return .unusable(contents, reason, for: nil)
        }
    }

    private var isTooLarge: Bool { self.bodyCount > UInt64(self.bodyBytesMax) }
}

import RelayHTTP
import RelayObservation
import RelayPipeline
import RelayStore

/// One push: takes the packet, stores a copy for each recipient, and answers once all are stored.
final class PushExchange: ExchangeHandler {
    private let owner: PacketLoop
    private let realm: RealmID

    /// The name under which the store answers.
    private let handle: ExchangeHandle

    private let recipients: Recipients

    /// The packet, until the store has it or the push is refused.
    private var upload: PacketUpload?

    /// A push for these clients of `realm`, on the exchange that has the name `handle`.
    init(
        _ owner: PacketLoop,
        realm: RealmID,
        handle: ExchangeHandle,
        recipients: Recipients,
        upload: PacketUpload
    ) {
        self.owner = owner
        self.realm = realm
        self.handle = handle
        self.recipients = recipients
        self.upload = upload
    }

    func bodyReceived(_ exchange: Exchange, _ bytes: Span<UInt8>) {
        guard let upload else { return }
        if !upload.append(bytes) { self.refuse(exchange, .tooManyBodies) }
    }

    func requestEnded(_ exchange: Exchange) {
        guard let upload else { return }
        guard !upload.isEmpty else {
            self.refuse(exchange, .emptyPacket)
            return
        }
        let packet = Reply(recipients: self.recipients, contents: upload.takeContents())
        let ticket = Ticket(loop: self.owner.index, handle: self.handle.rawValue)
        self.owner.operate { store, now, effects in
            _ = store.push(
                packet,
                key: upload.key,
                in: self.realm,
                ticket: ticket,
                at: now,
                &effects
            )
        }
    }

    /// The packet is stored for everybody, under these numbers: now, or when it was pushed first.
    func pushed(_ exchange: Exchange, _ numbers: [PacketNumber], isDuplicate: Bool) {
        self.upload = nil
        if !isDuplicate {
            let stored = numbers.count { $0 != 0 }
            self.owner.counters.storedToClient.add(UInt64(stored), loop: Int(self.owner.index))
        }
        self.owner.withFields { fields in
            fields.append("Cache-Control: no-store\r\nPacket-Id: ")
            for (index, number) in numbers.enumerated() {
                if index > 0 { fields.append(", ") }
                fields.append(decimal: number)
            }
            fields.append("\r\n")
            if isDuplicate { fields.appendField(.duplicate, "true") }
            exchange.respond(status: 202, fields: fields.span, body: Span())
        }
    }

    /// The store has refused the packet, for all of its recipients.
    func refused(_ exchange: Exchange, _ refusal: Refusal) {
        self.refuse(exchange, PacketProblem(refusal))
    }

    private func refuse(_ exchange: Exchange, _ problem: PacketProblem) {
        self.upload = nil
        problem.answer(exchange)
    }

    func clientHungUp(_ exchange: Exchange) {}

    /// What the store has it stores, whether or not anybody is told.
    func exchangeEnded(_ exchange: Exchange) {
        self.upload = nil
    }
}

@available(*, unavailable) extension PushExchange: Sendable {}

import RelayEngine

/// A packet that somebody gave for clients, and what became of it.
final class Gift {
    /// Counts all gifts of the world; `X-Reply` says it.
    let number: Int
    let contents: [UInt8]
    /// What its recipients read in `From`.
    let from: String?
    /// The key under which a backend gave it.
    let key: String?
    let givenAt: MonotonicTime
    /// One for each recipient.
    private(set) var copies: [Reply] = []
    /// The requests whose answers carried it, if a backend gave it; several if it has a key.
    var attempts: [Attempt] = []
    /// The push that brought it.
    var push: Push?
    /// The packet of a client that it is.
    var packet: SentPacket?
    /// Whether relay has said that it dealt with it (`Stored`).
    var isConfirmed = false

    init(
        number: Int,
        to recipients: [String],
        from: String? = nil,
        key: String? = nil,
        contents: [UInt8],
        now: MonotonicTime
    ) {
        self.number = number
        self.from = from
        self.key = key
        self.contents = contents
        self.givenAt = now
        self.copies = recipients.map { Reply(self, recipient: $0) }
    }

    /// Whether it is larger than relay stores.
    var isHuge: Bool { self.contents.count > Scenario.packetBytesMax }

    /// For the trace.
    var label: String {
        var cause = "a push"
        if let attempt = self.attempts.first {
            cause = attempt.packet.map { "packet \($0.number)" } ?? "a fetch"
        }
        if let packet { cause = "itself, packet \(packet.number)" }
        let recipients = self.copies.map(\.recipient).joined(separator: ", ")
        return "reply \(self.number) for \(recipients) to \(cause)"
    }
}

/// A gift for one client.
final class Reply {
    unowned let gift: Gift
    let recipient: String
    /// `Packet-Id` that relay gave it.
    var packetID: UInt64?
    /// Every time that the client has read it in whole.
    var deliveries: [ReadDelivery] = []

    init(_ gift: Gift, recipient: String) {
        self.gift = gift
        self.recipient = recipient
    }

    /// The gift's number.
    var number: Int { self.gift.number }
}

/// A packet that was pushed.
final class Push {
    let recipients: [String]
    let key: String?
    /// The numbers that relay has answered with.
    var numbers: [UInt64]?
    /// How often it was sent.
    var attempts = 0

    init(recipients: [String], key: String?) {
        self.recipients = recipients
        self.key = key
    }
}

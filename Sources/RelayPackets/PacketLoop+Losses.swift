import Logging
import RelayEngine
import RelayObservation
import RelayStore

/// What is logged and counted when a packet goes another way than to its recipient.
extension PacketLoop {
    func died(_ letter: DeadLetter) {
        if letter.reason == .tooLarge {
            self.counters.lost.add(loop: Int(self.index))
        } else {
            self.counters.dead.add(loop: Int(self.index))
        }
        let level = letter.reason.logLevel
        guard self.logger.logLevel <= level else { return }
        var keptBack = 0
        if letter.reason == .unknownClient {
            guard let count = self.unknownClientLine.pass(at: self.loop.now) else { return }
            keptBack = count
        }
        var metadata: Logger.Metadata = [
            "reason": "\(letter.reason.logText)",
            "realm": "\(self.store.name(of: letter.realm))",
            "bytes": "\(letter.contents.bodyCount)",
        ]
        if let client = letter.client { metadata["client"] = "\(client)" }
        if let pool = letter.pool { metadata["pool"] = "\(self.store.name(of: pool))" }
        if let number = letter.number { metadata["packet"] = "\(number)" }
        if letter.attempts > 0 { metadata["attempts"] = "\(letter.attempts)" }
        if let failure = self.lastFailure, failure.packet == letter.number {
            metadata["last_attempt"] = "\(failure.reason)"
        }
        if keptBack > 0 { metadata["lines_kept_back"] = "\(keptBack)" }
        let message: Logger.Message =
            letter.reason == .tooLarge
            ? "packet of a backend is larger than packet_size and lost"
            : "packet became a dead letter"
        self.logger.log(level: level, message, metadata: metadata)
    }

    /// A backend's `From` is no id: the packet is stored as one of nobody.
    func logInvalidSender(of pool: PacketPool) {
        guard let keptBack = self.invalidSenderLine.pass(at: self.loop.now) else { return }
        self.warn("the From of a backend's packet is no client id", of: pool, keptBack: keptBack)
    }

    /// The `Packet-Id` of a backend is no key: the packet is stored as one without.
    func logInvalidKey(of pool: PacketPool) {
        guard let keptBack = self.invalidKeyLine.pass(at: self.loop.now) else { return }
        self.warn(
            "the Packet-Id of a backend's packet is not 1 to 128 visible characters without a comma",
            of: pool,
            keptBack: keptBack
        )
    }

    private func warn(_ message: Logger.Message, of pool: PacketPool, keptBack: Int) {
        var metadata: Logger.Metadata = ["pool": "\(pool.name)"]
        if keptBack > 0 { metadata["lines_kept_back"] = "\(keptBack)" }
        self.logger.warning(message, metadata: metadata)
    }

    func dropped(_ realm: RealmID, _ client: ClientName, _ number: PacketNumber) {
        self.counters.lost.add(loop: Int(self.index))
        guard self.logger.logLevel <= .info else { return }
        self.logger.info(
            "oldest packet of a full outbox is lost",
            metadata: [
                "realm": "\(self.store.name(of: realm))",
                "client": "\(client)",
                "packet": "\(number)",
            ]
        )
    }
}

extension DeadLetter.Reason {
    /// What is a matter of course where clients stay away is `info`; what somebody may have to look
    /// into is a warning.
    fileprivate var logLevel: Logger.Level {
        switch self {
        case .expired, .overflow: .info
        case .rejected, .attemptsExhausted, .noRecipient, .unknownClient: .warning
        case .tooLarge, .damaged: .error
        }
    }

    var logText: String {
        switch self {
        case .expired: "expired"
        case .overflow: "outbox full"
        case .rejected(let status): "refused with \(status)"
        case .attemptsExhausted: "attempts exhausted"
        case .noRecipient: "no recipient"
        case .unknownClient: "too many unknown clients"
        case .tooLarge: "too large"
        case .damaged: "damaged"
        }
    }
}

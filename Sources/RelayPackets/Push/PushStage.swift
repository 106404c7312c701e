package import RelayConfig
import RelayHTTP
package import RelayPipeline
package import RelayStore

/// The `push` stage: takes packets for clients of one realm at `/packets`, from who knows a secret.
///
/// Everything that the head tells is decided on the head, so that a request that is refused brings no
/// body.
package final class PushStage: Stage {
    private let owner: PacketLoop
    private let realm: RealmID
    private let secrets: BearerSecrets

    /// `packet_size` of the realm.
    private let packetBytesMax: Int

    /// A `push` stage on the loop of `owner`.
    package init(
        _ owner: PacketLoop,
        configuration: PushConfiguration,
        realm: RealmID,
        packetBytesMax: Int
    ) {
        self.owner = owner
        self.realm = realm
        self.secrets = BearerSecrets(configuration.secrets)
        self.packetBytesMax = packetBytesMax
    }

    package func requestReceived(
        _ exchange: Exchange,
        _ request: Request,
        _ bytes: Span<UInt8>
    ) -> Verdict {
        guard request.withPath(bytes, { $0.equals("/packets") }) else { return .proceed }
        guard exchange.method == .post else { return self.refuse(exchange, .methodNotAllowed) }
        let fields = request.head.fields
        guard let token = fields.bearerToken(in: bytes) else {
            return self.refuse(exchange, .noToken)
        }
        guard self.secrets.contain(bytes.extracting(token)) else {
            return self.refuse(exchange, .wrongSecret)
        }
        guard fields.contains(.to) else { return self.refuse(exchange, .noRecipient) }
        guard let recipients = ClientList.read(.to, of: fields, in: bytes)?.recipients else {
            return self.refuse(exchange, .malformedRecipient)
        }
        let key: PacketKey?
        switch PacketKeyField(fields, in: bytes) {
        case .absent: key = nil
        case .malformed: return self.refuse(exchange, .malformedKey)
        case .key(let given): key = given
        }
        if let problem = self.problem(of: exchange, request, isKeyed: key != nil) {
            return self.refuse(exchange, problem)
        }
        exchange.bodyBytesMax = UInt64(self.packetBytesMax)
        return .take(
            PushExchange(
                self.owner,
                realm: self.realm,
                handle: exchange.enter(self.owner.exchanges),
                recipients: recipients,
                upload: self.upload(for: recipients, key, of: exchange, request, bytes)
            )
        )
    }

    /// What is wrong with what the head says of the body, or why there is no room for it.
    private func problem(
        of exchange: Exchange,
        _ request: Request,
        isKeyed: Bool
    ) -> PacketProblem? {
        guard request.announcesBody else { return .emptyPacket }
        if case .length(let count) = request.head.framing {
            guard count <= UInt64(self.packetBytesMax) else { return .packetTooLarge }
            let limits = exchange.listener.configuration.limits
            let shared = exchange.listener.shared
            guard shared.hasRoom(for: Int(count), max: limits.bufferedBytesMax) else {
                return .tooManyBodies
            }
        }
        // A repeat needs no room: the store decides about what has a key.
        return isKeyed || self.owner.store.acceptsReplies ? nil : .outboxFull
    }

    private func upload(
        for recipients: Recipients,
        _ key: PacketKey?,
        of exchange: Exchange,
        _ request: Request,
        _ bytes: Span<UInt8>
    ) -> PacketUpload {
        var length: Int?
        if case .length(let count) = request.head.framing { length = Int(count) }
        return self.owner.withFields { fields in
            CarriedFields.appendRequest(
                exchange.responseFilters,
                of: exchange,
                request,
                bytes,
                to: &fields
            )
            return PacketUpload(
                to: .clients(recipients),
                key: key,
                fields: fields.span,
                length: length,
                listener: exchange.listener
            )
        }
    }

    private func refuse(_ exchange: Exchange, _ problem: PacketProblem) -> Verdict {
        problem.answer(exchange)
        return .responded
    }
}

@available(*, unavailable) extension PushStage: Sendable {}

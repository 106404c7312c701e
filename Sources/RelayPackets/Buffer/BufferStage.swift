package import RelayConfig
import RelayHTTP
package import RelayPipeline
package import RelayStore

/// The `buffer` stage: takes packets and polls at its path, for the clients of one realm.
///
/// Everything that the head tells is decided on the head, so that a request that is refused brings no
/// body.
package final class BufferStage: Stage {
    private let owner: PacketLoop
    /// The owner's, because only an object's own constants are used without counting a reference.
    private let store: PacketStore
    private let configuration: BufferConfiguration
    private let realm: RealmID
    private let route: PacketRoute
    private let path: [UInt8]

    /// A `buffer` stage on the loop of `owner`, whose packets go where `route` says.
    package init(
        _ owner: PacketLoop,
        configuration: BufferConfiguration,
        realm: RealmID,
        route: PacketRoute
    ) {
        self.owner = owner
        self.store = owner.store
        self.configuration = configuration
        self.realm = realm
        self.route = route
        self.path = Array(configuration.path.utf8)
    }

    package func requestReceived(
        _ exchange: Exchange,
        _ request: Request,
        _ bytes: Span<UInt8>
    ) -> Verdict {
        let path = self.path
        guard request.withPath(bytes, { $0.equals(path.span) }) else { return .proceed }
        guard exchange.method == .post else { return self.refuse(exchange, .methodNotAllowed) }
        let fields = request.head.fields
        guard let token = fields.bearerToken(in: bytes) else {
            return self.refuse(exchange, .noToken)
        }
        let session = self.store.session(
            forToken: bytes.extracting(token),
            in: self.realm,
            at: self.owner.now
        )
        guard let session else { return self.refuse(exchange, .sessionEnded) }
        self.route.applyFilter(exchange, request, bytes)
        exchange.clientIdentified(as: session.name.bytes)
        let acknowledged: PacketNumber?
        switch AckField(fields, in: bytes) {
        case .absent: acknowledged = nil
        case .malformed: return self.refuse(exchange, .malformedAck)
        case .upTo(let number):
            guard self.store.hasGiven(number) else {
                return self.refuse(exchange, .unknownAck)
            }
            acknowledged = number
        }
        let key: PacketKey?
        switch PacketKeyField(fields, in: bytes) {
        case .absent: key = nil
        case .malformed: return self.refuse(exchange, .malformedKey)
        case .key(let given): key = given
        }
        var upload: PacketUpload?
        if request.announcesBody {
            if let problem = self.prepare(&upload, of: exchange, session, key, request, bytes) {
                return self.refuse(exchange, problem)
            }
        }
        exchange.bodyBytesMax = UInt64(self.configuration.packetBytesMax)
        return .take(
            PacketExchange(
                self.owner,
                session: session,
                handle: exchange.enter(self.owner.exchanges),
                hold: self.hold(fields, bytes),
                acknowledged: acknowledged,
                upload: upload
            )
        )
    }

    /// How long the poll may be held: as the client prefers, but not longer than configured.
    private func hold(_ fields: FieldPositions, _ bytes: Span<UInt8>) -> Duration {
        guard let seconds = fields.preferredWaitSeconds(in: bytes) else {
            return self.configuration.hold
        }
        return min(.seconds(Int64(seconds)), self.configuration.hold)
    }

    private func refuse(_ exchange: Exchange, _ problem: PacketProblem) -> Verdict {
        problem.answer(exchange)
        return .responded
    }

    // MARK: A request that brings a packet

    /// Makes the upload of a request with a body; or says why the packet is refused.
    private func prepare(
        _ upload: inout PacketUpload?,
        of exchange: Exchange,
        _ session: Session,
        _ key: PacketKey?,
        _ request: Request,
        _ bytes: Span<UInt8>
    ) -> PacketProblem? {
        // What is not stored again needs neither room nor leave.
        let isRepeat =
            key.map { self.store.hasSeen($0, from: session, at: self.owner.now) } ?? false
        let length: Int?
        if case .length(let count) = request.head.framing {
            guard count <= UInt64(self.configuration.packetBytesMax) else { return .packetTooLarge }
            length = Int(count)
        } else {
            length = nil
        }
        let destination: PacketUpload.Destination
        switch RecipientField(request.head.fields, in: bytes) {
        case .malformed:
            return .malformedRecipient
        case .clients(let recipients):
            if !isRepeat, let problem = self.problem(of: recipients, session) { return problem }
            destination = .clients(recipients)
        case .absent:
            guard let pool = self.route.pool(exchange, request, bytes) else { return .noPool }
            guard isRepeat || self.hasRoom(for: length ?? 1, in: pool) else { return .inboxFull }
            destination = .pool(pool)
        }
        if let length {
            let limits = exchange.listener.configuration.limits
            guard exchange.listener.shared.hasRoom(for: length, max: limits.bufferedBytesMax) else {
                return .tooManyBodies
            }
        }
        self.owner.withFields { fields in
            if let key, case .pool = destination { PacketIdentity.append(key, to: &fields) }
            CarriedFields.appendRequest(
                exchange.responseFilters,
                of: exchange,
                request,
                bytes,
                to: &fields
            )
            upload = PacketUpload(
                to: destination,
                key: key,
                fields: fields.span,
                length: length,
                listener: exchange.listener
            )
        }
        return nil
    }

    /// Why the session may not send to these clients, if it may not.
    private func problem(of recipients: Recipients, _ session: Session) -> PacketProblem? {
        switch recipients {
        case .several:
            if !session.isDebugServer { return .severalRecipients }
        case .one(let name):
            guard self.store.mayAddress(name, from: session, at: self.owner.now) else {
                return .recipientForbidden
            }
        }
        return self.store.acceptsReplies ? nil : .outboxFull
    }

    private func hasRoom(for length: Int, in pool: PoolID) -> Bool {
        let backlog = self.store.backlog(of: pool)
        return backlog.packets < self.configuration.inboxPacketsMax
            && backlog.bytes <= self.configuration.inboxBytesMax - length
    }
}

@available(*, unavailable) extension BufferStage: Sendable {}

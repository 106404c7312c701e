import RelayHTTP
import RelayPipeline
import RelayStore

/// One logout: ends the session of its token, and only then lets the client know.
final class LogoutExchange: ExchangeHandler {
    private let owner: PacketLoop
    private let session: Session
    private let handle: ExchangeHandle

    /// A logout of this session.
    init(_ owner: PacketLoop, session: Session, handle: ExchangeHandle) {
        self.owner = owner
        self.session = session
        self.handle = handle
    }

    /// The body means nothing.
    func bodyReceived(_ exchange: Exchange, _ bytes: Span<UInt8>) {}

    func requestEnded(_ exchange: Exchange) {
        let ticket = Ticket(loop: self.owner.index, handle: self.handle.rawValue)
        self.owner.operate { store, _, effects in
            _ = store.logOut(self.session, ticket: ticket, &effects)
        }
    }

    /// The session has ended.
    func loggedOut(_ exchange: Exchange) {
        self.owner.withFields { fields in
            fields.append("Cache-Control: no-store\r\n")
            exchange.respond(status: 200, fields: fields.span, body: Span())
        }
    }

    /// The session had ended before, or its end could not be stored.
    func refused(_ exchange: Exchange, _ refusal: Refusal) {
        PacketProblem(refusal).answer(exchange)
    }

    func clientHungUp(_ exchange: Exchange) {}

    /// What the store is ending it ends, whether or not anybody is told.
    func exchangeEnded(_ exchange: Exchange) {}
}

@available(*, unavailable) extension LogoutExchange: Sendable {}

import RelayEngine
import RelayHTTP
import RelayObservation
import RelayPipeline
import RelayStore

/// One request at the packet path: takes the packet it brings, then asks for one and may be held.
///
/// One small object per request, because very many are held: what a packet needs while it comes in
/// stands in `PacketUpload` and goes with it.
final class PacketExchange: ExchangeHandler, TimerTarget {
    private let owner: PacketLoop
    /// Whose request it is.
    let session: Session

    /// The name under which the store answers.
    private let handle: ExchangeHandle

    /// The packet that the request brings, until it is stored.
    private var upload: PacketUpload?

    /// What the request says of packets that the client has, until the store knows.
    private var acknowledged: PacketNumber?

    private var timer = TimerHandle.none

    /// How long the poll may be held.
    private let holdNanoseconds: Int64

    /// The number of the packet that the response delivers.
    private var number: PacketNumber = 0

    /// The last of the losses that an answer without a packet tells of.
    private var lossesUpTo: UInt64 = 0

    /// Its place among the held polls; -1 if it is not there.
    var heldIndex: Int32 = -1

    /// Whether the packet of the request was stored before.
    private var isDuplicate = false

    /// Whether that packet stays until the client acknowledges it.
    private var needsAcknowledgement = false

    private var state = State.receiving

    /// Whether the packet of the request is stored.
    private var hasStored = false

    /// How far the request is.
    private enum State: UInt8 {
        /// The request is not complete.
        case receiving
        /// The store has the packet of the request and has not confirmed it.
        case storing
        /// The store was asked for a packet, or holds the poll.
        case polling
        /// A packet was given to the connection: neither proven nor failed.
        case delivering
        /// An answer that tells of losses was given to the connection: neither proven nor failed.
        case telling
        /// Nothing is to be done any more.
        case over
    }

    /// A request of `session`, which has the name `handle`.
    init(
        _ owner: PacketLoop,
        session: Session,
        handle: ExchangeHandle,
        hold: Duration,
        acknowledged: PacketNumber?,
        upload: PacketUpload?
    ) {
        self.owner = owner
        self.session = session
        self.handle = handle
        self.holdNanoseconds = hold.wholeNanoseconds
        self.acknowledged = acknowledged
        self.upload = upload
    }

    private var ticket: Ticket {
        Ticket(loop: self.owner.index, handle: self.handle.rawValue)
    }

    // MARK: The request

    func bodyReceived(_ exchange: Exchange, _ bytes: Span<UInt8>) {
        guard self.state == .receiving, let upload = self.upload else { return }
        if !upload.append(bytes) { self.refuse(exchange, .tooManyBodies) }
    }

    func requestEnded(_ exchange: Exchange) {
        guard self.state == .receiving else { return }
        guard let upload = self.upload, !upload.isEmpty else {
            self.upload = nil
            self.poll()
            return
        }
        self.state = .storing
        let contents = upload.takeContents()
        self.owner.operate { store, now, effects in
            switch upload.destination {
            case .pool(let pool):
                _ = store.send(
                    contents,
                    from: self.session,
                    to: pool,
                    key: upload.key,
                    ticket: self.ticket,
                    at: now,
                    &effects
                )
            case .clients(let recipients):
                _ = store.send(
                    contents,
                    from: self.session,
                    to: recipients,
                    key: upload.key,
                    ticket: self.ticket,
                    at: now,
                    &effects
                )
            }
        }
    }

    // MARK: What the store says

    /// The packet of the request is stored: only now the poll begins.
    func stored() {
        guard self.state == .storing else { return }
        switch self.upload?.destination {
        case .pool: self.owner.counters.storedToBackend.add(loop: Int(self.owner.index))
        case .clients(let recipients):
            self.owner.counters.storedToClient.add(
                UInt64(recipients.count),
                loop: Int(self.owner.index)
            )
        case nil: break
        }
        self.upload = nil
        self.hasStored = true
        self.poll()
    }

    /// The packet of the request was stored before: the answer brings none.
    func duplicate() {
        guard self.state == .storing else { return }
        self.upload = nil
        self.hasStored = true
        self.isDuplicate = true
        self.poll()
    }

    /// An operation of the request was refused.
    func refused(_ exchange: Exchange, _ refusal: Refusal) {
        // An error would say that nothing was stored: a session that has ended since then is answered as
        // if it had been held.
        if self.hasStored, self.state == .polling, refusal == .sessionEnded {
            self.answerEmpty(exchange, more: 0, nil)
            return
        }
        self.refuse(exchange, PacketProblem(refusal))
    }

    /// The poll is held until there is a packet or the time is over.
    func held() {
        guard self.state == .polling, self.heldIndex < 0 else { return }
        self.owner.pollHeld(self)
        self.timer = self.owner.loop.arm(
            self,
            tag: 0,
            at: self.owner.loop.now + .nanoseconds(self.holdNanoseconds)
        )
        // A drain may have begun while the store wrote what the poll acknowledges.
        if self.owner.draining != nil { self.endHold { _ in true } }
    }

    /// There is a packet for the poll.
    ///
    /// - Returns: false if the poll does not want it any more.
    func deliver(_ delivery: Delivery, on exchange: Exchange) -> Bool {
        guard self.state == .polling else { return false }
        self.endHolding()
        self.state = .delivering
        self.number = delivery.packet.number
        self.needsAcknowledgement = delivery.needsAcknowledgement
        if delivery.packet.isRedelivered {
            self.owner.counters.redelivered.add(loop: Int(self.owner.index))
        }
        exchange.watchesDelivery = true
        let contents = delivery.packet.contents
        self.owner.withFields { fields in
            PollAnswer.appendFields(delivery, exchange.responseFilters, to: &fields)
            exchange.respond(
                status: 200,
                fields: fields.span,
                shared: contents.bytes,
                from: contents.headerCount
            )
        }
        return true
    }

    /// The poll is answered without a packet.
    func answerEmpty(_ exchange: Exchange, more: Int, _ losses: LossNotice?) {
        guard self.state == .polling else { return }
        self.endHolding()
        self.state = .over
        if let losses {
            self.state = .telling
            self.lossesUpTo = losses.upTo
            exchange.watchesDelivery = true
        }
        self.owner.withFields { fields in
            PollAnswer.appendFields(
                more: more,
                lost: losses?.count ?? 0,
                isDuplicate: self.isDuplicate,
                exchange.responseFilters,
                to: &fields
            )
            exchange.respond(status: 200, fields: fields.span, body: Span())
        }
    }

    /// Whether the response with this packet is under way.
    func isDelivering(_ number: PacketNumber) -> Bool {
        self.state == .delivering && self.number == number
    }

    // MARK: The hold

    func timerElapsed(_ tag: UInt32) {
        self.timer = .none
        self.endHold { _ in true }
    }

    /// Ends the hold if it is held and its listener is meant: the poll is asked again, and must not be
    /// held.
    ///
    /// Where a packet is on its way to it, it gets that.
    func endHold(where isMeant: (ListenerContext) -> Bool) {
        guard self.state == .polling, let exchange = self.owner.exchanges[self.handle],
            isMeant(exchange.listener),
            self.owner.store.pollEnded(self.session.client, ticket: self.ticket)
        else { return }
        self.endHolding()
        self.poll(mayHold: false)
    }

    /// The newest poll gets a packet first: those held before it on the same connection end, or it would wait
    /// for them.
    func laterResponseWaits(_ exchange: Exchange) {
        self.endHold { _ in true }
    }

    private func endHolding() {
        self.owner.loop.cancel(self.timer)
        self.timer = .none
        self.owner.pollReleased(self)
    }

    private func poll() {
        self.poll(mayHold: self.holdNanoseconds > 0 && self.owner.draining == nil)
    }

    private func poll(mayHold: Bool) {
        self.state = .polling
        let acknowledged = self.acknowledged
        self.acknowledged = nil
        self.owner.operate { store, now, effects in
            guard !self.isDuplicate else {
                store.askNothing(
                    self.session,
                    acknowledging: acknowledged,
                    ticket: self.ticket,
                    at: now,
                    &effects
                )
                return
            }
            store.poll(
                self.session,
                acknowledging: acknowledged,
                ticket: self.ticket,
                mayHold: mayHold,
                at: now,
                &effects
            )
        }
    }

    private func refuse(_ exchange: Exchange, _ problem: PacketProblem) {
        switch self.state {
        case .receiving, .storing, .polling: break
        case .delivering, .telling, .over: return
        }
        self.endHolding()
        self.upload = nil
        self.state = .over
        problem.answer(exchange)
    }

    // MARK: The end

    func deliveryProven(_ exchange: Exchange) {
        if self.state == .telling { self.lossesTold() }
        guard self.state == .delivering else { return }
        self.state = .over
        // A packet that needs it is counted when it is acknowledged.
        if !self.needsAcknowledgement {
            self.owner.counters.delivered.add(loop: Int(self.owner.index))
        }
        self.owner.operate { store, now, effects in
            store.deliveryProven(
                self.session.client,
                self.number,
                ticket: self.ticket,
                at: now,
                &effects
            )
        }
    }

    private func lossesTold() {
        self.state = .over
        self.owner.operate { store, _, effects in
            store.lossesTold(self.session.client, upTo: self.lossesUpTo, &effects)
        }
    }

    func deliveryFailed(_ exchange: Exchange, wasWritten: Bool) {
        guard self.state == .delivering else { return }
        self.state = .over
        self.owner.operate { store, now, effects in
            if wasWritten {
                store.deliveryFailed(
                    self.session.client,
                    self.number,
                    ticket: self.ticket,
                    at: now,
                    &effects
                )
            } else {
                store.deliveryReturned(
                    self.session.client,
                    self.number,
                    ticket: self.ticket,
                    at: now,
                    &effects
                )
            }
        }
    }

    func clientHungUp(_ exchange: Exchange) {}

    func exchangeEnded(_ exchange: Exchange) {
        switch self.state {
        case .receiving, .storing, .telling, .over:
            // What the store is storing it stores; a client that hung up has sent its packet.
            break
        case .polling:
            self.endHolding()
            // If it is not held, what the store has for it is on its way, and goes back on arrival.
            _ = self.owner.store.pollEnded(self.session.client, ticket: self.ticket)
        case .delivering:
            // A carrier that ends the exchange without a word has not proven anything.
            self.deliveryFailed(exchange, wasWritten: true)
        }
        self.upload = nil
        self.state = .over
    }
}

@available(*, unavailable) extension PacketExchange: Sendable {}

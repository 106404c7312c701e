package import RelayEngine
package import RelayHTTP

/// One request and its response, on one event loop, whatever carries it.
///
/// **Life**: a carrier (a connection of RelayServer) makes it when a request's head is complete and runs the
/// listener's pipeline. A stage answers at once, or takes it by giving it a handler, which hears of the body
/// and answers later. It is over when the response was given to the carrier in whole, or the client is gone;
/// with `watchesDelivery` set, when the arrival of the response is proven or has failed. The handler's
/// `exchangeEnded(_:)` is the last call then, exactly once. Calls on an exchange that is over do nothing.
///
/// Bound to its loop.
package final class Exchange {
    /// The loop that it lives on.
    package let loop: EventLoop

    /// What stands behind the listener that it came through, as of its request.
    package let listener: ListenerContext

    /// Its name in the loop's `ExchangeTable`, as others keep it; `.none` until `enter` was called.
    package internal(set) var handle: ExchangeHandle = .none

    /// Who carries it; nil once it is over.
    ///
    /// Strong, because a carrier ends all its exchanges before it goes, and a weak reference would cost
    /// every connection a record of its own.
    package internal(set) var carrier: (any ExchangeCarrier)?

    /// Who has taken it; nil once it is over.
    ///
    /// Carriers set it by `taken(by:)`.
    package var handler: (any ExchangeHandler)?

    /// The request's method, which decides whether a response has a body.
    package let method: Method

    /// The id of the request in logs, metrics and towards backends: taken from the client or made.
    package let requestID: RequestID

    /// The address of the client: the peer's, or what trusted proxies say.
    package let clientAddress: ClientAddress

    /// The address of the peer, which is the client or the last of the proxies before it.
    package let peerAddress: ClientAddress

    /// Whether the peer is one of the listener's trusted proxies, so that its word about the client counts.
    package let isPeerTrusted: Bool

    /// When the head was complete.
    package let startTime: MonotonicTime

    /// What the `headers` stages in its way do to request and response; in the order of the stages.
    package internal(set) var filters: HeaderFilterList = .none

    /// The same, as who delivers the response sees it.
    package var responseFilters: HeaderFilterList { self.filters }

    /// The same, as who passes the request on sees it.
    package var requestFilters: HeaderFilterList { self.filters }

    /// The plugins that have seen the request; nil in a pipeline without plugins.
    var plugins: PluginChain?

    /// Which pages of other origins may read the response; nil: browsers are told nothing.
    var crossOrigin: CrossOriginGrant?

    /// Whether the listener speaks to browsers about pages of other origins at the request's path, and
    /// so answers OPTIONS there.
    package var answersPreflights: Bool { self.crossOrigin != nil }

    /// How many bytes of a body the carrier accepts; more is answered with 413 by it, and
    /// `exchangeEnded` follows.
    ///
    /// Set by the stage that takes the exchange, before it returns.
    package var bodyBytesMax: UInt64

    /// Whether the carrier tells the handler that the response has arrived (`deliveryProven`)
    /// or not (`deliveryFailed`), by DESIGN's rules of proof.
    ///
    /// Set before the response is given.
    package var watchesDelivery = false

    /// Whether the handler wants the rest of the request's body also once it has begun to answer: a proxy
    /// passes both on at the same time.
    ///
    /// Set by the stage that takes the exchange, before it returns.
    package var takesBodyWhileAnswering = false

    /// Whether the client asks for another protocol, so that what comes behind the request waits for the answer.
    ///
    /// Set by the stage that takes the exchange, before it returns.
    package var asksForTunnel = false

    /// Whether what comes of the request's body is for the handler.
    package var wantsBody: Bool {
        switch self.phase {
        case .unanswered: true
        case .responding: self.takesBodyWhileAnswering
        case .answered, .over: false
        }
    }

    /// How far the response is.
    private enum Phase: UInt8 {
        /// Nothing was answered.
        case unanswered
        /// The response was begun, and its body is not complete.
        case responding
        /// The response is complete, and its arrival watched.
        case answered
        /// The exchange is over.
        case over
    }

    /// Where it has its name; each refers to the other until it is over.
    private var table: ExchangeTable?
    private var phase: Phase = .unanswered

    /// Whether a response was begun.
    package private(set) var isAnswered = false

    /// Whether it is over: nothing that is called on it has an effect any more.
    package var isOver: Bool { self.phase == .over }

    /// Makes an exchange; for carriers.
    ///
    /// Without `peerAddress` the peer is the client.
    package init(
        loop: EventLoop,
        listener: ListenerContext,
        carrier: any ExchangeCarrier,
        method: Method,
        requestID: RequestID,
        clientAddress: ClientAddress,
        startTime: MonotonicTime,
        peerAddress: ClientAddress? = nil,
        isPeerTrusted: Bool = false
    ) {
        self.loop = loop
        self.listener = listener
        self.carrier = carrier
        self.method = method
        self.requestID = requestID
        self.clientAddress = clientAddress
        self.startTime = startTime
        self.peerAddress = peerAddress ?? clientAddress
        self.isPeerTrusted = isPeerTrusted
        self.bodyBytesMax = listener.bodyBytesMax
    }

    /// Has a filter count for it, behind those that do, with the values of its request.
    package func apply(_ filter: HeaderFilter, _ request: Request, _ bytes: Span<UInt8>) {
        self.filters.append(filter.resolved(of: self, request, bytes))
    }

    /// Its client is known: what filters write of it is known, too.
    package func clientIdentified(as clientID: @autoclosure () -> [UInt8]) {
        guard self.filters.namesClient else { return }
        self.filters.clientIdentified(as: clientID())
    }

    /// Gives it a name by which other loops and the store can answer to it, once.
    ///
    /// Again it gives the same name; an exchange that is over gets `.none`.
    package func enter(_ table: ExchangeTable) -> ExchangeHandle {
        guard self.handle == .none, self.phase != .over else { return self.handle }
        self.handle = table.insert(self)
        self.table = table
        return self.handle
    }

    // MARK: Answering; on the loop, once.

    /// Answers in whole: `fields` are complete, validated field lines without framing, `Date`,
    /// `Server` and `Connection`, which the carrier writes.
    ///
    /// The body is left out where the method or status has none.
    package func respond(status: UInt16, fields: Span<UInt8>, body: Span<UInt8>) {
        guard let carrier = self.beginAnswer(thatIsWhole: true) else { return }
        if let plugins = self.plugins {
            var bytes: [UInt8] = []
            bytes.append(body)
            return plugins.answerGiven(whole: status, fields, bytes, from: 0, self)
        }
        self.complete(fields) { fields in
            carrier.respond(self, status: status, fields: fields, body: body)
        }
        self.answerGiven()
    }

    /// The same with the body `bytes[from...]`, which is not copied if it is large.
    package func respond(status: UInt16, fields: Span<UInt8>, shared bytes: [UInt8], from: Int) {
        guard let carrier = self.beginAnswer(thatIsWhole: true) else { return }
        if let plugins = self.plugins {
            return plugins.answerGiven(whole: status, fields, bytes, from: from, self)
        }
        self.complete(fields) { fields in
            carrier.respond(self, status: status, fields: fields, shared: bytes, from: from)
        }
        self.answerGiven()
    }

    /// Answers with a problem document; `fields` as above (`Retry-After`, `Allow`, `WWW-Authenticate`).
    package func respond(_ problem: Problem, detail: String, fields: Span<UInt8> = Span()) {
        guard self.phase == .unanswered else { return }
        var lines: [UInt8] = []
        lines.appendField(.contentType, "application/problem+json")
        lines.append(fields)
        var document: [UInt8] = []
        document.appendProblemDocument(problem, detail: detail)
        self.respond(status: problem.status, fields: lines.span, body: document.span)
    }

    /// Tells the client something before the answer: a status of 1xx but 101, and complete field lines.
    ///
    /// Not told to clients of HTTP/1.0, which know of no such responses.
    package func inform(status: UInt16, fields: Span<UInt8>) {
        guard self.phase == .unanswered else { return }
        self.carrier?.inform(self, status: status, fields: fields)
    }

    /// Answers with 101 and these field lines: from here on bytes of another protocol go both ways.
    ///
    /// What comes from the client is `bodyReceived`, its end `requestEnded`; `writeBody` and `endBody` are for the
    /// other way. Only where `asksForTunnel`.
    package func beginTunnel(fields: Span<UInt8>) {
        guard self.asksForTunnel, let carrier = self.beginAnswer(thatIsWhole: false) else { return }
        self.takesBodyWhileAnswering = true
        self.plugins?.tunnelBegan()
        carrier.beginTunnel(self, fields: fields)
    }

    /// Begins a response whose body follows by `writeBody` and ends by `endBody`.
    ///
    /// `length` nil: chunked, or ended by closing on HTTP/1.0.
    package func beginResponse(status: UInt16, fields: Span<UInt8>, length: UInt64?) {
        guard let carrier = self.beginAnswer(thatIsWhole: false) else { return }
        if let plugins = self.plugins {
            return plugins.answerBegun(status, fields, length: length, self)
        }
        self.complete(fields) { fields in
            carrier.beginResponse(self, status: status, fields: fields, length: length)
        }
    }

    /// Appends to the body.
    ///
    /// False: the client reads more slowly; stop until `responseWritable`.
    package func writeBody(_ bytes: Span<UInt8>) -> Bool {
        guard self.phase == .responding, let carrier = self.carrier else { return true }
        if let plugins = self.plugins, !plugins.bodyWritten(bytes) { return false }
        return carrier.writeBody(self, bytes)
    }

    /// The body is complete.
    package func endBody() {
        guard self.phase == .responding, let carrier = self.carrier else { return }
        if let plugins = self.plugins, !plugins.bodyEnded() { return }
        self.phase = .answered
        carrier.endBody(self)
        self.answerGiven()
    }

    /// The response can't be completed: the carrier ends it visibly broken (closes or resets).
    package func abort() {
        guard self.phase == .unanswered || self.phase == .responding else { return }
        self.carrier?.abort(self)
        self.finish()
    }

    /// Stops offering the request's body: backpressure of who forwards it.
    package func pauseBody() {
        self.carrier?.pauseBody(self)
    }

    /// Goes on offering the request's body.
    package func resumeBody() {
        self.carrier?.resumeBody(self)
    }

    private func beginAnswer(thatIsWhole isWhole: Bool) -> (any ExchangeCarrier)? {
        guard self.phase == .unanswered, let carrier = self.carrier else { return nil }
        self.phase = isWhole ? .answered : .responding
        self.isAnswered = true
        return carrier
    }

    /// Lends the fields of the response as they go out.
    @inline(__always)
    private func complete(_ fields: Span<UInt8>, _ give: (Span<UInt8>) -> Void) {
        guard let grant = self.crossOrigin else { return give(fields) }
        give(grant.completing(fields).span)
    }

    private func answerGiven() {
        if !self.watchesDelivery { self.finish() }
    }

    /// Gives the carrier an answer that has passed the plugins; `held` is what of a streamed body was written meanwhile,
    /// all of it if it `isWhole`.
    func deliver(_ answer: PluginChain.Answer, held: [UInt8], isWhole: Bool) {
        guard let carrier = self.carrier, self.phase != .over else { return }
        let fields = self.crossOrigin?.completing(answer.fields.span) ?? answer.fields
        switch answer.body {
        case .whole(let bytes, let from):
            carrier.respond(
                self,
                status: answer.status,
                fields: fields.span,
                shared: bytes,
                from: from
            )
            guard self.phase == .responding else { return self.answerGiven() }
            // In the place of a streamed one, whose writer must not hear of its end while it writes.
            self.phase = .answered
            self.loop.atEndOfTurn { self.finish() }
        case .streamed(let length):
            carrier.beginResponse(self, status: answer.status, fields: fields.span, length: length)
            let isWritable = held.isEmpty || carrier.writeBody(self, held.span)
            if isWhole {
                self.endBody()
            } else if isWritable, !held.isEmpty {
                self.responseWritable()
            }
        }
    }

    // MARK: Delivery

    /// Another request of the client waits for what this exchange delivered: find out now
    /// whether it has arrived, look again after 50, 100, 200 and 400 ms, and give up (reset,
    /// `deliveryFailed`) after 2 s without progress (DESIGN 2.3).
    ///
    /// Only with `watchesDelivery`, after the response.
    package func proveDelivery() {
        guard self.phase == .answered, self.watchesDelivery else { return }
        self.carrier?.proveDelivery(self)
    }
}

/// What carriers tell an exchange; each does nothing once it is over.
extension Exchange {
    /// A stage has taken it.
    ///
    /// If it is over already, the handler hears that at once.
    package func taken(by handler: any ExchangeHandler) {
        if self.phase == .over {
            handler.exchangeEnded(self)
        } else {
            self.handler = handler
        }
    }

    /// A piece of the request's body has come.
    package func bodyReceived(_ bytes: Span<UInt8>) {
        if let plugins = self.plugins, !plugins.bodyReceived(bytes.count, self) { return }
        self.handler?.bodyReceived(self, bytes)
    }

    /// The request is complete.
    package func requestEnded() {
        self.handler?.requestEnded(self)
    }

    /// The client is gone; ends the exchange.
    ///
    /// The handler hears `clientHungUp` if nothing was answered.
    package func clientHungUp() {
        guard self.phase != .over else { return }
        if self.phase == .unanswered { self.handler?.clientHungUp(self) }
        self.finish()
    }

    /// The response of a later request waits for this one's.
    package func laterResponseWaits() {
        guard self.phase == .unanswered else { return }
        self.handler?.laterResponseWaits(self)
    }

    /// There is room for more of the response's body.
    package func responseWritable() {
        guard self.phase == .responding else { return }
        self.handler?.responseWritable(self)
    }

    /// The response has arrived; ends the exchange.
    package func deliveryProven() {
        guard self.phase == .answered else { return }
        self.handler?.deliveryProven(self)
        self.finish()
    }

    /// The connection ended without proof that the response has arrived; ends the exchange.
    package func deliveryFailed(wasWritten: Bool) {
        guard self.phase != .over else { return }
        if self.watchesDelivery, self.isAnswered {
            self.handler?.deliveryFailed(self, wasWritten: wasWritten)
        }
        self.finish()
    }

    /// Ends the exchange: it leaves its table, and `exchangeEnded` is the handler's last call.
    package func finish() {
        guard self.phase != .over else { return }
        self.phase = .over
        self.table.take()?.remove(self.handle)
        self.carrier = nil
        self.handler.take()?.exchangeEnded(self)
        self.plugins.take()?.exchangeEnded(self)
    }
}

@available(*, unavailable) extension Exchange: Sendable {}

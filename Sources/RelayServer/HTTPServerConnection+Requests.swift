import RelayConfig
import RelayEngine
import RelayHTTP
import RelayPipeline

/// Reading: heads, bodies, and the time that they may take.
extension HTTPServerConnection {
    // MARK: Heads

    /// Looks at the bytes of the next head; returns how many are done with, nil if more must come first.
    func takeHead(_ input: Span<UInt8>) -> Int? {
        guard self.mayServeAnother else {
            self.pauseReading()
            return nil
        }
        let wasBegun = self.parser.hasBegun
        if !wasBegun {
            self.requestArrived()
            guard self.phase == .serving else { return nil }
            self.parser = RequestParser(limits: self.site.headLimits)
        }
        switch self.parser.parse(input, into: &self.server.request.head) {
        case .incomplete:
            if !wasBegun, self.parser.hasBegun {
                self.setDeadline(self.loop.now + self.site.limits.headerTimeout)
            }
            return nil
        case .failed(let fault):
            let fields = self.server.request.head.fields
            self.refuse(fault, for: self.site.context.crossOrigin?.grant(fields, input))
            return input.count
        case .head:
            let count = self.server.request.head.byteCount
            self.serve(input)
            return count
        }
    }

    /// Whether another request may be begun: answers must not pile up behind a client that does not read.
    private var mayServeAnother: Bool {
        self.pending.count < Self.depthMax && !self.isOutputAboveHighWater && !self.isTunnelAwaited
    }

    /// Reads on after a pause, once there is room for requests, or for the body's next bytes.
    func resumeReadingIfPossible() {
        guard self.isReadingPaused else { return }
        if let incoming = self.incoming {
            if incoming.state.contains(.isBodyPaused) { return }
        } else if self.phase == .serving, !self.mayServeAnother {
            return
        }
        self.resumeReading()
    }

    /// Answers a request that is not one, behind what is answered before it; nothing is read any more.
    ///
    /// With `grant`, pages of another origin may read the answer.
    func refuse(_ fault: RequestFault, for grant: CrossOriginGrant? = nil) {
        self.clearDeadline()
        self.phase = .ending
        self.hasIgnoredInput = true
        let served = ServedExchange(refusalAt: self.loop.now)
        self.pending.append(served)
        self.server.withOutput { output in
            let fields = grant?.completing(Span()) ?? []
            output.appendResponse(to: fault, date: self.server.date, extraFields: fields.span)
            self.begin(served)
            self.emit(served, output.span)
        }
        self.complete(served)
    }

    /// Serves the request whose head is in the scratch and stands at the beginning of `input`.
    private func serve(_ input: Span<UInt8>) {
        let request = self.server.request
        let exchange = self.makeExchange(request, input)
        let served = ServedExchange(exchange, request, at: self.loop.now)
        if input.count > request.head.byteCount { served.state.remove(.owesContinue) }
        let framing = request.head.framing
        self.clearDeadline()
        self.pending.append(served)
        self.server.exchangesChanged(by: 1)
        self.incoming = served

        if case .take(let handler) = self.verdict(exchange, request, input) {
            exchange.taken(by: handler)
        }
        guard self.incoming === served, self.phase == .serving else { return }
        if framing.isEmpty {
            self.isTunnelAwaited = exchange.asksForTunnel && !exchange.isOver
            self.requestCompleted(served)
        } else {
            self.expectBody(of: served, framing)
        }
    }

    private func makeExchange(_ request: Request, _ input: Span<UInt8>) -> Exchange {
        let context = self.site.context
        let fields = request.head.fields
        let identity = ClientIdentity(
            self.peer,
            trusting: context.configuration.trustedProxies,
            fields,
            input
        )
        return Exchange(
            loop: self.loop,
            listener: context,
            carrier: self,
            method: request.head.method,
            requestID: RequestID(fields, input) ?? self.server.makeRequestID(),
            clientAddress: identity.client,
            startTime: self.loop.now,
            peerAddress: identity.peer,
            isPeerTrusted: identity.isPeerTrusted
        )
    }

    /// What becomes of the request: the pipeline decides, unless there is nothing for it to decide.
    private func verdict(
        _ exchange: Exchange,
        _ request: Request,
        _ input: Span<UInt8>
    ) -> Verdict {
        let merges = exchange.listener.configuration.mergesSlashes
        if let fault = request.normalizePath(input, mergingSlashes: merges) {
            exchange.respond(Problem(fault), detail: fault.detail.description)
            return .responded
        }
        if request.head.method == .connect {
            var allow: [UInt8] = []
            allow.appendField(.allow, "GET, HEAD, POST, PUT, DELETE, OPTIONS, PATCH")
            exchange.respond(
                Problem(status: 405),
                detail: "Tunnels are not made here.",
                fields: allow.span
            )
            return .responded
        }
        return exchange.listener.pipeline.run(exchange, request, input)
    }

    // MARK: Bodies

    /// The head was accepted, or answered, and its body is to come.
    private func expectBody(of served: ServedExchange, _ framing: BodyFraming) {
        if let exchange = served.exchange, !exchange.isAnswered {
            served.decoder = BodyDecoder(framing, bytesMax: exchange.bodyBytesMax)
            if case .length(let bytes) = framing, bytes > exchange.bodyBytesMax {
                // As what is left of a body is judged, so is one that is refused before it began.
                served.decoder = BodyDecoder(framing)
                self.answer(served, .bodyTooLarge)
                guard self.phase == .serving else { return }
            }
        }
        self.continueIfOwed(served)
        // None while who has taken it wants to wait with the body.
        self.updateDeadline()
    }

    /// Sends `100 Continue` if the client waits for it and it is the exchange's turn.
    func continueIfOwed(_ served: ServedExchange) {
        guard served.state.contains(.owesContinue), served === self.pending.front,
            !served.state.contains(.isBegun), served.exchange?.handler != nil
        else { return }
        served.state.remove(.owesContinue)
        self.server.withOutput { output in
            output.appendStatusLine(100)
            output.appendEndOfHead()
            self.emit(served, output.span)
        }
    }

    /// Takes bytes of a body; returns how many are done with, nil if more must come first.
    func takeBody(of served: ServedExchange, _ input: Span<UInt8>) -> Int? {
        if served.state.contains(.isBodyPaused) {
            self.pauseReading()
            return nil
        }
        switch served.decoder.decode(input) {
        case .payload(let range, let consumed):
            served.state.remove(.owesContinue)
            served.bodyBytes &+= UInt64(range.count)
            served.bodyArrivedAt = self.loop.now
            if let exchange = served.exchange, exchange.wantsBody {
                exchange.bodyReceived(input.extracting(range))
            } else {
                self.discarded(range.count, of: served)
            }
            if served.decoder.isComplete { self.requestCompleted(served) }
            return consumed
        case .needsInput(let consumed):
            return consumed > 0 ? consumed : nil
        case .end(let consumed):
            self.requestCompleted(served)
            return consumed
        case .failed(let fault):
            self.bodyFailed(served, fault.requestFault)
            return input.count
        }
    }

    /// All of the request has come.
    private func requestCompleted(_ served: ServedExchange) {
        guard self.incoming === served, self.phase == .serving else { return }
        self.incoming = nil
        served.state.insert(.isRequestComplete)
        if served.state.contains(.closes) { self.phase = .ending }
        self.updateDeadline()
        if let exchange = served.exchange, exchange.wantsBody {
            exchange.requestEnded()
            // The FIN behind it was seen before; nobody waits for what is not answered by now.
            if self.hasPeerHungUp, self.phase != .closed { self.peerHungUp() }
        }
        self.finishIfAnswered()
    }

    /// Bytes of a body have come that nobody wants; there is an end to reading them.
    private func discarded(_ count: Int, of served: ServedExchange) {
        served.bodyBytesDiscarded += count
        guard served.bodyBytesDiscarded > Self.discardedBytesMax else { return }
        self.hasIgnoredInput = true
        self.endServing()
    }

    /// The body is malformed, too large or too slow: answers if that is possible, and ends the connection.
    func bodyFailed(_ served: ServedExchange, _ fault: RequestFault) {
        self.hasIgnoredInput = true
        served.state.insert(.closes)
        if let exchange = served.exchange {
            if !exchange.isAnswered {
                self.answer(served, fault)
            } else if exchange.wantsBody {
                // Who passes the body on can't complete it, nor the answer to it.
                exchange.abort()
            }
        }
        self.endServing()
    }

    private func answer(_ served: ServedExchange, _ fault: RequestFault) {
        served.exchange?.respond(Problem(fault), detail: fault.detail.description)
    }

    // MARK: Time

    /// Sets the deadline of what is being waited for.
    func updateDeadline() {
        guard self.phase == .serving else { return }
        if let incoming = self.incoming {
            guard incoming.state.isDisjoint(with: [.isBodyPaused, .isTunnel]) else {
                return self.clearDeadline()
            }
            self.setDeadline(self.bodyDueTime(incoming))
        } else if self.parser.hasBegun {
            // The head's time has been running since its first byte.
        } else if self.pending.isEmpty {
            self.setDeadline(self.loop.now + self.site.limits.idleTimeout)
        } else {
            self.clearDeadline()
        }
    }

    /// The time has come at which the body was too slow unless more of it has come meanwhile.
    func bodyTimeReached(_ served: ServedExchange) {
        let due = self.bodyDueTime(served)
        if due > self.loop.now {
            self.setDeadline(due)
        } else {
            self.bodyFailed(served, .timeout)
        }
    }

    private func bodyDueTime(_ served: ServedExchange) -> MonotonicTime {
        let limits = self.site.limits
        return served.bodyDueTime(
            atLeast: limits.bodyBytesPerSecondMin,
            stall: limits.stallTimeout
        )
    }

    func pauseBody(_ exchange: Exchange) {
        guard let served = self.incoming, served.exchange === exchange,
            !served.state.contains(.isBodyPaused)
        else { return }
        served.state.insert(.isBodyPaused)
        served.bodyPausedSince = self.loop.now
        self.clearDeadline()
        self.pauseReading()
    }

    func resumeBody(_ exchange: Exchange) {
        guard let served = self.incoming, served.exchange === exchange,
            served.state.contains(.isBodyPaused)
        else { return }
        self.unpauseBody(served)
    }

    /// Goes on reading a body; the time of the pause does not count.
    func unpauseBody(_ served: ServedExchange) {
        served.state.remove(.isBodyPaused)
        served.bodyBegan = served.bodyBegan + (self.loop.now - served.bodyPausedSince)
        served.bodyArrivedAt = self.loop.now
        self.updateDeadline()
        self.resumeReadingIfPossible()
    }
}

import RelayConfig
import RelayEngine
import RelayHTTP
import RelayPipeline

/// Answering: responses go out in the order of their requests; those whose turn has not come are queued.
extension HTTPServerConnection {
    func respond(
        _ exchange: Exchange,
        status: UInt16,
        fields: Span<UInt8>,
        body: Span<UInt8>
    ) {
        guard let served = self.pending.first(of: exchange) else { return }
        self.server.withOutput { output in
            let length = UInt64(body.count)
            self.appendHead(served, status: status, fields: fields, length: length, to: &output)
            if !served.state.contains(.omitsBody) { output.append(body) }
            self.emit(served, output.span)
        }
        self.complete(served)
    }

    func respond(
        _ exchange: Exchange,
        status: UInt16,
        fields: Span<UInt8>,
        shared bytes: [UInt8],
        from: Int
    ) {
        let start = min(max(from, 0), bytes.count)
        guard let served = self.pending.first(of: exchange) else { return }
        // A small body is copied behind its head, a large one handed on beside it.
        guard bytes.count - start > 4 << 10, served === self.pending.front,
            !served.state.contains(.isMuted)
        else {
            let body = bytes.span.extracting(start..<bytes.count)
            return self.respond(exchange, status: status, fields: fields, body: body)
        }
        self.server.withOutput { output in
            let length = UInt64(bytes.count - start)
            self.appendHead(served, status: status, fields: fields, length: length, to: &output)
            self.write(output.span)
        }
        if !served.state.contains(.omitsBody) { self.write(shared: bytes, start..<bytes.count) }
        self.complete(served)
    }

    func beginResponse(
        _ exchange: Exchange,
        status: UInt16,
        fields: Span<UInt8>,
        length: UInt64?
    ) {
        guard let served = self.pending.first(of: exchange) else { return }
        self.server.withOutput { output in
            self.appendHead(served, status: status, fields: fields, length: length, to: &output)
            self.emit(served, output.span)
        }
    }

    func writeBody(_ exchange: Exchange, _ bytes: Span<UInt8>) -> Bool {
        guard let served = self.pending.first(of: exchange) else { return true }
        if bytes.count > 0, !served.state.contains(.omitsBody) {
            self.server.withOutput { output in
                if served.state.contains(.isChunked) {
                    output.appendChunk(bytes)
                } else if served.state.contains(.endsByClosing) {
                    output.append(bytes)
                } else {
                    // More than was announced would be taken for the next response.
                    let count = Int(clamping: min(served.responseBytesLeft, UInt64(bytes.count)))
                    served.responseBytesLeft -= UInt64(count)
                    output.append(bytes.extracting(first: count))
                }
                self.emit(served, output.span)
            }
        }
        let isFull =
            served === self.pending.front
            ? self.isOutputAboveHighWater : served.queued.count > Stream.highWaterMark
        if isFull {
            served.state.insert(.isBlocked)
            if served === self.pending.front { self.watchForStall() }
        }
        return !isFull
    }

    func endBody(_ exchange: Exchange) {
        guard let served = self.pending.first(of: exchange) else { return }
        if served.state.contains(.isChunked) {
            self.server.withOutput { output in
                output.appendLastChunk()
                self.emit(served, output.span)
            }
        } else if served.responseBytesLeft > 0 {
            served.state.insert(.isBroken)
        }
        self.complete(served)
    }

    func abort(_ exchange: Exchange) {
        guard let served = self.pending.first(of: exchange) else { return }
        served.state.insert(.isBroken)
        self.complete(served)
    }

    // MARK: Heads

    /// Begins the response and appends its head; decides whether it is the last of the connection.
    private func appendHead(
        _ served: ServedExchange,
        status: UInt16,
        fields: Span<UInt8>,
        length: UInt64?,
        to output: inout [UInt8]
    ) {
        self.begin(served)
        let hasBody = served.method.responseHasBody(status: status)
        if !hasBody { served.state.insert(.omitsBody) }
        if hasBody, length == nil {
            served.state.insert(
                served.state.contains(.isHTTP10) ? [.endsByClosing, .closes] : .isChunked
            )
        }
        served.responseBytesLeft = hasBody ? length ?? 0 : 0
        if self.endsBehind(served) { served.state.insert(.closes) }

        output.appendStart(status, self.server.date)
        output.append(fields)
        if let length, status >= 200, status != 204, status != 304 {
            output.appendField(.contentLength, length)
        } else if served.state.contains(.isChunked) {
            output.appendFraming(.chunked)
        }
        if served.state.contains(.closes) {
            output.appendField(.connection, "close")
        } else if served.state.contains(.isHTTP10) {
            output.appendField(.connection, "keep-alive")
        }
        output.appendEndOfHead()
    }

    /// Notes that a response begins.
    func begin(_ served: ServedExchange) {
        served.state.insert(.isBegun)
        served.startPosition = self.outputPosition
    }

    /// Whether the connection must end behind the answer, which is about to be begun.
    private func endsBehind(_ served: ServedExchange) -> Bool {
        if served.state.contains(.closes) { return true }
        if self.site.answersAreLast, self.pending.isLast(served) { return true }
        guard !served.state.contains(.isRequestComplete) else { return false }
        // Who waits for 100 may now send the body, or not: the next byte could be anything.
        if served.state.contains(.owesContinue) { return true }
        let left = served.decoder.payloadBytesLeft ?? 0
        return left > UInt64(Self.discardedBytesMax)
    }

    // MARK: Order

    /// Writes bytes of a response, or keeps them until it is its turn.
    func emit(_ served: ServedExchange, _ bytes: Span<UInt8>) {
        if served.state.contains(.isMuted) { return }
        if served === self.pending.front {
            self.write(bytes)
        } else {
            served.queued.append(bytes)
        }
    }

    /// A response is complete, or never will be.
    func complete(_ served: ServedExchange) {
        served.state.insert(.isComplete)
        if self.pending.isLast(served) { self.isTunnelAwaited = false }
        if let exchange = served.exchange {
            if exchange.watchesDelivery, !served.state.contains(.isBroken) {
                served.state.insert(.watches)
            } else {
                served.exchange = nil
                self.server.exchangesChanged(by: -1)
                // Nobody else ends one that waits for the arrival of what is broken.
                if exchange.watchesDelivery {
                    self.server.reportLater(.failed(exchange, wasWritten: true))
                }
            }
        }
        if self.incoming === served {
            if served.state.contains(.closes) {
                if !served.decoder.isComplete { self.hasIgnoredInput = true }
                self.phase = .ending
                self.incoming = nil
            } else if served.state.contains(.isBodyPaused) {
                self.unpauseBody(served)
            }
        }
        if served !== self.pending.front { self.askToAnswer(before: served) }
        self.advance()
    }

    /// Tells the exchanges before a complete one that it waits for them.
    private func askToAnswer(before complete: ServedExchange) {
        var next = self.pending.front
        while let served = next, served !== complete {
            if !served.state.contains(.isBegun), let exchange = served.exchange {
                self.server.reportLater(.laterResponseWaits(exchange))
            }
            next = served.next
        }
    }

    /// Takes what is complete from the front, and lets the next one write.
    private func advance() {
        while let front = self.pending.front, front.state.contains(.isComplete) {
            _ = self.pending.popFirst()
            self.written(front)
            if front.state.contains(.isBroken) {
                self.breakOff(behind: front)
                return
            }
            if front.state.contains(.closes) {
                self.phase = .ending
                while let behind = self.pending.popFirst() { self.drop(behind) }
            }
            if let next = self.pending.front { self.turnCame(next) }
        }
        if self.site.isDraining, self.isIdle { self.phase = .ending }
        self.finishIfAnswered()
        self.resumeReadingIfPossible()
        self.updateDeadline()
    }

    /// A response is with the connection in whole.
    private func written(_ served: ServedExchange) {
        guard served.state.contains(.watches), let exchange = served.exchange else { return }
        if served.state.contains(.isMuted) {
            served.exchange = nil
            self.server.exchangesChanged(by: -1)
            self.server.reportLater(.failed(exchange, wasWritten: false))
        } else {
            let action = served.proof.responseWritten(upTo: self.outputPosition, at: self.loop.now)
            self.awaiting.append(served)
            if action == .look { self.look(report: .later) }
        }
    }

    /// It is the turn of the next response.
    private func turnCame(_ served: ServedExchange) {
        served.startPosition = self.outputPosition
        if !served.queued.isEmpty, !served.state.contains(.isMuted) {
            let queued = served.queued
            served.queued = []
            self.write(shared: queued, 0..<queued.count)
        }
        self.continueIfOwed(served)
        if served.state.contains(.isBlocked), !self.isOutputAboveHighWater,
            let exchange = served.exchange
        {
            served.state.remove(.isBlocked)
            self.server.reportLater(.writable(exchange))
        }
        if served.state.contains(.isBlocked) { self.watchForStall() }
    }

    // MARK: Stalls

    /// The writer of a body waits for the client: sees to it that it does not wait for ever.
    private func watchForStall() {
        guard self.stallTimer == .none else { return }
        self.positionAtDeadline = self.writtenPosition
        self.stallTimer = self.armTimer(
            tag: TimerTag.stall,
            at: self.loop.now + self.site.limits.stallTimeout
        )
    }

    /// Ends a connection whose client has taken no byte since this was last looked for, while a writer waits.
    ///
    /// The timer runs on when the client catches up, so a stall is noticed after one to two times the limit.
    func lookForStall() {
        guard self.phase == .serving || self.phase == .ending,
            let front = self.pending.front, front.state.contains(.isBlocked),
            !front.state.contains(.isTunnel)
        else { return }
        if self.writtenPosition > self.positionAtDeadline {
            self.watchForStall()
        } else {
            self.abandon()
        }
    }

    /// Ends the connection so that the client sees that the response is not whole.
    private func breakOff(behind served: ServedExchange) {
        self.phase = .ending
        self.incoming = nil
        while let behind = self.pending.popFirst() { self.drop(behind) }
        if served.state.contains(.endsByClosing) {
            // The end of the connection would look like the end of the body.
            self.abandon(report: .later)
        } else {
            self.finish()
        }
    }
}

extension Stream {
    private static let turnBytesMax = 256 * 1024
    private static let turnCallsMax = 16

    // MARK: Calls

    /// Stops reading; the peer is slowed down by its TCP.
    ///
    /// `peerHungUp()` still comes.
    package final func pauseReading() {
        self.state.insert(.paused)
    }

    /// Goes on reading, in this turn or the next; what was left is offered first.
    package final func resumeReading() {
        guard self.state.contains(.paused) else { return }
        self.state.remove(.paused)
        if self.held.count > 0 { self.state.insert(.offersHeld) }
        self.scheduleReading()
    }

    /// Whether reading is paused.
    package final var isReadingPaused: Bool { self.state.contains(.paused) }

    /// Offers what is left again in the next turn, though nothing has arrived.
    package final func offerRestNextTurn() {
        self.state.insert(.offersHeld)
    }

    /// How many received bytes have been offered and not taken.
    package final var bytesHeld: Int { self.held.count }

    /// Whether the peer's hang-up was seen: `peerHungUp()` was called.
    package final var hasPeerHungUp: Bool { self.state.contains(.ended) }

    /// Whether the end of the peer's stream was seen: `inputEnded()` was called.
    package final var hasInputEnded: Bool { self.state.contains(.inputEnded) }

    // MARK: Loop

    /// The loop serves what an earlier turn has left.
    final func serveReady() {
        self.state.remove(.isReady)
        self.readIfPossible()
    }

    /// RDHUP, HUP or ERR was reported.
    final func hangUpReported(_ events: EpollEvents) {
        if !self.state.contains(.ended) {
            self.state.insert(.ended)
            if !self.state.contains(.closing) && !self.state.contains(.lingering) {
                self.peerHungUp()
            }
        }
        // Nobody reads, so nobody else would find the error.
        guard events.contains(.error), !self.mayRead, !self.state.contains(.finished) else {
            return
        }
        let pending = self.loop.system.takeSocketError(self.descriptor)
        if pending.isSuccess, pending.value == 0 { return }
        let error = pending.error ?? SystemError(code: Int32(truncatingIfNeeded: pending.value))
        self.finish(CloseReason(error))
    }

    /// Reads until the kernel has no more, nobody wants more, or the turn's budget is used up.
    final func readIfPossible() {
        var bytesLeft = Stream.turnBytesMax
        var callsLeft = Stream.turnCallsMax
        while self.wantsService {
            guard bytesLeft > 0, callsLeft > 0 else {
                self.scheduleReading()
                return
            }
            callsLeft -= 1
            if self.state.contains(.offersHeld) {
                self.loop.receiveBuffer.load(self.held)
                self.offer(self.held.count)
            } else {
                bytesLeft -= self.receiveOnce()
            }
            if self.state.contains(.offersHeld) {
                self.scheduleReading()
                return
            }
        }
    }

    private var mayRead: Bool {
        self.state.isDisjoint(with: [.paused, .closing])
    }

    private var wantsService: Bool {
        !self.state.isDisjoint(with: [.readable, .offersHeld])
            && self.state.isDisjoint(with: [.paused, .closing, .finished])
            && self.state.contains(.connected)
    }

    /// Enters the ready list if there is something to read or to offer.
    final func scheduleReading() {
        guard self.wantsService, !self.state.contains(.isReady) else { return }
        self.state.insert(.isReady)
        self.loop.addReady(self)
    }

    /// Makes one system call and passes on what it gave; returns how many bytes that were.
    @inline(__always)
    private func receiveOnce() -> Int {
        let heldCount = self.held.count
        if heldCount > 0 { self.loop.receiveBuffer.load(self.held) }
        let result = self.loop.receive(from: self.descriptor, behind: heldCount)
        if let error = result.error {
            self.state.remove(.readable)
            if error != .tryAgain { self.finish(CloseReason(error)) }
            return 0
        }
        if result.value == 0 {
            self.state.remove(.readable)
            self.endOfInput()
            return 0
        }
        // Data and FIN together give one event: only without an announced end does a short read
        // mean that the kernel has no more.
        if result.value < ReceiveBuffer.receivedMax, !self.state.contains(.ended) {
            self.state.remove(.readable)
        }
        self.receivedPosition += UInt64(result.value)
        if self.state.contains(.lingering) {
            self.discard(result.value)
        } else {
            self.offer(heldCount + result.value)
        }
        return result.value
    }

    /// Offers the first `count` bytes of the receive buffer and keeps what is not taken.
    private func offer(_ count: Int) {
        self.state.remove(.offersHeld)
        self.loop.withReceived(count) { input in
            let taken = self.received(input)
            precondition(taken >= 0 && taken <= count, "more bytes were taken than offered")
            if taken < count, self.state.isDisjoint(with: [.finished, .closing, .lingering]) {
                self.held.replace(with: input.extracting(taken..<count))
            } else if self.held.count > 0 {
                self.held.removeAll()
            }
        }
        if self.held.count == 0 { self.state.remove(.offersHeld) }
    }

    /// The peer's FIN was read.
    private func endOfInput() {
        guard !self.state.contains(.inputEnded) else { return }
        self.state.insert(.inputEnded)
        if self.state.contains(.lingering) {
            self.endLingeringIfDone()
            return
        }
        if !self.state.contains(.ended) {
            self.state.insert(.ended)
            self.peerHungUp()
        }
        if !self.state.contains(.finished) { self.inputEnded() }
        if self.state.contains(.outputFailed) { self.finish(.resetByPeer) }
    }

    private func discard(_ count: Int) {
        self.lingeringBytesLeft -= Int32(truncatingIfNeeded: count)
        if self.lingeringBytesLeft < 0 { self.finish(.closed) }
    }
}

extension Stream {
    /// Bytes queued above which a writer should stop; the low mark is a quarter of it.
    package static let highWaterMark = 65_536

    /// Shared bytes of less than this are copied: cheaper than another part in a gathered send.
    private static let sharedBytesMin = 4096

    // MARK: Calls

    /// Appends a copy of `bytes` to the output.
    package final func write(_ bytes: Span<UInt8>) {
        guard !bytes.isEmpty, let queue = self.outputForWriting() else { return }
        queue.append(bytes)
        self.outputAppended(bytes.count, queued: queue.count)
    }

    /// Appends `bytes[range]` to the output, without copying it if it is large.
    package final func write(shared bytes: [UInt8], _ range: Range<Int>) {
        guard !range.isEmpty, let queue = self.outputForWriting() else { return }
        if range.count < Stream.sharedBytesMin {
            queue.append(bytes.span.extracting(range))
        } else {
            precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count)
            queue.append(shared: bytes, range)
        }
        self.outputAppended(range.count, queued: queue.count)
    }

    /// Appends bytes to the output in place: `body` may append up to `capacity` of them.
    ///
    /// `body` is called always, also when the stream is over and what it writes is dropped.
    package final func write(upTo capacity: Int, _ body: (inout OutputSpan<UInt8>) -> Void) {
        guard let queue = self.outputForWriting() else {
            let unused = OutputQueue()
            _ = unused.append(upTo: capacity, body)
            return
        }
        let count = queue.append(upTo: capacity, body)
        self.outputAppended(count, queued: queue.count)
    }

    /// How many bytes were written and not yet given to the kernel.
    package final var bytesQueued: Int { self.output?.count ?? 0 }

    /// Whether the writer should stop: more than `highWaterMark` bytes are queued, or were and the
    /// low mark is not reached yet.
    package final var isOutputAboveHighWater: Bool { self.state.contains(.aboveHighWater) }

    /// How many bytes the peer's kernel has acknowledged, at least (own FIN not counted).
    ///
    /// Exact on TCP; on a unix socket a lower bound until the peer has read all. A system call.
    package final func acknowledgedPosition() -> UInt64 {
        guard self.descriptor >= 0, self.state.contains(.connected) else { return 0 }
        let result = self.loop.bytesUnacknowledged(self.descriptor)
        guard result.isSuccess else { return 0 }
        var unacknowledged = UInt64(result.value)
        // FIN takes a number of its own, behind all data.
        if self.state.contains(.hasShutDown), self.peer.family != .unix, unacknowledged > 0 {
            unacknowledged -= 1
        }
        return self.writtenPosition - min(unacknowledged, self.writtenPosition)
    }

    // MARK: Loop

    /// Sends the output at the end of the turn; called by the loop.
    final func flush() {
        self.state.remove(.isUnflushed)
        guard self.state.contains(.connected), !self.state.contains(.finished) else { return }
        self.send()
        guard !self.state.contains(.finished) else { return }
        if self.state.contains(.aboveHighWater), self.bytesQueued <= Stream.highWaterMark / 4 {
            self.state.remove(.aboveHighWater)
            if self.state.isDisjoint(with: [.closing, .lingering, .shutsDown]) {
                self.outputBelowLowWater()
            }
        }
        if self.output == nil { self.outputSent() }
    }

    /// Enters the loop's list of what is to be sent.
    final func scheduleFlush() {
        guard !self.state.contains(.isUnflushed) else { return }
        self.state.insert(.isUnflushed)
        self.loop.addUnflushed(self)
    }

    /// Gives the output up.
    final func dropOutput() {
        self.output?.removeAll()
        self.giveBackQueue()
    }

    private func outputForWriting() -> OutputQueue? {
        self.loop.assertOnLoop()
        guard
            self.state.isDisjoint(
                with: [.finished, .closing, .lingering, .shutsDown, .outputFailed])
        else { return nil }
        if let queue = self.output { return queue }
        let queue = self.loop.spareQueues.take()
        self.output = queue
        return queue
    }

    private func outputAppended(_ count: Int, queued: Int) {
        self.outputPosition += UInt64(count)
        if queued > Stream.highWaterMark {
            // Sent now, as far as the kernel takes it, so that a turn gathers no more than this;
            // what that means is reported at the end of the turn.
            self.send()
            if self.bytesQueued > Stream.highWaterMark { self.state.insert(.aboveHighWater) }
        }
        self.scheduleFlush()
    }

    /// Sends until the kernel refuses or there is nothing left.
    private func send() {
        guard self.state.contains(.connected), let queue = self.output.take() else { return }
        var refusal: SystemError?
        while queue.count > 0, self.state.contains(.writable) {
            // More parts than one call takes are no refusal, so that a short count says nothing.
            let wanted = queue.isContiguous ? queue.count : 0
            let result = self.loop.send(queue, to: self.descriptor)
            if let error = result.error {
                self.state.remove(.writable)
                if error != .tryAgain { refusal = error }
                break
            }
            self.writtenPosition += UInt64(result.value)
            self.state.insert(.hasSent)
            if result.value < wanted { self.state.remove(.writable) }
        }
        if queue.count > 0 { self.output = queue } else { self.loop.spareQueues.put(queue) }
        if let refusal { self.outputRefused(CloseReason(refusal)) }
    }

    private func giveBackQueue() {
        guard let queue = self.output.take() else { return }
        self.loop.spareQueues.put(queue)
    }

    /// The kernel takes no more output for good.
    ///
    /// What the peer sent before it went away may be an early answer, so it is read first.
    private func outputRefused(_ reason: CloseReason) {
        self.dropOutput()
        guard self.state.isDisjoint(with: [.paused, .closing, .inputEnded]) else {
            self.finish(reason)
            return
        }
        self.state.formUnion([.outputFailed, .readable])
        self.state.remove(.hasSent)
        self.closeReason = reason
        self.scheduleReading()
    }

    /// All output is with the kernel.
    private func outputSent() {
        if self.state.contains(.closing) {
            self.finish(.closed)
            return
        }
        if self.state.contains(.shutsDown), !self.state.contains(.hasShutDown) {
            self.state.insert(.hasShutDown)
            _ = self.loop.system.shutdownOutput(self.descriptor)
        }
        if self.state.contains(.lingering) {
            self.endLingeringIfDone()
            return
        }
        guard self.state.contains(.hasSent) else { return }
        self.state.remove(.hasSent)
        self.outputDrained()
    }
}

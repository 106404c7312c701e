extension Stream {
    /// Ends our direction once all output is with the kernel (FIN).
    ///
    /// Reading goes on. Later writes are dropped.
    package final func shutdownOutput() {
        self.loop.assertOnLoop()
        guard self.state.isDisjoint(with: [.finished, .closing, .shutsDown]) else { return }
        self.state.insert(.shutsDown)
        self.scheduleFlush()
    }

    /// Whether FIN was given to the kernel.
    package final var hasShutDownOutput: Bool { self.state.contains(.hasShutDown) }

    /// Sends what is queued, then closes; resets if that takes longer than `limit`.
    ///
    /// Reading stops, and no event but `closed(_:)` follows. If bytes of the peer stand unread, its
    /// TCP gets a reset and may drop the answer: use `closeLingering` where that matters.
    package final func close(within limit: Duration = .seconds(30)) {
        self.loop.assertOnLoop()
        guard self.state.isDisjoint(with: [.finished, .closing]) else { return }
        guard self.state.contains(.connected) else {
            self.endUnconnected(.closed)
            return
        }
        self.setDeadline(self.loop.now + limit)
        self.state.insert(.closing)
        self.held.removeAll()
        self.scheduleFlush()
    }

    /// Sends what is queued, then FIN, then reads and discards until the peer's FIN, then closes, so
    /// that the last answer survives input that nobody wants (RFC 9112 section 9.6).
    ///
    /// Closes at the latest after `limit` or `bytesMax` bytes. No event but `closed(_:)` follows.
    package final func closeLingering(
        within limit: Duration = .seconds(2),
        bytesMax: Int = 1 << 20
    ) {
        self.loop.assertOnLoop()
        guard self.state.isDisjoint(with: [.finished, .closing, .lingering]) else { return }
        guard self.state.contains(.connected) else {
            self.endUnconnected(.closed)
            return
        }
        self.setDeadline(self.loop.now + limit)
        self.state.formUnion([.lingering, .shutsDown])
        self.state.remove(.offersHeld)
        self.held.removeAll()
        self.lingeringBytesLeft = Int32(clamping: bytesMax)
        self.resumeReading()
        self.scheduleFlush()
    }

    /// Ends the connection now with a reset (`SO_LINGER` 0), dropping all output.
    package final func reset() {
        self.loop.assertOnLoop()
        guard !self.state.contains(.finished) else { return }
        guard self.state.contains(.connected) else {
            self.endUnconnected(.resetByUs)
            return
        }
        _ = self.loop.system.setOption(.resetOnClose, of: self.descriptor, to: 1)
        self.finish(.resetByUs)
    }

    // MARK: Loop

    /// The stream is over; `closed(_:)` follows at the end of the turn.
    final func finish(_ reason: CloseReason) {
        guard !self.state.contains(.finished) else { return }
        self.state.insert(.finished)
        self.closeReason = self.state.contains(.outputFailed) ? self.closeReason : reason
        self.loop.addEnding(self)
    }

    /// Says goodbye and frees what the stream has; called once by the loop.
    final func end() {
        self.loop.cancel(self.deadlineTimer)
        self.deadlineTimer = .none
        self.closed(self.closeReason)
        self.dropOutput()
        self.held.removeAll()
        self.loop.forget(self)
        if self.descriptor >= 0 { _ = self.loop.system.close(self.descriptor) }
        self.descriptor = -1
        if self.state.contains(.counted) { self.loop.streamCountChanged(by: -1) }
        self.listener?.connectionClosed()
        self.listener = nil
    }

    /// The peer's FIN was read or ours was sent while lingering: with both, nothing is left to do.
    final func endLingeringIfDone() {
        if self.state.isSuperset(of: [.inputEnded, .hasShutDown]) { self.finish(.closed) }
    }

    /// Ends a stream that connects; one that was never asked to has nothing to say.
    private func endUnconnected(_ reason: CloseReason) {
        guard self.state.contains(.counted) else { return }
        self.finish(reason)
    }
}

// MARK: - Time

extension Stream {
    /// The tag of the stream's own timer.
    static let deadlineTag = UInt32.max

    /// Has `deadlineReached()` called at `time`, in place of an earlier deadline.
    ///
    /// A store if the deadline only moves back, the common case. Does nothing once the stream
    /// is closing, when its time is the engine's.
    package final func setDeadline(_ time: MonotonicTime) {
        guard self.state.isDisjoint(with: [.finished, .closing, .lingering]) else { return }
        self.deadline = time
        if time == .never { return }
        if self.deadlineTimer == .none {
            self.armDeadlineTimer(at: time)
        } else if time < self.deadlineTimerTime {
            self.deadlineTimerTime = time
            self.loop.rearm(self.deadlineTimer, at: time)
        }
    }

    private func armDeadlineTimer(at time: MonotonicTime) {
        self.deadlineTimerTime = time
        self.deadlineTimer = self.loop.arm(self, tag: Stream.deadlineTag, at: time)
    }

    /// Clears the deadline.
    package final func clearDeadline() {
        guard self.state.isDisjoint(with: [.closing, .lingering]) else { return }
        // The timer stays and fires once in vain, which is cheaper than moving it for every request.
        self.deadline = .never
    }

    /// Has `timerFired(tag)` called at `time`, unless the stream is over by then.
    ///
    /// `tag` is below `UInt32.max`. To be moved and cancelled through the loop.
    package final func armTimer(tag: UInt32, at time: MonotonicTime) -> TimerHandle {
        assert(tag != Stream.deadlineTag, "this tag is the stream's own")
        return self.loop.arm(self, tag: tag, at: time)
    }

    /// The stream's own timer has come, for the deadline or for an earlier one that was moved.
    final func deadlineTimerFired() {
        self.deadlineTimer = .none
        let deadline = self.deadline
        if deadline == .never { return }
        if deadline > self.loop.now {
            self.armDeadlineTimer(at: deadline)
            return
        }
        self.deadline = .never
        if !self.state.contains(.connected) {
            self.finish(.timedOut)
        } else if self.state.contains(.closing) {
            _ = self.loop.system.setOption(.resetOnClose, of: self.descriptor, to: 1)
            self.finish(.timedOut)
        } else if self.state.contains(.lingering) {
            self.finish(self.output == nil ? .closed : .timedOut)
        } else {
            self.deadlineReached()
        }
    }
}

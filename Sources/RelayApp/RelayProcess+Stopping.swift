import Logging
import RelayConfig
import RelayEngine
import RelayPackets
import RelayServer

/// What ends relay. All on the control loop.
extension RelayProcess: TimerTarget {
    private static let graceTag: UInt32 = 0
    private static let drainTag: UInt32 = 1

    /// The first time: stops in order; the second time: at once.
    func stopAsked() {
        switch self.stopping {
        case .no:
            self.stopping = .draining
            self.becomeUnready()
            let shutdown = self.shutdown
            self.logger.notice("stopping: what is under way finishes first")
            if shutdown.grace > .zero {
                _ = self.control.arm(
                    self,
                    tag: Self.graceTag,
                    at: self.control.now + shutdown.grace
                )
            } else {
                self.beginDrain()
            }
        case .draining:
            self.logger.notice("stopping at once, as asked again")
            self.end()
        case .over:
            break
        }
    }

    package func timerElapsed(_ tag: UInt32) {
        guard tag != Self.readingTag else { return self.readingTimedOut() }
        guard tag != Self.memoryTag else { return self.memoryLookDue() }
        guard case .draining = self.stopping else { return }
        if tag == Self.graceTag {
            self.beginDrain()
        } else {
            self.logger.warning(
                "drain_timeout is over; what is under way is cut off",
                metadata: [
                    "connections": "\(self.server.connections)",
                    "exchanges": "\(self.server.exchanges)",
                ]
            )
            self.end()
        }
    }

    /// Closes the listeners, answers held polls, and waits for the rest.
    private func beginDrain() {
        let shutdown = self.shutdown
        let left = Countdown(2)
        let finished: @Sendable () -> Void = {
            guard left.isLast() else { return }
            self.control.post { _ in self.end() }
        }
        self.server.drain(timeout: shutdown.drainTimeout, finished)
        // Spread over less than all of the time, so that the last ones are answered before it is over.
        let spread = min(shutdown.grace, shutdown.drainTimeout / 2)
        self.packets.drain(grace: spread, whenIdle: finished)
        _ = self.control.arm(self, tag: Self.drainTag, at: self.control.now + shutdown.drainTimeout)
    }

    private func end() {
        if case .over = self.stopping { return }
        self.stopping = .over
        self.logger.notice("stopped")
        self.control.stop()
    }

    private var shutdown: ShutdownConfiguration {
        self.plan?.configuration.shutdown ?? ShutdownConfiguration()
    }
}

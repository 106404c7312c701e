import Logging
import RelayConfig
import RelayEngine
import RelayPipeline
import RelayServer

/// What relay does about `memory.limit`. All on the control loop.
extension RelayProcess {
    /// The timer of the next look.
    static let memoryTag: UInt32 = 3

    /// How often relay looks: a few microseconds each time.
    private static let lookInterval = Duration.milliseconds(250)
    /// How often unused memory is given back while there is little, which takes milliseconds.
    private static let returnInterval = Duration.seconds(5)

    /// `memory.limit` in bytes; nil if it is `auto` and nobody says what there is.
    static func memoryLimit(_ memory: MemoryConfiguration, available: Int?) -> Int? {
        memory.limitBytes ?? available.map { max(MemoryWatch.automaticLimit(of: $0), 1) }
    }

    /// Begins to look.
    func watchMemory() {
        guard self.memoryWatch != nil else { return }
        self.armMemoryTimer()
    }

    private func armMemoryTimer() {
        _ = self.control.arm(self, tag: Self.memoryTag, at: self.control.now + Self.lookInterval)
    }

    /// It is time to look.
    func memoryLookDue() {
        if case .over = self.stopping { return }
        self.armMemoryTimer()
        guard let used = self.control.system.memoryBytesUsed() else { return }
        if let level = self.memoryWatch?.measured(used) { self.memoryLevelChanged(level, used) }
        guard self.memoryPressure.level > .ample else { return }
        self.server.closeIdleConnections()
        self.returnUnusedMemory()
    }

    private func memoryLevelChanged(_ level: MemoryLevel, _ used: Int) {
        self.memoryPressure.level = level
        if level == .critical {
            self.server.pauseAccepting()
        } else {
            self.server.resumeAccepting()
        }
        let facts: Logger.Metadata = [
            "used_bytes": "\(used)", "limit_bytes": "\(self.memoryWatch?.limitBytes ?? 0)",
        ]
        switch level {
        case .ample:
            self.logger.notice("memory is ample again; nothing is refused", metadata: facts)
        case .short:
            self.logger.warning(
                """
                memory is short: new packets, large uploads and logins get 503; \
                raise memory.limit, or lower inbox_bytes, outbox_bytes and buffered
                """,
                metadata: facts
            )
        case .critical:
            self.logger.error(
                "memory is nearly used up: no connections are accepted until some is free",
                metadata: facts
            )
        }
    }

    /// Has malloc give back what it keeps for later: only what the process does not have any more counts.
    private func returnUnusedMemory() {
        guard self.control.now >= self.memoryReturnDue else { return }
        self.memoryReturnDue = self.control.now + Self.returnInterval
        let system = self.control.system
        _ = self.files.run { system.returnUnusedMemory() }
    }
}

extension Stream {
    /// Connects to `address`; `connected()` or `closed(_:)` follows, the latter with `.timedOut` at
    /// `deadline`.
    ///
    /// Once per stream. What is written before is queued. Until `connected()`, the stream's deadline
    /// is this one.
    package final func connect(to address: SocketAddress, deadline: MonotonicTime) {
        self.loop.assertOnLoop()
        precondition(!self.state.contains(.counted), "a stream connects once")
        self.peer = address
        self.state.insert(.counted)
        self.loop.streamCountChanged(by: 1)
        self.setDeadline(deadline)
        let system = self.loop.system
        let socket = system.socket(self.peer.family)
        if let error = socket.error {
            self.finish(CloseReason(error))
            return
        }
        self.descriptor = socket.descriptor
        if self.peer.family != .unix {
            _ = system.setOption(.noDelay, of: self.descriptor, to: 1)
        }
        let result = system.connect(self.descriptor, to: self.peer)
        if let error = result.error, error != .inProgress, error != .interrupted {
            self.finish(CloseReason(error))
            return
        }
        // Registered only now: a socket that does not connect yet would report a hang-up.
        self.register()
    }

    /// An event of a stream that connects: it has succeeded or failed, or nothing is decided yet.
    final func connectDecided(_ events: EpollEvents) {
        guard !events.isDisjoint(with: [.writable, .error, .hangUp]) else { return }
        let pending = self.loop.system.takeSocketError(self.descriptor)
        if pending.value != 0 || !pending.isSuccess {
            let error = pending.error ?? SystemError(code: Int32(truncatingIfNeeded: pending.value))
            self.finish(error == .timedOut ? .timedOut : CloseReason(error))
            return
        }
        // `writable` without an error is success; a hang-up alone says nothing.
        guard events.contains(.writable) else { return }
        self.state.formUnion([.connected, .writable])
        self.clearDeadline()
        self.connected()
        if self.output != nil || self.state.contains(.shutsDown) { self.scheduleFlush() }
        // Data may have come with it, and edge-triggered it is reported once.
        self.eventsReported(events.subtracting(.writable))
    }

    /// Enters the loop's epoll.
    final func register() {
        let added = self.loop.register(
            self,
            [.readable, .writable, .peerHangUp, .edgeTriggered]
        )
        if let error = added.error { self.finish(CloseReason(error)) }
    }

    /// Whether the stream is connected and not closed.
    package final var isOpen: Bool {
        self.state.contains(.connected) && !self.state.contains(.finished)
    }

    /// How others may keep this stream, from `connect` or accept on.
    package final var handle: StreamHandle { self.loop.handle(of: self) }

    /// Sets TCP keep-alive, which finds a peer that is gone without a word.
    ///
    /// Nothing on unix sockets.
    ///
    /// To be called once it is connected.
    package final func setKeepAlive(_ settings: KeepAlive) {
        guard self.descriptor >= 0, self.peer.family != .unix else { return }
        let system = self.loop.system
        _ = system.setOption(.keepAlive, of: self.descriptor, to: 1)
        _ = system.setOption(
            .keepAliveIdle,
            of: self.descriptor,
            to: settings.idle.wholeSecondsAtLeastOne
        )
        _ = system.setOption(
            .keepAliveInterval,
            of: self.descriptor,
            to: settings.interval.wholeSecondsAtLeastOne
        )
        _ = system.setOption(.keepAliveProbes, of: self.descriptor, to: settings.probes)
    }

    /// The address of our end; nil if the system does not say.
    package final var localAddress: SocketAddress? {
        self.descriptor < 0 ? nil : self.loop.system.localAddress(self.descriptor)
    }
}

/// When TCP asks a silent peer whether it is still there.
package struct KeepAlive: Hashable, Sendable {
    /// Silence before the first question, in whole seconds.
    package var idle: Duration
    /// Time between questions, in whole seconds.
    package var interval: Duration
    /// Unanswered questions after which the connection is reset.
    package var probes: Int32

    /// Asks after `idle`, then every `interval`, `probes` times.
    package init(idle: Duration, interval: Duration, probes: Int32) {
        self.idle = idle
        self.interval = interval
        self.probes = probes
    }
}

extension Duration {
    fileprivate var wholeSecondsAtLeastOne: Int32 {
        Int32(clamping: max(1, self.components.seconds))
    }
}

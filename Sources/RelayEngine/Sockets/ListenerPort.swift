/// A listener's place in one loop: accepts, spreads, and pauses when something runs out.
final class ListenerPort: EventSource {
    private let listener: Listener
    private let group: EventLoopGroup
    private let makeStream: Listener.StreamFactory
    private var isRegistered = false
    /// Descriptors or kernel memory ran out; until a connection of this loop closes or time passes.
    private var isExhausted = false
    /// The listener has as many connections as it may.
    private var isFull = false
    private var isClosed = false
    private var retryTimer: TimerHandle = .none

    private static let acceptsPerTurn = 16
    private static let exhaustionPause: Duration = .milliseconds(100)

    init(
        listener: Listener,
        group: EventLoopGroup,
        loop: EventLoop,
        makeStream: @escaping Listener.StreamFactory
    ) {
        self.listener = listener
        self.group = group
        self.makeStream = makeStream
        super.init(on: loop)
        self.descriptor = listener.descriptor
    }

    /// Enters or leaves the loop's epoll, as things stand.
    func update() {
        let accepts =
            !self.isClosed && !self.isExhausted && !self.isFull
            && !self.listener.isAcceptingPaused
        guard accepts != self.isRegistered else { return }
        self.isRegistered = accepts
        if !accepts {
            self.loop.unregister(self)
        } else if !self.loop.register(self, [.readable, .exclusive]).isSuccess {
            self.isRegistered = false
            self.pauseUntilSomethingIsFree()
        }
    }

    override func eventsReported(_ events: EpollEvents) {
        guard self.isRegistered else { return }
        for _ in 0..<ListenerPort.acceptsPerTurn {
            guard self.acceptOne() else { return }
        }
    }

    /// A descriptor of this loop was closed.
    func descriptorFreed() {
        guard self.isExhausted else { return }
        self.loop.cancel(self.retryTimer)
        self.retryTimer = .none
        self.isExhausted = false
        self.update()
    }

    /// The listener is no longer full, or was paused or resumed.
    func permitsMayBeFree() {
        self.isFull = false
        self.update()
    }

    /// Leaves the loop for good.
    func close() {
        self.isClosed = true
        self.loop.cancel(self.retryTimer)
        self.update()
    }

    /// Accepts all that the kernel has queued, permits or not: these clients believe themselves
    /// connected, and closing the socket would reset them.
    func acceptAll() {
        while true {
            let (result, peer) = self.loop.system.accept(self.descriptor)
            if result.isSuccess {
                self.listener.connectionAcceptedBeyondLimit()
                self.place(result.descriptor, peer)
            } else if result.error != .connectionAborted {
                return
            }
        }
    }

    /// Accepts one connection; false if the turn's accepting is over.
    private func acceptOne() -> Bool {
        guard self.listener.reserveConnection() else {
            if self.listener.waitForPermit() {
                self.isFull = true
                self.update()
                return false
            }
            return true
        }
        let (result, peer) = self.loop.system.accept(self.descriptor)
        guard let error = result.error else {
            self.place(result.descriptor, peer)
            return true
        }
        self.listener.connectionClosed()
        if error == .connectionAborted { return true }
        if error.isExhaustion {
            self.listener.exhausted()
            self.pauseUntilSomethingIsFree()
        }
        return false
    }

    private func pauseUntilSomethingIsFree() {
        self.isExhausted = true
        self.update()
        if !self.loop.exhaustedPorts.contains(where: { $0 === self }) {
            self.loop.exhaustedPorts.append(self)
        }
        self.loop.cancel(self.retryTimer)
        self.retryTimer = self.loop.arm(
            self,
            tag: 0,
            at: self.loop.now + ListenerPort.exhaustionPause
        )
    }

    /// Keeps a connection here, or gives it to the least loaded loop if this one has many more.
    private func place(_ descriptor: Descriptor, _ peer: SocketAddress) {
        let accepted = AcceptedSocket(descriptor: descriptor, peer: peer, listener: self.listener)
        let least = self.group.leastLoaded
        let leastCount = least.streamCount
        guard self.loop.streamCount > leastCount + leastCount / 8 + 16 else {
            _ = self.makeStream(accepted, self.loop)
            return
        }
        least.handedOverCountChanged(by: 1)
        least.post { [makeStream = self.makeStream] loop in
            loop.handedOverCountChanged(by: -1)
            _ = makeStream(accepted, loop)
        }
    }
}

extension ListenerPort: TimerTarget {
    func timerElapsed(_ tag: UInt32) {
        self.retryTimer = .none
        self.isExhausted = false
        self.update()
    }
}

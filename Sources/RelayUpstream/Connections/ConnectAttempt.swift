import RelayConfig
import RelayEngine

/// One attempt to connect to a target, with a permit: the name, then one address after the other, until
/// one answers or the pool's connect timeout has passed.
///
/// Bound to its loop. Goes on if its request is given up, because others may use the connection.
final class ConnectAttempt: TimerTarget {
    /// What it connects to.
    let target: UpstreamTarget
    /// The pool, which it keeps alive.
    let pool: UpstreamPool
    /// What is sent over the connection; nil once that was given up.
    var request: UpstreamRequest?

    /// The target's health as the attempt began.
    private let healthSeen: TargetHealth
    private let deadline: MonotonicTime
    private var addresses: [SocketAddress] = []
    private var addressIndex = 0
    private var timer = TimerHandle.none

    /// An attempt for a request; `begin` follows.
    init(for request: UpstreamRequest, target: UpstreamTarget, pool: UpstreamPool) {
        self.target = target
        self.pool = pool
        self.request = request
        self.healthSeen = target.shared.health
        self.deadline = pool.loop.now + pool.configuration.connectTimeout
    }

    /// Connects to `addresses`; without any, waits for `resolved`.
    func begin(_ addresses: [SocketAddress]) {
        self.addresses = addresses
        if addresses.isEmpty {
            self.timer = self.pool.loop.arm(self, tag: 0, at: self.deadline)
        } else {
            self.connectToNext()
        }
    }

    /// The name was looked up: to these addresses, or to none for the reason given.
    func resolved(_ addresses: [SocketAddress], failure: String?) {
        self.pool.loop.cancel(self.timer)
        if let failure {
            self.fail("name look-up failed: \(failure)")
        } else {
            self.addresses = addresses
            self.connectToNext()
        }
    }

    /// The name was not looked up in time.
    func timerElapsed(_ tag: UInt32) {
        self.target.stopAwaitingAddresses(self)
        self.fail("name look-up takes too long")
    }

    /// `connection` is connected.
    func connected(_ connection: UpstreamConnection, to address: SocketAddress) {
        self.target.connectSucceeded(to: address)
        if let request = self.request {
            self.request = nil
            connection.send(request, isReused: false)
        } else {
            self.target.connectionFreed(connection)
        }
    }

    /// The connection to the latest address did not come about.
    func connectionFailed(_ reason: CloseReason) {
        if case .failed(let error) = reason, error.isExhaustion {
            // That is our trouble and says nothing about the target.
            self.end(UpstreamFailure(.noCapacity, .notSent, reason: error.description))
        } else if self.addressIndex < self.addresses.count, self.pool.loop.now < self.deadline {
            self.connectToNext()
        } else {
            self.fail(reason.connectSentence)
        }
    }

    /// Connects to the next address, which gets its share of the time that is left.
    private func connectToNext() {
        let now = self.pool.loop.now
        let address = self.addresses[self.addressIndex]
        let share = max(self.deadline - now, .zero) / (self.addresses.count - self.addressIndex)
        self.addressIndex += 1
        let connection = UpstreamConnection(self, address: address)
        connection.connect(to: address, deadline: now + share)
    }

    private func fail(_ reason: String) {
        self.target.connectFailed(healthSeen: self.healthSeen, reason: reason)
        self.end(UpstreamFailure(.unreachable, .notSent, reason: reason))
    }

    private func end(_ failure: UpstreamFailure) {
        self.target.shared.giveBackPermit()
        if let request = self.request {
            self.request = nil
            self.pool.fail(request, failure)
        }
    }
}

@available(*, unavailable) extension ConnectAttempt: Sendable {}

extension CloseReason {
    /// Why a connect failed.
    fileprivate var connectSentence: String {
        switch self {
        case .refused: "connection refused"
        case .timedOut: "connect timeout"
        case .resetByPeer: "connection reset while connecting"
        case .failed(let error): error.description
        case .closed, .resetByUs: "connection given up"
        }
    }
}

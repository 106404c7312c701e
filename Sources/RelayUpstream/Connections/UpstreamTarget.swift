import DequeModule
import Logging
import RelayConfig
import RelayEngine
import RelayHTTP
import Synchronization

/// A target on one event loop: this loop's idle connections to it, and the requests that wait for one.
///
/// Bound to its loop. Its pool keeps it; what is under way keeps the pool.
final class UpstreamTarget {
    /// Its pool.
    unowned let pool: UpstreamPool
    /// Its index in the pool.
    let index: Int
    /// What the loops share of it.
    let shared: SharedTarget
    /// Where requests go that name no path.
    let path: [UInt8]
    /// The complete `Host` line.
    let hostLine: [UInt8]
    /// What a POST to `path` begins with, as packets, fetches and logins do: request line and `Host` line.
    let postStart: [UInt8]

    private let url: TargetURL
    /// How many idle connections this loop keeps.
    private let idleMax: Int
    /// Most recently used last.
    private var idle: Deque<UpstreamConnection> = []
    /// Longest waiting first.
    private var queue: Deque<UpstreamRequest> = []
    /// Whether this loop is among those who wait for a permit; at most once, however long the queue is.
    private var isAwaitingPermit = false
    /// Connections that went to the own queue while others waited.
    private var reusesInARow = 0
    private var addressBook: AddressBook
    private var attemptsAwaitingAddresses: [ConnectAttempt] = []
    private lazy var port = TargetPort(self, loop: self.pool.loop)

    /// How often in a row a loop may use a connection for its own queue while another loop waits: a loop
    /// that always has requests must not keep all permits for ever.
    private static let reusesInARowMax = 16

    /// The target at `index` of a pool.
    init(_ index: Int, pool: UpstreamPool) {
        let configuration = pool.configuration
        let url = configuration.targets[index].url
        self.pool = pool
        self.index = index
        self.shared = pool.shared.targets[index]
        self.url = url
        let path = Array((url.path.isEmpty ? "/" : url.path).utf8)
        self.path = path
        let host =
            switch configuration.host {
            case .pass, .target: url.authority
            case .literal(let text): text
            }
        self.hostLine = Array("Host: \(host)\r\n".utf8)
        var postStart: [UInt8] = []
        postStart.appendRequestLine(.post, target: path.span)
        postStart.append(contentsOf: self.hostLine)
        self.postStart = postStart
        let idle = min(configuration.connections.idleMax, configuration.connections.max)
        let loops = pool.shared.loopCount
        self.idleMax = idle / loops + (pool.loop.index % loops < idle % loops ? 1 : 0)
        self.addressBook = AddressBook(url.address)
    }

    /// The target is used from now on.
    func open() { self.shared.add(self.port) }

    /// The target is used no more, except for what is under way.
    func retire() {
        while self.closeOldestIdle() {}
    }

    /// The pool is gone.
    func close() { self.shared.remove(self.port) }
}

@available(*, unavailable) extension UpstreamTarget: Sendable {}

// MARK: - Requests

extension UpstreamTarget {
    /// Sends a request: now, or when there is a connection for it.
    func start(_ request: UpstreamRequest) {
        if let connection = self.takeIdle(for: request) {
            connection.send(request, isReused: true)
        } else if self.queue.isEmpty, self.shared.takePermit() {
            self.connect(for: request)
        } else {
            self.enqueue(request)
        }
    }

    /// A request that is still in the queue is given up.
    func removeFromQueue(_ request: UpstreamRequest) {
        guard let index = self.queue.firstIndex(where: { $0 === request }) else { return }
        self.queue.remove(at: index)
        self.shared.removePending()
    }

    /// Opens a connection for a request, with a permit that the caller has.
    func connect(for request: UpstreamRequest) {
        let attempt = ConnectAttempt(for: request, target: self, pool: self.pool)
        request.stage = .connecting(attempt)
        request.armDeadline()
        let answer = self.addressBook.connectionWanted(at: self.pool.loop.now)
        if answer.addresses.isEmpty { self.attemptsAwaitingAddresses.append(attempt) }
        if let name = answer.ask { self.resolve(name) }
        attempt.begin(answer.addresses)
    }

    private func enqueue(_ request: UpstreamRequest) {
        guard self.shared.addPending() else {
            let reason = "too many requests wait for a connection"
            self.pool.failLater(request, UpstreamFailure(.noCapacity, .notSent, reason: reason))
            return
        }
        request.stage = .queued
        request.armDeadline(isQueued: true)
        self.queue.append(request)
        self.obtainPermits()
    }

    private func dequeue() -> UpstreamRequest? {
        guard let request = self.queue.popFirst() else { return nil }
        self.shared.removePending()
        return request
    }
}

// MARK: - Permits

extension UpstreamTarget {
    /// The permit that this loop waited for has come.
    func permitGranted() {
        self.isAwaitingPermit = false
        if let request = self.dequeue() {
            self.connect(for: request)
            self.obtainPermits()
        } else {
            self.shared.giveBackPermit()
        }
    }

    /// Another loop waits for a permit: closes the connection that has been idle longest, whose permit
    /// goes to it.
    func closeIdleForWaiters() {
        if self.shared.hasPermitWaiters { _ = self.closeOldestIdle() }
    }

    /// Opens connections for the queue while there are permits; else waits for one.
    private func obtainPermits() {
        while !self.queue.isEmpty, !self.isAwaitingPermit {
            if self.shared.takePermitOrWait(self.port) {
                if let request = self.dequeue() { self.connect(for: request) }
            } else {
                self.isAwaitingPermit = true
                // Idle connections hold permits, here only such as will not do for the request.
                if !self.closeOldestIdle() { self.shared.askForIdleConnection(from: self.port) }
            }
        }
    }
}

// MARK: - Connections

extension UpstreamTarget {
    /// A connection has nothing to do: it serves the queue, is kept idle, or closes for somebody who
    /// waits for its permit.
    func connectionFreed(_ connection: UpstreamConnection) {
        let pool = self.pool
        if self.mustHandOver() {
            connection.closeUnused()
        } else if let request = self.dequeue() {
            connection.send(request, isReused: true)
        } else if pool.isRetired || self.idle.count >= self.idleMax {
            connection.closeUnused()
        } else if connection.park(atMost: pool.configuration.connections.idleTimeout) {
            self.idle.append(connection)
            self.port.hasIdle.store(true, ordering: .sequentiallyConsistent)
            self.closeIdleForWaiters()
        } else {
            connection.closeUnused()
        }
    }

    /// An idle connection has ended.
    func idleConnectionEnded(_ connection: UpstreamConnection) {
        guard let index = self.idle.firstIndex(where: { $0 === connection }) else { return }
        self.idle.remove(at: index)
        self.idleChanged()
    }

    /// The most recently used idle connection, if it will do.
    ///
    /// Hang-ups that the kernel has reported are known here. One that is reported in the same turn is
    /// noticed before the request's bytes leave, and the request goes elsewhere (`UpstreamConnection`).
    private func takeIdle(for request: UpstreamRequest) -> UpstreamConnection? {
        // A target that is down comes up by a connect only, and its old connections are no good sign.
        guard let connection = self.idle.last, self.shared.health.isUsable else { return nil }
        if request.freshness == .recent,
            self.pool.loop.now - connection.answeredAt > UpstreamRequest.recency
        {
            return nil
        }
        self.idle.removeLast()
        self.idleChanged()
        return connection
    }

    /// Closes the connection that has been idle longest; false if there is none.
    private func closeOldestIdle() -> Bool {
        guard let connection = self.idle.popFirst() else { return false }
        self.idleChanged()
        connection.closeUnused()
        return true
    }

    private func idleChanged() {
        if self.idle.isEmpty { self.port.hasIdle.store(false, ordering: .relaxed) }
    }

    /// Whether a freed connection must close because another loop waits for its permit.
    private func mustHandOver() -> Bool {
        guard self.shared.hasPermitWaiters else { return false }
        guard !self.queue.isEmpty else { return true }
        self.reusesInARow += 1
        guard self.reusesInARow >= Self.reusesInARowMax else { return false }
        self.reusesInARow = 0
        return self.shared.letOthersGoFirst(self.port)
    }
}

// MARK: - Addresses and health

extension UpstreamTarget {
    /// A connect to `address` succeeded.
    func connectSucceeded(to address: SocketAddress) {
        self.addressBook.connected(to: address)
        guard self.shared.connectSucceeded(at: self.pool.loop.now) else { return }
        self.pool.logger.notice("target can be reached again", metadata: self.metadata)
        self.pool.shared.targetCameUp()
    }

    /// An attempt to connect that began with this health has failed.
    func connectFailed(healthSeen: TargetHealth, reason: String) {
        guard self.shared.connectFailed(seen: healthSeen, at: self.pool.loop.now) else { return }
        var metadata = self.metadata
        metadata["reason"] = "\(reason)"
        self.pool.logger.warning("target cannot be reached", metadata: metadata)
    }

    /// An attempt waits no longer.
    func stopAwaitingAddresses(_ attempt: ConnectAttempt) {
        self.attemptsAwaitingAddresses.removeAll { $0 === attempt }
    }

    private var metadata: Logger.Metadata {
        ["pool": "\(self.pool.configuration.name)", "target": "\(self.url.text)"]
    }

    private func resolve(_ name: String) {
        let reference = self.port.target
        self.pool.resolver.resolve(name, on: self.pool.loop) { lookup, _ in
            reference.object?.resolved(lookup)
        }
    }

    private func resolved(_ lookup: NameLookup) {
        let failure = self.addressBook.resolved(lookup)
        let attempts = self.attemptsAwaitingAddresses
        self.attemptsAwaitingAddresses = []
        for attempt in attempts {
            attempt.resolved(self.addressBook.known, failure: failure)
        }
    }
}

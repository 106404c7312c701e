import RelayConfig
import RelayEngine
import RelayHTTP
import RelayPipeline

/// A listener on one loop: what its connections there share, and which they are.
///
/// A reload replaces the context; the connections stay. Bound to its loop.
final class ListenerSite {
    let server: ServerLoop
    /// What the next requests meet.
    private(set) var context: ListenerContext
    /// `limits`, as the parser takes them.
    private(set) var headLimits: HeadLimits
    /// Whether connections end as soon as they are idle.
    private(set) var isDraining = false
    /// Whether every answer says that it is the last of its connection; holds from before draining begins.
    private(set) var answersAreLast = false

    private var connections: [HTTPServerConnection] = []
    private var drained: [() -> Void] = []

    init(server: ServerLoop, context: ListenerContext) {
        self.server = server
        self.context = context
        self.headLimits = HeadLimits(context.configuration.limits)
        server.add(self)
    }

    var limits: LimitsConfiguration { self.context.configuration.limits }

    /// A reload has made a new context.
    func replaceContext(_ context: ListenerContext) {
        self.context = context
        self.headLimits = HeadLimits(context.configuration.limits)
    }

    /// The address of a peer, if connections from it are counted.
    func limitedSource(_ peer: SocketAddress) -> IPAddress? {
        guard self.limits.sourceConnectionsMax != nil, case .ip(let address) = ClientAddress(peer),
            !self.context.configuration.trustedProxies.contains(where: { $0.contains(address) })
        else { return nil }
        return address
    }

    /// Whether a connection from this address may be served; counts it, until `leave`.
    func admits(_ source: IPAddress?) -> Bool {
        guard let source, let max = self.limits.sourceConnectionsMax else { return true }
        return self.context.shared.sources.add(source, max: max)
    }

    /// A connection from this address is over.
    func leave(_ source: IPAddress) { self.context.shared.sources.remove(source) }

    func add(_ connection: HTTPServerConnection) {
        connection.index = Int32(truncatingIfNeeded: self.connections.count)
        self.connections.append(connection)
        self.server.counts.connectionsChanged(by: 1)
        if self.isDraining { connection.drainBegan() }
    }

    func remove(_ connection: HTTPServerConnection) {
        let index = Int(connection.index)
        guard index < self.connections.count, self.connections[index] === connection else { return }
        let last = self.connections.removeLast()
        if last !== connection {
            self.connections[index] = last
            last.index = connection.index
        }
        self.server.counts.connectionsChanged(by: -1)
        self.endDrainIfEmpty()
    }

    // MARK: Draining

    /// From now on every answer says that it is the last of its connection.
    ///
    /// Draining follows, once the listener has accepted what was queued.
    func drainComes() {
        self.answersAreLast = true
    }

    /// Closes what is idle and lets the rest finish.
    ///
    /// Calls `completion` when no connection is left. To wait for the same a second time is allowed.
    func drain(_ completion: @escaping () -> Void) {
        self.drained.append(completion)
        if !self.isDraining {
            self.isDraining = true
            self.answersAreLast = true
            for connection in self.connections { connection.drainBegan() }
        }
        self.endDrainIfEmpty()
    }

    /// Closes the connections that have served a request and wait for another.
    func closeIdleConnections() {
        for connection in self.connections where connection.isIdle {
            // One that is new is about to send its first request.
            if connection.receivedPosition > 0 { connection.finish() }
        }
    }

    /// Ends every connection now.
    func abandonConnections() {
        for connection in self.connections { connection.abandon() }
    }

    private func endDrainIfEmpty() {
        guard self.isDraining, self.connections.isEmpty else { return }
        self.server.remove(self)
        let completions = self.drained
        self.drained = []
        for completion in completions { completion() }
    }
}

@available(*, unavailable) extension ListenerSite: Sendable {}

extension HeadLimits {
    init(_ limits: LimitsConfiguration) {
        self.init(bytesMax: limits.headerBytesMax, fieldsMax: limits.headerCountMax)
    }
}

package import RelayEngine
package import RelayHTTP

/// One attempt of one request on one target: made by the caller, given to `UpstreamPool.start`.
///
/// Bound to its loop; over after `responseEnded` or `requestFailed`.
package final class UpstreamRequest {
    /// Who hears of it.
    package let handler: any UpstreamHandler
    /// Which target it goes to, by its index in the pool.
    package let target: Int
    /// The method, which decides whether the response has a body; not `.other`.
    package let method: Method

    /// The fields besides the request line, `Host` and framing, which the pool writes: complete field lines.
    package var fields: [UInt8] = []
    /// The path it goes to if not the target URL's own (`/` if that is empty).
    package var path: [UInt8]?
    /// The body: `body[bodyRange]`, shared and not copied if it is large.
    package var body: [UInt8] = []
    /// Which part of `body` is the body.
    package var bodyRange: Range<Int> = 0..<0

    /// A whole head that goes out as it is, in place of one made of `path`, `fields` and `bodyRange`; for
    /// what is passed on.
    package var completeHead: [UInt8] = []
    /// Whether more of the body follows (`UpstreamPool.writeBody`, `endBody`).
    ///
    /// `body` holds what has come of it, framed, as long as no byte of the request has left, so that it can go
    /// to another connection.
    package var isBodyOpen = false
    /// How much of the body is kept once the first byte of the request has left, so that the whole of it can be
    /// sent again.
    package var bodyBytesKeptMax = 0
    /// Whether `body` holds all that has come of the body.
    package internal(set) var isBodyWhole = true
    /// Whether `writeBody` frames what it is given as chunks.
    package var isBodyChunked = false
    /// Whether it asks for another protocol: then a 101 opens a tunnel, and what follows it either way is not HTTP.
    package var asksForTunnel = false
    /// Whether the writer of the body waits for `requestWritable`.
    package var isAwaitingRoom = false

    /// Which connections will do.
    package var freshness: Freshness = .any
    /// From the request's last byte to the response's end (packets, logins; nil: no limit).
    package var timeout: Duration?
    /// From the request's last byte to the response's head; nil: no limit.
    package var headTimeout: Duration?
    /// The latest time for the response's head; nil: none.
    package var headDeadline: MonotonicTime?
    /// Between two bytes of the response's body, and while the target takes none of the request's; nil: no limit.
    package var stallTimeout: Duration?
    /// The latest time at which the response must be complete, whatever came before; nil: none.
    package var deadline: MonotonicTime?
    /// How long it may wait for a free connection; nil: as long as `deadline` lets it.
    package var queueTimeout: Duration?
    /// More of a body than this is `malformed`.
    ///
    /// The caller counts itself if it wants another treatment.
    package var responseBytesMax: UInt64 = .max
    /// Asks for TCP keep-alive on its connection: the response may be held very long (fetches).
    package var expectsLongHold = false
    /// Whether it is a check of relay's own (`health.active`), which is not counted among the requests.
    var isHealthCheck = false

    /// How far it is.
    var stage = Stage.new
    /// The pool that it was given to, which it keeps alive while it is under way.
    var pool: UpstreamPool?
    private var deadlineTimer = TimerHandle.none
    /// When `queueTimeout` is over, while it waits.
    private var queueEnd: MonotonicTime?

    /// Which connections will do.
    package enum Freshness: Sendable {
        /// Any idle connection, or a new one.
        case any
        /// One that is new or has answered within the last second (DESIGN: logins, what may not be repeated).
        case recent
    }

    /// How far a request is.
    enum Stage {
        /// Not given to a pool.
        case new
        /// Cannot be sent, which the handler does not know yet.
        case failing
        /// Waits for a connection.
        case queued
        /// Waits until this attempt has connected.
        case connecting(ConnectAttempt)
        /// Was written to this connection.
        case sent(UpstreamConnection)
        /// The handler has heard the last of it, or has given it up.
        case over
    }

    /// How long ago a `recent` connection has answered at most.
    static let recency = Duration.seconds(1)

    /// A request for a target of a pool.
    package init(handler: any UpstreamHandler, target: Int, method: Method) {
        self.handler = handler
        self.target = target
        self.method = method
    }
}

@available(*, unavailable) extension UpstreamRequest: Sendable {}

/// The deadline while the request is on no connection, which has its own.
extension UpstreamRequest: TimerTarget {
    /// Has the pool called at the deadline, if there is one; in a queue also at the end of `queueTimeout`.
    func armDeadline(isQueued: Bool = false) {
        guard let pool = self.pool else { return }
        self.disarmDeadline()
        if isQueued { self.queueEnd = self.queueTimeout.map { pool.loop.now + $0 } }
        self.rearmDeadline()
    }

    /// The same where a deadline has come up while it waits.
    func rearmDeadline() {
        guard let pool = self.pool else { return }
        pool.loop.cancel(self.deadlineTimer)
        self.deadlineTimer = .none
        let end = min(
            self.deadline ?? .never,
            self.headDeadline ?? .never,
            self.queueEnd ?? .never
        )
        guard end != .never else { return }
        self.deadlineTimer = pool.loop.arm(self, tag: 0, at: end)
    }

    /// The deadline is kept by others, or does not matter any more.
    func disarmDeadline() {
        self.queueEnd = nil
        guard self.deadlineTimer != .none else { return }
        self.pool?.loop.cancel(self.deadlineTimer)
        self.deadlineTimer = .none
    }

    /// The deadline has come; called by the loop.
    package func timerElapsed(_ tag: UInt32) {
        self.pool?.deadlineReached(self)
    }
}

import RelayEngine

/// Whether one response has arrived, by the rules of DESIGN 2.3: events in, actions out.
///
/// A response has arrived when the peer's TCP has acknowledged its last byte. That is looked at when there is a
/// reason to: another request has begun on the connection, the peer's FIN has come, relay gives the connection
/// up, or another poll of the client waits.
///
/// Why a next request is a reason to look, and not yet the proof: its first byte may have reached our kernel
/// before the response left it, without relay having read it. A request that was sent after the response was
/// received carries the acknowledgement of the response; one that was pipelined does not. So the look tells
/// the two apart, and a connection that pipelines proves nothing by its requests alone.
///
/// ```
///        event                          look finds position >= P    < P
///        requestArrived, inputEnded     proven                      wait for another event
///        asked                          proven                      again 50, 100, 200, 400 ms after, then 2 s
///                                                                   after the last progress: failed, reset
///        closing                        proven                      again 50 ms … 3.2 s after; 5 s after: failed
///        reset                          (does not look)             failed
/// ```
///
/// A value; the connection performs.
struct DeliveryProof {
    /// What the connection is to do.
    enum Action: Equatable {
        /// Nothing now.
        case wait
        /// Ask for the acknowledged position and call `acknowledged`.
        case look
    }

    /// What a look has found.
    enum Finding: Equatable {
        /// The response has arrived.
        case proven
        /// Not yet; look again then (`never`: at the next event).
        case open(lookAgainAt: MonotonicTime)
        /// It has not arrived in time: reset the connection; the delivery has failed.
        case failed
    }

    /// How long the peer may be silent while another poll of the client waits.
    static let silenceMax = Duration.seconds(2)
    /// How long a connection that relay has ended is kept for its proof.
    static let closingMax = Duration.seconds(5)
    /// When to look after a reason to: doubling from 50 ms to 400 ms, or on to 3.2 s while closing.
    static let firstLook = Duration.milliseconds(50)

    /// The position behind the response's last byte; nil until it was written.
    private(set) var position: UInt64?

    // What has not happened has the time `never`: optionals would take twice the room, and every held request has
    // one of these.

    /// When another poll first asked.
    private var firstAsked = MonotonicTime.never
    /// When another poll last asked, from which the looks are counted.
    private var lastAsked = MonotonicTime.never
    /// When relay ended the connection.
    private var closingSince = MonotonicTime.never
    /// What was last seen acknowledged.
    private var progressPosition: UInt64 = 0
    /// Since when that is so.
    private var progressTime = MonotonicTime.never

    /// Nothing was written.
    init() {}

    /// The response was written to the connection in whole; its last byte stands before `position`.
    ///
    /// Who has asked before counts from now: a client cannot acknowledge what stands behind its own held polls.
    mutating func responseWritten(upTo position: UInt64, at now: MonotonicTime) -> Action {
        self.position = position
        guard self.firstAsked != .never else { return .wait }
        self.firstAsked = now
        self.lastAsked = now
        return .look
    }

    /// The first byte of another request has come, while `written` bytes were with the kernel.
    ///
    /// If that is not all of the response, the request was pipelined and says nothing.
    mutating func requestArrived(written: UInt64) -> Action {
        guard let position = self.position, written >= position else { return .wait }
        return .look
    }

    /// The peer's FIN has come.
    mutating func inputEnded() -> Action {
        self.position == nil ? .wait : .look
    }

    /// Another poll of the client waits.
    mutating func asked(at now: MonotonicTime) -> Action {
        if self.firstAsked == .never { self.firstAsked = now }
        self.lastAsked = now
        return self.position == nil ? .wait : .look
    }

    /// Relay has ended the connection, and keeps the descriptor only for the proof.
    mutating func closing(at now: MonotonicTime) -> Action {
        if self.closingSince == .never { self.closingSince = now }
        return .look
    }

    /// Whether the peer has acknowledged all of the response.
    func isProven(by acknowledged: UInt64) -> Bool {
        self.position.map { acknowledged >= $0 } ?? false
    }

    /// A look has found what the peer has acknowledged.
    mutating func acknowledged(_ acknowledged: UInt64, at now: MonotonicTime) -> Finding {
        guard self.position != nil else { return .open(lookAgainAt: .never) }
        if self.isProven(by: acknowledged) { return .proven }
        if self.progressTime == .never {
            // The first look is where progress is counted from, not progress.
            self.progressPosition = acknowledged
            self.progressTime = min(self.firstAsked, now)
        } else if acknowledged > self.progressPosition {
            self.progressPosition = acknowledged
            self.progressTime = now
        }
        var next = MonotonicTime.never
        if self.firstAsked != .never {
            let end = max(self.firstAsked, self.progressTime) + Self.silenceMax
            if now >= end { return .failed }
            next = min(Self.look(after: now, since: self.lastAsked, last: .milliseconds(400)), end)
        }
        if self.closingSince != .never {
            let end = self.closingSince + Self.closingMax
            if now >= end { return .failed }
            let look = Self.look(after: now, since: self.closingSince, last: .milliseconds(3200))
            next = min(next, min(look, end))
        }
        return .open(lookAgainAt: next)
    }

    /// The first look behind `now` of those that follow a reason at `start`; never behind the last of them.
    ///
    /// 50, 100, 200, 400 … ms after `start`, up to `last`.
    private static func look(
        after now: MonotonicTime,
        since start: MonotonicTime,
        last: Duration
    ) -> MonotonicTime {
        var delay = Self.firstLook
        while delay <= last {
            if start + delay > now { return start + delay }
            delay *= 2
        }
        return .never
    }
}

import RelayConfig
import RelayEngine
import RelayHTTP
import RelayPipeline

/// An HTTP/1.1 connection of a client: reads requests, has pipelines run, writes the answers in order.
///
/// ```
///   received ─▶ head ─▶ Exchange ─▶ pipeline ─▶ body to the handler ─▶ head …
///                          │ respond
///   pending:  [being written][queued][queued] ─▶ output      at most 16; beyond, reading pauses
///   awaiting: [written, its arrival watched] ─▶ DeliveryProof
/// ```
///
/// **Life**: `serving` requests; `ending` once no further request counts (the last answer says
/// `Connection: close`, the input was malformed, the client's FIN came); `finishing` once everything is answered
/// and only output and proofs are outstanding; then it is closed. Every exchange is ended by `closed(_:)` at the
/// latest.
///
/// Bound to its loop.
final class HTTPServerConnection: Stream, ExchangeCarrier {
    /// How far it is in its life.
    enum Phase: UInt8 {
        /// Requests are read and served.
        case serving
        /// No further request is read; answers are still to come.
        case ending
        /// Everything was answered; output or proofs are outstanding.
        case finishing
        /// Nothing is left to do, or the connection is broken.
        case closed
    }

    /// Requests that may wait for their turn or their answer at a time.
    static let depthMax: Int32 = 16
    /// How much of a body that nobody wants is read, rather than ending the connection.
    static let discardedBytesMax = 64 << 10

    /// What `timerFired` is about.
    enum TimerTag {
        /// Time to look what has arrived.
        static let proof: UInt32 = 0
        /// Time to look whether the client takes what is written to it.
        static let stall: UInt32 = 1
    }

    let site: ListenerSite
    /// The site's, which every step of an exchange needs.
    let server: ServerLoop
    /// Its place in the site's list.
    var index: Int32 = -1
    var phase: Phase = .serving
    /// Whether input was left unread, so that a plain close would reset the connection.
    var hasIgnoredInput = false
    /// Whether the latest request asks for a tunnel: what comes next may not be HTTP.
    var isTunnelAwaited = false
    /// Finds the next head in what comes.
    var parser: RequestParser
    /// The exchange whose body is being read.
    var incoming: ServedExchange?
    /// Exchanges whose answers are not complete, or wait for those before them.
    var pending = ServedQueue()
    /// Exchanges whose answers were written and whose arrival is watched.
    var awaiting = ServedQueue()
    /// When to look again what has arrived.
    var proofTimer: TimerHandle = .none
    /// When to look whether a client for whom the writer of a body waits takes anything.
    var stallTimer: TimerHandle = .none
    /// The output that was with the kernel when a stall was last looked for.
    var positionAtDeadline: UInt64 = 0

    /// Whether it counts as one of its peer's.
    private let isSourceCounted: Bool

    /// Serves an accepted socket; `source` if connections from there are counted.
    init(site: ListenerSite, accepted: AcceptedSocket, source: IPAddress? = nil) {
        self.site = site
        self.isSourceCounted = source != nil
        self.server = site.server
        self.parser = RequestParser(limits: site.headLimits)
        super.init(loop: site.server.loop, accepted: accepted)
        self.setDeadline(self.loop.now + site.limits.headerTimeout)
        site.add(self)
    }

    // MARK: Events

    override func received(_ input: Span<UInt8>) -> Int {
        var offset = 0
        while offset < input.count, self.phase == .serving {
            let taken: Int?
            if let incoming = self.incoming {
                taken = self.takeBody(of: incoming, input.extracting(offset..<input.count))
            } else {
                taken = self.takeHead(input.extracting(offset..<input.count))
            }
            guard let taken else { return self.phase == .serving ? offset : input.count }
            offset += taken
        }
        if offset < input.count { self.hasIgnoredInput = true }
        return input.count
    }

    override func peerHungUp() {
        self.hangUpUnanswered(withIncomplete: false)
    }

    override func inputEnded() {
        if self.tunnelInputEnded() { return }
        self.hangUpUnanswered(withIncomplete: true)
        if self.phase == .serving { self.phase = .ending }
        self.incoming = nil
        if self.lookIsDue({ $0.inputEnded() }) { self.look() }
        self.finishIfAnswered()
    }

    override func outputDrained() {
        if self.phase == .finishing { self.outputFinished() }
    }

    override func outputBelowLowWater() {
        if let front = self.pending.front, front.state.contains(.isBlocked) {
            front.state.remove(.isBlocked)
            front.exchange?.responseWritable()
        }
        self.resumeReadingIfPossible()
    }

    override func timerFired(_ tag: UInt32) {
        switch tag {
        case TimerTag.stall:
            self.stallTimer = .none
            self.lookForStall()
        default:
            self.proofTimer = .none
            self.look()
        }
    }

    override func deadlineReached() {
        switch self.phase {
        case .serving:
            if let incoming = self.incoming {
                self.bodyTimeReached(incoming)
            } else if self.parser.hasBegun {
                self.refuse(.timeout)
            } else {
                self.finish()
            }
        case .ending, .closed:
            break
        case .finishing:
            // Whoever takes bytes, however slowly, may go on.
            if self.writtenPosition > self.positionAtDeadline {
                self.positionAtDeadline = self.writtenPosition
                self.setDeadline(self.loop.now + self.site.limits.stallTimeout)
            } else {
                self.abandon()
            }
        }
    }

    override func closed(_ reason: CloseReason) {
        self.phase = .closed
        self.loop.cancel(self.proofTimer)
        self.loop.cancel(self.stallTimer)
        self.incoming = nil
        if reason == .closed || reason == .timedOut { self.collectProven(report: .now) }
        while let served = self.awaiting.popFirst() { self.deliveryFailed(served) }
        while let served = self.pending.popFirst() { self.drop(served) }
        if self.isSourceCounted, case .ip(let source) = ClientAddress(self.peer) {
            self.site.leave(source)
        }
        self.site.remove(self)
    }

    // MARK: Ending

    /// The listener drains: ends the connection at once if it is idle, else behind its last answer.
    func drainBegan() {
        guard self.isIdle else { return }
        if self.receivedPosition == 0 {
            // Its first request may be on the way: it stood in the listener's queue until now.
            self.setDeadline(self.loop.now + .seconds(1))
        } else {
            self.finish()
        }
    }

    /// Whether it waits for a request of which nothing has come.
    var isIdle: Bool {
        self.phase == .serving && self.pending.isEmpty && self.incoming == nil
            && !self.parser.hasBegun
    }

    /// Ends the connection now, whatever is outstanding.
    func abandon(report: Reporting = .now) {
        if !self.awaiting.isEmpty { self.collectProven(report: report) }
        self.phase = .closed
        self.reset()
    }

    /// Serves no further request; the connection ends once everything is answered.
    func endServing() {
        if self.phase == .serving { self.phase = .ending }
        self.incoming = nil
        self.clearDeadline()
        self.finishIfAnswered()
    }

    /// Goes on to finish a connection that serves no further request, if everything is answered.
    func finishIfAnswered() {
        if self.phase == .ending, self.pending.isEmpty { self.finish() }
    }

    /// Everything is answered: sends what is left, and keeps the connection only for what must still be proven.
    func finish() {
        guard self.phase == .serving || self.phase == .ending else { return }
        self.phase = .finishing
        self.positionAtDeadline = self.writtenPosition
        self.setDeadline(self.loop.now + self.site.limits.stallTimeout)
        if !self.awaiting.isEmpty { self.shutdownOutput() }
        if self.bytesQueued == 0 { self.outputFinished() }
    }

    /// All output is with the kernel.
    private func outputFinished() {
        if self.lookIsDue({ $0.closing(at: self.loop.now) }) { self.look() }
        self.closeIfFinished()
    }

    /// Closes a connection that has nothing left to send or to prove.
    func closeIfFinished() {
        guard self.phase == .finishing, self.awaiting.isEmpty, self.bytesQueued == 0 else { return }
        self.phase = .closed
        if self.hasInputEnded || !(self.hasIgnoredInput || self.bytesHeld > 0) {
            self.close()
        } else {
            self.closeLingering()
        }
    }

    // MARK: Hang-up

    /// The client is gone: ends what is not answered.
    ///
    /// A request that is not complete may still stand unread before the FIN, and counts if it does: it is ended
    /// only `withIncomplete`. Behind an answer that will not come no other can be sent.
    private func hangUpUnanswered(withIncomplete: Bool) {
        guard self.phase != .closed else { return }
        var kept = ServedQueue()
        var gone: [ServedExchange] = []
        while let served = self.pending.popFirst() {
            if gone.isEmpty, served.state.contains(.isBegun) {
                kept.append(served)
            } else if served.state.isDisjoint(with: [.isRequestComplete, .isBegun]), !withIncomplete
            {
                served.state.insert(.isMuted)
                kept.append(served)
            } else {
                gone.append(served)
            }
        }
        self.pending = kept
        for served in gone { self.drop(served) }
        // Who has asked for a tunnel is the last, and not answered: its end is to be read now.
        if !gone.isEmpty { self.isTunnelAwaited = false }
        self.resumeReadingIfPossible()
    }

    /// Ends an exchange whose answer is not written in whole and never will be.
    func drop(_ served: ServedExchange) {
        guard let exchange = served.exchange else { return }
        served.exchange = nil
        self.server.exchangesChanged(by: -1)
        if served.state.contains(.isBegun) {
            exchange.deliveryFailed(wasWritten: self.wasWritten(served))
        } else {
            exchange.clientHungUp()
        }
    }

    /// Whether a byte of the response was given to the kernel.
    func wasWritten(_ served: ServedExchange) -> Bool {
        served.state.contains(.isBegun) && served.queued.isEmpty
            && !served.state.contains(.isMuted) && self.writtenPosition > served.startPosition
    }
}

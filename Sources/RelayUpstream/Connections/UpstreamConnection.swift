import RelayEngine
import RelayHTTP

/// One HTTP/1.1 connection to a target: carries one request after another, never two at once.
///
/// **A stale connection.** A reused connection may be at its end already when a request is written. As long as no
/// byte of the request was given to the kernel, everything the target does (FIN, reset, bytes that nobody
/// asked for, such as a 408 before it closes) is about the time before, and the request is sent again on a
/// new connection. Afterwards the target may have seen it, and only the caller can decide.
final class UpstreamConnection: Stream {
    /// What the connection does.
    private enum Phase {
        /// It is being connected.
        case connecting(ConnectAttempt)
        /// Nothing; whatever comes is its end.
        case idle
        /// Sends this request or waits for its response.
        case busy(UpstreamRequest)
        /// It is about to be closed; what comes is dropped.
        case ended
    }

    /// When it was connected or last had a complete response.
    private(set) var answeredAt: MonotonicTime

    private let target: UpstreamTarget
    /// Keeps the pool alive.
    private let pool: UpstreamPool
    private let address: SocketAddress
    private var phase: Phase
    private var reader = ResponseReader()
    private var holdsPermit = true
    /// Whether the request under way is not the first.
    private var isReused = false
    /// Whether all of the request was given to the kernel.
    private var isRequestSent = false
    /// `outputPosition` before the request, in all bytes of the connection.
    private var requestStart: UInt64 = 0
    /// `writtenPosition` when the deadline was set.
    private var positionAtDeadline: UInt64 = 0
    /// `receivedPosition` before the request.
    private var responseStart: UInt64 = 0
    /// 3/4 of the `Keep-Alive: timeout` of the latest response.
    private var keepAliveLimit: Duration?
    private var probesPeer = false

    /// When TCP asks a silent target whether it is still there: dead after about a minute.
    private static let keepAlive = KeepAlive(idle: .seconds(30), interval: .seconds(10), probes: 3)

    /// A connection of an attempt, to be connected to `address`; owns the attempt's permit once connected.
    init(_ attempt: ConnectAttempt, address: SocketAddress) {
        self.target = attempt.target
        self.pool = attempt.pool
        self.address = address
        self.phase = .connecting(attempt)
        self.answeredAt = attempt.pool.loop.now
        super.init(loop: attempt.pool.loop)
    }

    // MARK: Use

    /// Sends a request and reads its response; the connection has nothing else to do.
    func send(_ request: UpstreamRequest, isReused: Bool) {
        request.disarmDeadline()
        request.stage = .sent(self)
        self.phase = .busy(request)
        self.isReused = isReused
        self.isRequestSent = false
        self.requestStart = self.outputPosition
        self.responseStart = self.receivedPosition
        self.keepAliveLimit = nil
        self.reader.begin(
            request.method,
            bytesMax: request.responseBytesMax,
            asksForTunnel: request.asksForTunnel
        )
        self.pool.withHead(of: request, to: self.target) { self.write($0) }
        if !request.bodyRange.isEmpty { self.write(shared: request.body, request.bodyRange) }
        if request.expectsLongHold, !self.probesPeer {
            self.probesPeer = true
            self.setKeepAlive(Self.keepAlive)
        }
        self.setResponseDeadline(request)
        if request.isAwaitingRoom {
            request.isAwaitingRoom = false
            request.handler.requestWritable(request)
        }
    }

    /// Keeps the connection while nothing uses it, until `limit` or its target's own limit; false if it is
    /// of no further use.
    func park(atMost limit: Duration) -> Bool {
        guard self.isOpen, !self.hasPeerHungUp else { return false }
        let limit = min(limit, self.keepAliveLimit ?? limit)
        guard limit > .zero else { return false }
        self.phase = .idle
        self.setDeadline(self.loop.now + limit)
        return true
    }

    /// Closes the connection, which nothing uses.
    func closeUnused() {
        self.phase = .ended
        self.close()
    }

    /// The request under way is given up: the caller does not want to hear of it any more.
    func requestCancelled() {
        self.phase = .ended
        if self.isOutputWritten, self.isRequestSent { self.close() } else { self.reset() }
    }

    private var isOutputWritten: Bool { self.writtenPosition == self.outputPosition }

    /// Sets the limit of the response, which covers the sending too.
    ///
    /// Whoever reads too slowly to be sent the request in `timeout` has not answered in time either. It
    /// starts anew with the last byte.
    private func setResponseDeadline(_ request: UpstreamRequest) {
        var time = request.deadline ?? .never
        if let timeout = request.timeout { time = min(time, self.loop.now + timeout) }
        if let limit = self.streamingLimit(of: request) { time = min(time, self.loop.now + limit) }
        if let limit = request.headDeadline, !self.reader.hasHead { time = min(time, limit) }
        self.positionAtDeadline = self.writtenPosition
        if time == .never { self.clearDeadline() } else { self.setDeadline(time) }
    }

    /// Whether the time that ran was that of a request which the target takes, however slowly.
    private func isTaken(_ request: UpstreamRequest) -> Bool {
        request.stallTimeout != nil && request.timeout == nil && !self.isRequestSent
            && self.writtenPosition > self.positionAtDeadline
            && self.loop.now < min(request.deadline ?? .never, request.headDeadline ?? .never)
    }

    // MARK: Events

    override func connected() {
        guard case .connecting(let attempt) = self.phase else { return }
        self.phase = .ended
        self.answeredAt = self.loop.now
        attempt.connected(self, to: self.address)
    }

    override func outputDrained() {
        guard case .busy(let request) = self.phase, !self.isRequestSent, !request.isBodyOpen
        else { return }
        self.requestSent(request)
    }

    override func outputBelowLowWater() {
        guard case .busy(let request) = self.phase, request.isAwaitingRoom else { return }
        request.isAwaitingRoom = false
        self.setResponseDeadline(request)
        request.handler.requestWritable(request)
    }

    override func received(_ input: Span<UInt8>) -> Int {
        switch self.phase {
        case .busy(let request):
            if !self.replayIfStale(request) { return self.readResponse(of: request, input) }
        case .idle:
            self.endIdle()
        case .connecting, .ended:
            break
        }
        return input.count
    }

    override func peerHungUp() {
        switch self.phase {
        case .busy(let request): _ = self.replayIfStale(request)
        case .idle: self.endIdle()
        case .connecting, .ended: break
        }
    }

    override func inputEnded() {
        switch self.phase {
        case .busy(let request):
            if self.replayIfStale(request) { return }
            if self.reader.inputEnded() {
                self.responseEnded(request, isReusable: false)
            } else {
                self.fail(request, .reset, self.earlyEndSentence)
            }
        case .idle:
            self.endIdle()
        case .connecting, .ended:
            break
        }
    }

    override func deadlineReached() {
        switch self.phase {
        case .busy(let request):
            if self.isTaken(request) {
                self.setResponseDeadline(request)
            } else {
                self.fail(request, .timedOut, "no complete response in time")
            }
        case .idle: self.endIdle()
        case .connecting, .ended: break
        }
    }

    override func closed(_ reason: CloseReason) {
        switch self.phase {
        case .connecting(let attempt):
            self.phase = .ended
            self.holdsPermit = false
            attempt.connectionFailed(reason)
        case .busy(let request):
            if self.replayIfStale(request) { return }
            self.giveBackPermit()
            self.fail(request, .reset, reason.sentence ?? self.earlyEndSentence)
        case .idle:
            self.endIdle()
            self.giveBackPermit()
        case .ended:
            self.giveBackPermit()
        }
    }

    private func giveBackPermit() {
        guard self.holdsPermit else { return }
        self.holdsPermit = false
        self.target.shared.giveBackPermit()
    }

    private func endIdle() {
        self.target.idleConnectionEnded(self)
        self.closeUnused()
    }
}

// MARK: - Streaming

extension UpstreamConnection {
    /// Appends to the body of the request under way; false: stop until `requestWritable`.
    func writeBody(of request: UpstreamRequest, _ bytes: Span<UInt8>) -> Bool {
        guard self.isBusy(with: request) else { return true }
        if self.writtenPosition == self.requestStart {
            request.keepBody(bytes)
        } else {
            request.keepSentBody(bytes)
        }
        if request.isBodyChunked {
            var chunk: [UInt8] = []
            chunk.reserveCapacity(bytes.count + 20)
            chunk.appendChunk(bytes)
            self.write(chunk.span)
        } else {
            self.write(bytes)
        }
        guard self.isOutputAboveHighWater else { return true }
        request.isAwaitingRoom = true
        self.setResponseDeadline(request)
        return false
    }

    /// All of the body was given.
    func bodyEnded(of request: UpstreamRequest) {
        guard self.isBusy(with: request) else { return }
        request.keepEndOfBody()
        if request.isBodyChunked {
            var end: [UInt8] = []
            end.appendLastChunk()
            self.write(end.span)
        }
        if self.isOutputWritten {
            self.requestSent(request)
        } else if request.stallTimeout != nil {
            // The client owes nothing any more, so what is left is the target's to take.
            self.setResponseDeadline(request)
        }
    }

    /// Reads no more of the response for now.
    func pauseResponse() {
        self.pauseReading()
        self.clearDeadline()
    }

    /// Goes on reading the response.
    func resumeResponse(of request: UpstreamRequest) {
        guard self.isBusy(with: request) else { return }
        self.resumeReading()
        self.setResponseDeadline(request)
    }

    /// The last byte of the request was given to the kernel.
    private func requestSent(_ request: UpstreamRequest) {
        self.isRequestSent = true
        if request.timeout != nil || request.headTimeout != nil {
            self.setResponseDeadline(request)
        }
    }

    /// How long the target may now be silent, or take nothing.
    private func streamingLimit(of request: UpstreamRequest) -> Duration? {
        // Who keeps a tunnel open says how long it may be silent.
        if self.isReadingPaused || self.reader.isTunnel { return nil }
        if self.reader.hasHead { return request.stallTimeout }
        if self.isRequestSent { return request.headTimeout }
        // While a client is slow to send, the target has nothing to do.
        return request.isBodyOpen && !request.isAwaitingRoom ? nil : request.stallTimeout
    }
}

// MARK: - The response

extension UpstreamConnection {
    /// Sends the request again on a new connection if this one had ended before a byte of it left.
    private func replayIfStale(_ request: UpstreamRequest) -> Bool {
        guard self.isReused, self.writtenPosition == self.requestStart else { return false }
        self.phase = .ended
        self.reset()
        // The permit goes to the new connection.
        self.holdsPermit = false
        self.target.connect(for: request)
        return true
    }

    private func readResponse(of request: UpstreamRequest, _ input: Span<UInt8>) -> Int {
        var offset = 0
        while self.isBusy(with: request) {
            // The end of a body is told behind its last byte, also to who wants no more for now.
            if self.isReadingPaused, offset < input.count { return offset }
            let rest = input.extracting(offset..<input.count)
            let step = self.reader.next(rest, into: &self.pool.responseHead)
            offset += step.consumed
            switch step.event {
            case .needsInput:
                return offset
            case .interim:
                request.handler.interimReceived(
                    request,
                    self.pool.responseHead,
                    rest.extracting(0..<step.consumed)
                )
            case .head:
                self.headReceived(request, rest.extracting(0..<step.consumed))
            case .payload(let range):
                request.handler.responseBodyReceived(request, rest.extracting(range))
                // Behind the handler, which may say how long it still waits.
                if request.stallTimeout != nil, self.isBusy(with: request) {
                    self.setResponseDeadline(request)
                }
            case .end:
                let isReusable = self.reader.isKeepAlive && offset == input.count
                self.responseEnded(request, isReusable: isReusable)
            case .failed(let reason):
                self.fail(request, .malformed, reason.description)
            }
        }
        return input.count
    }

    private func isBusy(with request: UpstreamRequest) -> Bool {
        if case .busy(let current) = self.phase { current === request } else { false }
    }

    private func headReceived(_ request: UpstreamRequest, _ bytes: Span<UInt8>) {
        if let value = self.pool.responseHead.fields.value(of: .keepAlive),
            let seconds = FieldValue.keepAliveTimeoutSeconds(bytes.extracting(value))
        {
            self.keepAliveLimit = .seconds(Int64(seconds)) * 3 / 4
        }
        self.pool.statusReceived(self.pool.responseHead.status, for: request)
        request.handler.responseReceived(request, self.pool.responseHead, bytes)
        if request.headTimeout != nil, self.isBusy(with: request) {
            self.setResponseDeadline(request)
        }
    }

    private func responseEnded(_ request: UpstreamRequest, isReusable: Bool) {
        self.answeredAt = self.loop.now
        self.phase = .ended
        self.clearDeadline()
        if self.isReadingPaused { self.resumeReading() }
        // First the connection: what the handler sends next may use it.
        if !self.isOutputWritten || request.isBodyOpen {
            // An early response, and the rest of the request has nowhere to go.
            self.reset()
        } else if isReusable {
            self.target.connectionFreed(self)
        } else {
            self.close()
        }
        self.pool.requestEnded(request)
        request.handler.responseEnded(request)
    }

    private func fail(_ request: UpstreamRequest, _ kind: UpstreamFailure.Kind, _ reason: String) {
        let outcome: UpstreamFailure.Outcome =
            if self.reader.hasHead {
                .answered
            } else {
                self.writtenPosition > self.requestStart ? .ambiguous : .notSent
            }
        var failure = UpstreamFailure(kind, outcome, reason: reason)
        failure.isOfStaleConnection =
            self.isReused && kind == .reset && self.receivedPosition == self.responseStart
        self.phase = .ended
        self.reset()
        self.pool.fail(request, failure)
    }

    private var earlyEndSentence: String {
        if self.reader.hasHead { return "connection ended before the response body did" }
        return self.receivedPosition > self.responseStart
            ? "connection ended within the response head"
            : "connection ended before a response"
    }
}

extension CloseReason {
    /// Why a connection is over, where there is more to say than that.
    fileprivate var sentence: String? {
        switch self {
        case .resetByPeer: "connection reset by the target"
        case .failed(let error): error.description
        case .closed, .resetByUs, .timedOut, .refused: nil
        }
    }
}

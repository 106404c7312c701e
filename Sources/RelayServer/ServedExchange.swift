import RelayEngine
import RelayHTTP
import RelayPipeline

/// What a connection keeps for one exchange: how far its request has come, and how far its response.
///
/// Lives from the request's head until the response has been written, or has arrived where that is watched.
final class ServedExchange {
    /// The exchange; nil if there is none, because the request was refused, or once it is over.
    var exchange: Exchange?
    /// The one behind it in the same queue.
    var next: ServedExchange?

    /// The request's method.
    let method: Method
    /// What is known of it.
    var state: ServedState = []

    /// Finds the request's body in what comes.
    var decoder: BodyDecoder
    /// Bytes of the body that have come.
    var bodyBytes: UInt64 = 0
    /// Bytes of it that nobody wanted.
    var bodyBytesDiscarded = 0
    /// When the body began, later by the time that it was paused.
    var bodyBegan: MonotonicTime
    /// When the latest byte of the body came, or the pause after it ended.
    var bodyArrivedAt: MonotonicTime
    /// Since when the body is paused; means nothing unless it is.
    var bodyPausedSince: MonotonicTime

    /// What of the response waits until those before it are written.
    var queued: [UInt8] = []
    /// Bytes of the response's body that were announced and not yet written.
    var responseBytesLeft: UInt64 = 0
    /// Where in the connection's output the response begins.
    var startPosition: UInt64 = 0
    /// Whether the response has arrived.
    var proof = DeliveryProof()

    /// One whose head has come.
    init(_ exchange: Exchange, _ request: Request, at now: MonotonicTime) {
        self.exchange = exchange
        self.method = request.head.method
        self.decoder = BodyDecoder(request.head.framing)
        self.bodyBegan = now
        self.bodyArrivedAt = now
        self.bodyPausedSince = now
        if request.head.version == .http10 { self.state.insert(.isHTTP10) }
        if !request.head.isKeepAlive { self.state.insert(.closes) }
        if request.head.expectsContinue { self.state.insert(.owesContinue) }
    }

    /// One for a request that is refused: nothing but an answer, behind which the connection ends.
    init(refusalAt now: MonotonicTime) {
        self.exchange = nil
        self.method = .other
        self.decoder = BodyDecoder(.none)
        self.bodyBegan = now
        self.bodyArrivedAt = now
        self.bodyPausedSince = now
        self.state = [.isRequestComplete, .closes]
    }

    /// When the body is too slow unless more of it comes: 5 s after it began, later by a second
    /// for each `rate` bytes beyond.
    ///
    /// In any case `stall` after its latest byte: a large part of a body earns time for an average, not for silence.
    func bodyDueTime(atLeast rate: Int, stall: Duration) -> MonotonicTime {
        let stalled = self.bodyArrivedAt + stall
        guard rate > 0 else { return stalled }
        let (seconds, rest) = self.bodyBytes.quotientAndRemainder(dividingBy: UInt64(rate))
        let fraction = rest.multipliedReportingOverflow(by: 1_000_000_000)
        let earned =
            Duration.seconds(Int64(clamping: seconds))
            + .nanoseconds(
                fraction.overflow ? 0 : Int64(clamping: fraction.partialValue / UInt64(rate))
            )
        return min(stalled, self.bodyBegan + max(.seconds(5), earned))
    }
}

/// What is known of a served exchange.
struct ServedState: OptionSet {
    let rawValue: UInt16

    /// All of the request has come.
    static let isRequestComplete = ServedState(rawValue: 1 << 0)
    /// The handler wants no more of the body for now.
    static let isBodyPaused = ServedState(rawValue: 1 << 1)
    /// The client waits for `100 Continue`.
    static let owesContinue = ServedState(rawValue: 1 << 2)
    /// The request was HTTP/1.0.
    static let isHTTP10 = ServedState(rawValue: 1 << 3)
    /// The connection ends behind the response.
    static let closes = ServedState(rawValue: 1 << 4)
    /// The head of the response was written or queued.
    static let isBegun = ServedState(rawValue: 1 << 5)
    /// All of the response was.
    static let isComplete = ServedState(rawValue: 1 << 6)
    /// The response has no body, whatever is written as one.
    static let omitsBody = ServedState(rawValue: 1 << 7)
    /// The response's body goes out in chunks.
    static let isChunked = ServedState(rawValue: 1 << 8)
    /// The response's body ends with the connection.
    static let endsByClosing = ServedState(rawValue: 1 << 9)
    /// The writer of the body waits for room.
    static let isBlocked = ServedState(rawValue: 1 << 10)
    /// The response can't be completed.
    static let isBroken = ServedState(rawValue: 1 << 11)
    /// Nothing of the response can be sent any more, because the client is gone.
    static let isMuted = ServedState(rawValue: 1 << 12)
    /// The exchange hears whether the response has arrived.
    static let watches = ServedState(rawValue: 1 << 13)
    /// What goes either way is not HTTP any more.
    static let isTunnel = ServedState(rawValue: 1 << 14)
}

/// Served exchanges one behind the other.
///
/// `@safe`: `back` is unmanaged to spare a reference count for each request; it is in the queue, so that
/// `front`, or the link of the one before it, keeps it alive.
@safe
struct ServedQueue {
    private(set) var front: ServedExchange?
    private var back: Unmanaged<ServedExchange>?
    private(set) var count: Int32 = 0

    var isEmpty: Bool { self.front == nil }

    mutating func append(_ served: ServedExchange) {
        if let back = unsafe self.back {
            unsafe back._withUnsafeGuaranteedRef { $0.next = served }
        } else {
            self.front = served
        }
        unsafe self.back = Unmanaged.passUnretained(served)
        self.count += 1
    }

    mutating func popFirst() -> ServedExchange? {
        guard let first = self.front.take() else { return nil }
        self.front = first.next.take()
        if self.front == nil { unsafe self.back = nil }
        self.count -= 1
        return first
    }

    /// Whether nothing is behind this one, which is in the queue.
    func isLast(_ served: ServedExchange) -> Bool { served.next == nil }

    /// The one of this exchange.
    func first(of exchange: Exchange) -> ServedExchange? {
        var next = self.front
        while let served = next {
            if served.exchange === exchange { return served }
            next = served.next
        }
        return nil
    }
}

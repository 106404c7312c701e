import RelayHTTP

/// Reads the response to one request after another from the bytes of a connection.
///
/// A state machine: it is given bytes, says what they are, and performs nothing. The result does not
/// depend on how the bytes are cut.
struct ResponseReader {
    /// What the front of the input is, and how many of its bytes are done with by that.
    struct Step: Equatable {
        var event: Event
        var consumed: Int
    }

    /// What the front of the input is.
    ///
    /// Ranges and positions are those of that input.
    enum Event: Equatable {
        /// Not enough to say more; what was not consumed comes again with more behind it.
        case needsInput
        /// The head of an interim response.
        case interim
        /// The final head.
        case head
        /// A piece of the body.
        case payload(Range<Int>)
        /// The response is complete.
        case end
        /// The response is refused, for this reason; the connection is of no further use.
        case failed(StaticString)
    }

    /// The largest head of a response.
    static let limits = HeadLimits(bytesMax: 64 << 10, fieldsMax: 100)
    /// Interim responses before a final one; a target that sends more would never end.
    static let interimMax = 32

    /// How much of the response is behind.
    private enum State {
        /// The head is not complete.
        case head
        /// Body follows.
        case body
        /// Bytes of another protocol follow, up to the end of the connection.
        case tunnel
        /// Nothing follows, or nothing that matters.
        case over
    }

    private var state = State.over
    private var method = Method.get
    private var bytesMax = UInt64.max
    private var asksForTunnel = false
    private var interimCount = 0
    private var parser = ResponseParser(limits: Self.limits)
    private var body = BodyDecoder(.none)
    /// Whether the final head was read.
    private(set) var hasHead = false
    /// Whether the head allows another request behind this one.
    private(set) var isKeepAlive = false
    /// Whether what comes is not HTTP any more.
    var isTunnel: Bool { self.state == .tunnel }

    /// Expects the response to a request with `method`, and at most `bytesMax` bytes of body in it; a 101 only if
    /// it `asksForTunnel`.
    mutating func begin(_ method: Method, bytesMax: UInt64, asksForTunnel: Bool = false) {
        self.state = .head
        self.asksForTunnel = asksForTunnel
        self.method = method
        self.bytesMax = bytesMax
        self.interimCount = 0
        self.parser.reset()
        self.hasHead = false
        self.isKeepAlive = false
    }

    /// Looks at the next bytes, and describes a head in `head`.
    ///
    /// To be called again with the rest, also with an empty one, until it needs input, ends or fails.
    mutating func next(_ input: Span<UInt8>, into head: inout ResponseHead) -> Step {
        switch self.state {
        case .head: self.nextOfHead(input, into: &head)
        case .body: self.nextOfBody(input)
        case .tunnel:
            input.count > 0
                ? Step(event: .payload(0..<input.count), consumed: input.count)
                : Step(event: .needsInput, consumed: 0)
        case .over: Step(event: .end, consumed: 0)
        }
    }

    /// Tells that the peer has ended the connection; whether the response is complete by that.
    mutating func inputEnded() -> Bool {
        switch self.state {
        case .head: false
        case .body: self.body.inputEnded() == nil
        case .tunnel, .over: true
        }
    }

    private mutating func nextOfHead(_ input: Span<UInt8>, into head: inout ResponseHead) -> Step {
        guard input.count > 0 else { return Step(event: .needsInput, consumed: 0) }
        switch self.parser.parse(input, answering: self.method, into: &head) {
        case .incomplete:
            return Step(event: .needsInput, consumed: 0)
        case .failed(let fault):
            return self.fail(fault.detail)
        case .head where head.status == 101:
            guard self.asksForTunnel else {
                return self.fail("101 although no upgrade was asked for")
            }
            // RFC 9110 section 7.8: it must say to which protocol.
            guard head.fields.contains(.upgrade) else { return self.fail("101 without Upgrade") }
            self.hasHead = true
            self.state = .tunnel
            return Step(event: .head, consumed: head.byteCount)
        case .head where head.isInterim:
            self.interimCount += 1
            guard self.interimCount <= Self.interimMax else {
                return self.fail("too many interim responses")
            }
            return Step(event: .interim, consumed: head.byteCount)
        case .head:
            self.hasHead = true
            // A 408 may be about the silence before the request, and the answer to the request might follow
            // (RFC 9110 section 15.5.9: its sender closes).
            self.isKeepAlive = head.isKeepAlive && head.status != 408
            self.body = BodyDecoder(head.framing, bytesMax: self.bytesMax)
            self.state = .body
            return Step(event: .head, consumed: head.byteCount)
        }
    }

    private mutating func nextOfBody(_ input: Span<UInt8>) -> Step {
        switch self.body.decode(input) {
        case .payload(let range, let consumed):
            return Step(event: .payload(range), consumed: consumed)
        case .needsInput(let consumed):
            return Step(event: .needsInput, consumed: consumed)
        case .end(let consumed):
            self.state = .over
            return Step(event: .end, consumed: consumed)
        case .failed(let fault):
            return self.fail(fault.responseFault.detail)
        }
    }

    private mutating func fail(_ reason: StaticString) -> Step {
        self.state = .over
        self.isKeepAlive = false
        return Step(event: .failed(reason), consumed: 0)
    }
}

extension ResponseReader.Event {
    static func == (left: Self, right: Self) -> Bool {
        switch (left, right) {
        case (.needsInput, .needsInput), (.interim, .interim), (.head, .head), (.end, .end): true
        case (.payload(let left), .payload(let right)): left == right
        case (.failed(let left), .failed(let right)): left.description == right.description
        default: false
        }
    }
}

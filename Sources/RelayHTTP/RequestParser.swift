/// Parses the head of one request after another, strictly by RFC 9112.
///
/// A value of a few words that belongs to a connection; it owns no memory. Give it all bytes of the head
/// that have come so far, from the head's first byte, each time; it remembers how far it looked, so a head
/// that comes byte by byte costs no more than twice one that comes whole.
package struct RequestParser: Sendable {
    /// What came of looking at the input.
    package enum Outcome: Equatable, Sendable {
        /// The head is not complete; call again with more bytes behind the same ones.
        case incomplete
        /// The head is complete and described; the body begins at `byteCount`.
        case head
        /// The request is refused. The parser must be reset before it is used again.
        case failed(RequestFault)
    }

    /// The largest head accepted.
    package let limits: HeadLimits

    private var lines = HeadLines()
    /// Lines of the head seen in earlier calls; they are not in the scratch any more.
    private var linesBefore: Int32 = 0
    /// Lines of the head seen in all.
    private var linesSeen: Int32 = 0

    /// Whether a byte of a head has been seen: a request is under way, and its time is running.
    ///
    /// An empty line alone does not begin a request.
    package private(set) var hasBegun = false

    /// Makes a parser that waits for a head's first byte.
    package init(limits: HeadLimits = HeadLimits()) { self.limits = limits }

    /// Looks at `input`, which begins with the first byte of the head and is never shorter than before.
    ///
    /// One empty line before the request line is ignored (RFC 9112 section 2.2) and counts as part of the
    /// head. After `.head` the parser is ready for the next head. `head` has no meaning unless `.head`
    /// was returned, but that after `.failed` its fields are some of those before the fault; the same scratch may
    /// serve several parsers.
    package mutating func parse(
        _ input: Span<UInt8>,
        into head: inout RequestHead
    ) -> Outcome {
        if let outcome = self.begin(in: input) {
            head.fields.removeAll()
            return outcome
        }
        self.linesBefore = self.linesSeen
        var outcome = self.readLines(of: input, into: &head)
        if outcome == .head, self.linesBefore > 0 {
            // The scratch may have served other connections meanwhile: read the whole head again, once.
            self.restart(at: input[0] == 0x0D ? 2 : 0)
            outcome = self.readLines(of: input, into: &head)
        }
        guard outcome == .head else { return outcome }
        head.byteCount = self.lines.start
        self.reset()
        if let fault = head.readFields(in: input) { return .failed(fault) }
        return .head
    }

    /// Forgets a head that was not completed.
    package mutating func reset() {
        self.restart(at: 0)
        self.hasBegun = false
    }

    /// Steps over one empty line before the head; nil once a head has begun.
    private mutating func begin(in input: Span<UInt8>) -> Outcome? {
        if self.hasBegun { return nil }
        guard input.count > 0 else { return .incomplete }
        if input[0] == 0x0D {
            guard input.count > 1 else { return .incomplete }
            guard input[1] == 0x0A else { return .failed(.controlByte) }
            guard input.count > 2 else { return .incomplete }
            self.restart(at: 2)
        }
        self.hasBegun = true
        return nil
    }

    private mutating func restart(at offset: Int) {
        self.lines = HeadLines(start: offset)
        self.linesSeen = 0
        self.linesBefore = 0
    }

    private mutating func readLines(
        of input: Span<UInt8>,
        into head: inout RequestHead
    ) -> Outcome {
        head.fields.removeAll()
        while true {
            switch self.lines.next(in: input, bytesMax: self.limits.bytesMax) {
            case .incomplete:
                return .incomplete
            case .failed(let fault):
                return .failed(fault.requestFault(inStartLine: self.linesSeen == 0))
            case .line(let line):
                if self.linesSeen == 0 {
                    if let fault = head.readRequestLine(line, in: input) { return .failed(fault) }
                } else if line.isEmpty {
                    return .head
                } else if Int(self.linesSeen) > self.limits.fieldsMax {
                    return .failed(.tooManyFields)
                } else if let fault = head.fields.append(line: line, of: input) {
                    return .failed(fault.requestFault(inStartLine: false))
                }
                self.linesSeen += 1
            }
        }
    }
}

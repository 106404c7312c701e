/// Parses the head of one response after another, strictly by RFC 9112.
///
/// Used like `RequestParser`: give it all bytes of the head that have come so far, each time.
package struct ResponseParser: Sendable {
    /// What came of looking at the input.
    package enum Outcome: Equatable, Sendable {
        /// The head is not complete; call again with more bytes behind the same ones.
        case incomplete
        /// The head is complete and described; the body begins at `byteCount`.
        case head
        /// The response is refused.
        case failed(ResponseFault)
    }

    /// The largest head accepted.
    package let limits: HeadLimits

    private var lines = HeadLines()
    /// Lines of the head seen in earlier calls; they are not in the scratch any more.
    private var linesBefore: Int32 = 0
    /// Lines of the head seen in all.
    private var linesSeen: Int32 = 0

    /// Makes a parser that waits for a head's first byte.
    package init(limits: HeadLimits = HeadLimits()) { self.limits = limits }

    /// Looks at `input`, which begins with the first byte of the head and is never shorter than before.
    ///
    /// The framing depends on the `method` that is answered. After an interim response
    /// (`ResponseHead.isInterim`) the next head begins behind it.
    package mutating func parse(
        _ input: Span<UInt8>,
        answering method: Method,
        into head: inout ResponseHead
    ) -> Outcome {
        self.linesBefore = self.linesSeen
        var outcome = self.readLines(of: input, into: &head)
        if outcome == .head, self.linesBefore > 0 {
            // The scratch may have served other connections meanwhile: read the whole head again, once.
            self.reset()
            outcome = self.readLines(of: input, into: &head)
        }
        guard outcome == .head else { return outcome }
        head.byteCount = self.lines.start
        self.reset()
        if let fault = head.readFields(answering: method, in: input) { return .failed(fault) }
        return .head
    }

    /// Forgets a head that was not completed.
    package mutating func reset() {
        self.lines = HeadLines()
        self.linesSeen = 0
        self.linesBefore = 0
    }

    private mutating func readLines(
        of input: Span<UInt8>,
        into head: inout ResponseHead
    ) -> Outcome {
        head.fields.removeAll()
        while true {
            switch self.lines.next(in: input, bytesMax: self.limits.bytesMax) {
            case .incomplete:
                return .incomplete
            case .failed(let fault):
                return .failed(fault.responseFault)
            case .line(let line):
                if self.linesSeen == 0 {
                    if let fault = head.readStatusLine(line, in: input) { return .failed(fault) }
                } else if line.isEmpty {
                    return .head
                } else if Int(self.linesSeen) > self.limits.fieldsMax {
                    return .failed(.tooManyFields)
                } else if let fault = head.fields.append(line: line, of: input) {
                    return .failed(fault.responseFault)
                }
                self.linesSeen += 1
            }
        }
    }
}

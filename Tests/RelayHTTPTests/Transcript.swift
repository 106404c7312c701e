import RelayHTTP

/// One field as text.
struct FieldText: Equatable {
    var name: String
    var value: String
    var isHopByHop: Bool
}

/// What was read of one request, in terms that do not depend on how it was cut.
struct RequestText: Equatable {
    var method: String
    var target: String
    var path: String
    var query: String?
    var version: HTTPVersion
    var authority: String?
    var fields: [FieldText]
    var framing: BodyFraming
    var isKeepAlive: Bool
    var expectsContinue: Bool
    var upgrade: String?
    var byteCount: Int
    var body: [UInt8] = []
    var isComplete = false

    init(_ head: RequestHead, in bytes: [UInt8]) {
        self.method = text(head.methodName, in: bytes)
        self.target = text(head.target, in: bytes)
        self.path = text(head.path, in: bytes)
        self.query = head.query.map { text($0, in: bytes) }
        self.version = head.version
        self.authority = head.authority.map { text($0.whole, in: bytes) }
        self.fields = head.fields.positions.map {
            FieldText(
                name: text($0.name, in: bytes),
                value: text($0.value, in: bytes),
                isHopByHop: $0.isHopByHop
            )
        }
        self.framing = head.framing
        self.isKeepAlive = head.isKeepAlive
        self.expectsContinue = head.expectsContinue
        self.upgrade = head.upgrade.map { text($0, in: bytes) }
        self.byteCount = head.byteCount
    }
}

/// Everything that one connection's requests were read as.
struct Transcript: Equatable {
    var requests: [RequestText] = []
    var fault: RequestFault?

    /// Reads requests from pieces, as a server does; the scratch is spoilt between pieces, as others do.
    static func read(_ pieces: [[UInt8]], limits: HeadLimits = HeadLimits()) -> Transcript {
        var transcript = Transcript()
        var parser = RequestParser(limits: limits)
        var head = RequestHead()
        var decoder: BodyDecoder?
        var buffer: [UInt8] = []
        for piece in pieces {
            var other = RequestParser()
            _ = other.parse(bytes("POST /x HTTP/1.0\r\nA: b\r\n\r\n").span, into: &head)
            buffer += piece
            var wantsMore = false
            while !wantsMore {
                if var body = decoder {
                    wantsMore = transcript.readBody(&body, from: &buffer)
                    decoder = body.isComplete ? nil : body
                } else {
                    switch parser.parse(buffer.span, into: &head) {
                    case .incomplete:
                        wantsMore = true
                    case .failed(let fault):
                        transcript.fault = fault
                    case .head:
                        transcript.requests.append(RequestText(head, in: buffer))
                        decoder = BodyDecoder(head.framing)
                        buffer.removeFirst(head.byteCount)
                    }
                }
                if transcript.fault != nil { return transcript }
            }
        }
        return transcript
    }

    /// True if more input is needed.
    private mutating func readBody(_ decoder: inout BodyDecoder, from buffer: inout [UInt8]) -> Bool
    {
        let last = self.requests.count - 1
        switch decoder.decode(buffer.span) {
        case .payload(let range, let consumed):
            self.requests[last].body += buffer[range]
            buffer.removeFirst(consumed)
        case .needsInput(let consumed):
            buffer.removeFirst(consumed)
            return true
        case .end(let consumed):
            self.requests[last].isComplete = true
            buffer.removeFirst(consumed)
        case .failed(let fault):
            self.fault = fault.requestFault
        }
        if decoder.isComplete { self.requests[last].isComplete = true }
        return false
    }
}

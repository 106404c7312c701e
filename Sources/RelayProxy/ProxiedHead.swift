import RelayHTTP
import RelayPipeline

/// The head of a request as it goes to a target: written once, completed for each target.
struct ProxiedHead {
    /// Request line without the target's own path, and the fields.
    private var text: [UInt8]
    /// Where the path begins.
    private let pathStart: Int
    /// Where the fields begin.
    private let fieldsStart: Int
    /// Whether `Host` is among the fields, because the client's is passed on.
    private let hasHost: Bool
    /// Whether the target's own path is put before the request's: not before the `*` of OPTIONS.
    private let takesPrefix: Bool

    /// What the client sent, without what ends here; `passesHost` if its `Host` goes on.
    ///
    /// Where the exchange asks for a tunnel, so does the head.
    init(
        of exchange: Exchange,
        _ request: Request,
        _ bytes: Span<UInt8>,
        passesHost: Bool,
        in buffer: inout [UInt8]
    ) {
        let head = request.head
        let methodName = bytes.extracting(head.methodName)
        self.takesPrefix = head.targetForm != .asterisk
        self.pathStart = methodName.count + 1
        var text: [UInt8] = []
        swap(&text, &buffer)
        text.reserveCapacity(head.byteCount + 256)
        request.withPath(bytes) { path in
            text.append(methodName)
            text.append(path.count == 0 ? " /" : " ")
            text.append(path)
            if let query = head.query {
                text.append(0x3F)
                text.append(bytes.extracting(query))
            }
            text.append(" HTTP/1.1\r\n")
        }
        self.fieldsStart = text.count
        if passesHost, let authority = head.authority {
            text.appendField(.host, bytes.extracting(authority.whole))
            self.hasHost = true
        } else {
            self.hasHost = false
        }
        ProxiedFields.appendRequest(of: exchange, request, bytes, to: &text)
        // Whoever sends no body with a method that usually has one says so (RFC 9110 section 8.6).
        if head.framing.isEmpty, [.post, .put, .patch].contains(head.method) {
            text.appendField(.contentLength, 0)
        } else if !head.framing.isEmpty {
            text.appendFraming(head.framing)
        }
        if exchange.asksForTunnel, let protocols = head.upgrade {
            text.appendField(.connection, "Upgrade")
            text.appendField(.upgrade, bytes.extracting(protocols))
        }
        text.appendEndOfHead()
        self.text = text
    }

    /// Gives its buffer back; it is of no further use.
    mutating func giveBuffer(to buffers: HeadBuffers) { buffers.giveBack(&self.text) }

    /// The head for a target whose URL has this path, and whose own `Host` line is this.
    func bytes(prefix: [UInt8], hostLine: [UInt8]) -> [UInt8] {
        let addsPrefix = self.takesPrefix && prefix != [0x2F]
        guard addsPrefix || !self.hasHost else { return self.text }
        let span = self.text.span
        var head: [UInt8] = []
        head.reserveCapacity(span.count + prefix.count + hostLine.count)
        head.append(span.extracting(0..<self.pathStart))
        if addsPrefix {
            head.append(contentsOf: prefix.last == 0x2F ? prefix.dropLast() : prefix[...])
        }
        head.append(span.extracting(self.pathStart..<self.fieldsStart))
        if !self.hasHost { head.append(contentsOf: hostLine) }
        head.append(span.extracting(self.fieldsStart..<span.count))
        return head
    }
}

import RelayEngine
import RelayHTTP

/// Requests whose body arrives in pieces, and responses that are read at the pace of somebody else.
///
/// A request keeps what came of its body until the first byte of it has left; what is beyond that is with the
/// connection, which says stop above its high-water mark. So a body of any size takes two buffers.
extension UpstreamPool {
    /// What is put before the path of a request to the target.
    package func pathPrefix(of target: Int) -> [UInt8] { self.targets[target].path }

    /// The complete `Host` line that names the target as the configuration says.
    package func hostLine(of target: Int) -> [UInt8] { self.targets[target].hostLine }

    /// Appends to the body of a request.
    ///
    /// False: stop until `requestWritable`.
    package func writeBody(_ request: UpstreamRequest, _ bytes: Span<UInt8>) -> Bool {
        self.loop.assertOnLoop()
        switch request.stage {
        case .new, .failing, .queued, .connecting:
            request.keepBody(bytes)
            request.isAwaitingRoom = true
            return false
        case .sent(let connection):
            return connection.writeBody(of: request, bytes)
        case .over:
            return true
        }
    }

    /// The body of a request is complete.
    package func endBody(_ request: UpstreamRequest) {
        self.loop.assertOnLoop()
        guard request.isBodyOpen else { return }
        request.isBodyOpen = false
        switch request.stage {
        case .new, .failing: request.keepEndOfBody()
        case .queued, .connecting:
            request.keepEndOfBody()
            request.rearmDeadline()
        case .sent(let connection): connection.bodyEnded(of: request)
        case .over: break
        }
    }

    /// The client has ended its side of a tunnel: so does this one, behind what was written.
    package func endTunnelInput(_ request: UpstreamRequest) {
        if case .sent(let connection) = request.stage { connection.shutdownOutput() }
    }

    /// Stops reading the response.
    package func pauseResponse(_ request: UpstreamRequest) {
        if case .sent(let connection) = request.stage { connection.pauseResponse() }
    }

    /// Goes on reading the response.
    package func resumeResponse(_ request: UpstreamRequest) {
        if case .sent(let connection) = request.stage { connection.resumeResponse(of: request) }
    }
}

/// What a request keeps of its body while it may have to go to another connection.
extension UpstreamRequest {
    /// Keeps a piece, framed.
    func keepBody(_ bytes: Span<UInt8>) {
        if self.isBodyChunked { self.body.appendChunk(bytes) } else { self.body.append(bytes) }
        self.bodyRange = 0..<self.body.count
    }

    /// Keeps a piece of which some may have left, as long as the whole body is not too large for that.
    func keepSentBody(_ bytes: Span<UInt8>) {
        guard self.isBodyWhole else { return }
        let (count, isTooLarge) = self.body.count.addingReportingOverflow(bytes.count)
        if isTooLarge || count > self.bodyBytesKeptMax {
            self.isBodyWhole = false
            self.body = []
            self.bodyRange = 0..<0
        } else {
            self.keepBody(bytes)
        }
    }

    /// Takes over what another attempt, which has failed, has kept.
    package func takeBody(of failed: UpstreamRequest) {
        self.body = failed.body
        self.bodyRange = failed.bodyRange
        self.isBodyOpen = failed.isBodyOpen
    }

    /// Keeps what ends it.
    func keepEndOfBody() {
        guard self.isBodyWhole else { return }
        if self.isBodyChunked { self.body.appendLastChunk() }
        self.bodyRange = 0..<self.body.count
    }
}

import RelayHTTP

/// A request that waits for a plugin before the rest of the pipeline sees it: a copy of its head, and what of its end
/// has come.
///
/// Its body stays with the client meanwhile. Bound to its loop.
package final class SuspendedExchange: ExchangeHandler {
    /// The request, with positions in `bytes`.
    let request: Request
    let bytes: [UInt8]
    /// The stages behind; set by the pipeline.
    var rest: ((Exchange, Request, Span<UInt8>) -> Verdict)?

    private var isRequestComplete = false

    init(_ request: Request, _ bytes: Span<UInt8>) {
        self.request = Request(copying: request)
        var copy: [UInt8] = []
        copy.append(bytes.extracting(0..<min(request.head.byteCount, bytes.count)))
        self.bytes = copy
    }

    /// The rest of the pipeline sees the request now.
    func goOn(_ exchange: Exchange) {
        guard !exchange.isOver, !exchange.isAnswered else { return }
        // Before who takes the request, because that one may want the body to wait, too.
        exchange.resumeBody()
        let bytes = self.bytes
        guard let verdict = self.rest?(exchange, self.request, bytes.span),
            case .take(let handler) = verdict
        else { return }
        exchange.taken(by: handler)
        if self.isRequestComplete, exchange.wantsBody { exchange.requestEnded() }
    }

    package func requestEnded(_ exchange: Exchange) { self.isRequestComplete = true }

    // The body is paused, and what ends the exchange is told to the chain of its plugins.
    package func bodyReceived(_ exchange: Exchange, _ bytes: Span<UInt8>) {}
    package func clientHungUp(_ exchange: Exchange) {}
    package func exchangeEnded(_ exchange: Exchange) {}
}

@available(*, unavailable) extension SuspendedExchange: Sendable {}

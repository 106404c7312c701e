/// One step of a listener's pipeline, made for one event loop from the configuration.
///
/// Called synchronously with each request's head, in the order of the pipeline, until one takes or
/// answers it.
package protocol Stage: AnyObject {
    /// What becomes of this request.
    func requestReceived(_ exchange: Exchange, _ request: Request, _ bytes: Span<UInt8>) -> Verdict
}

/// What a stage decides about a request.
package enum Verdict {
    /// The next stage is asked.
    case proceed
    /// The handler has the exchange now. The body is offered to it from here on.
    case take(any ExchangeHandler)
    /// The stage has called one of the `respond`s. What is left of the body is read if it is at most
    /// 64 KiB, else the connection closes, lingering.
    case responded
    /// The stage wants to wait before the next one is asked. The pipeline says `take` for it.
    case suspend(SuspendedExchange)
}

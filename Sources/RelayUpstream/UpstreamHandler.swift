package import RelayHTTP

/// Who has sent a request upstream: hears of the response or of the failure, one of them exactly once.
///
/// Called on the pool's loop, never from inside `UpstreamPool.start`.
package protocol UpstreamHandler: AnyObject {
    /// The head of an interim response (1xx but 101), before the final one.
    func interimReceived(
        _ request: UpstreamRequest,
        _ head: borrowing ResponseHead,
        _ bytes: Span<UInt8>
    )

    /// The response's final head; a 101 where the request asks for a tunnel, whose bytes follow as the body.
    ///
    /// The positions mean something in `bytes` and during the call only. A response without body is
    /// followed by `responseEnded` at once.
    func responseReceived(
        _ request: UpstreamRequest,
        _ head: borrowing ResponseHead,
        _ bytes: Span<UInt8>
    )

    /// A piece of its body; not to be kept.
    func responseBodyReceived(_ request: UpstreamRequest, _ bytes: Span<UInt8>)

    /// There is a connection, or room again, for more of a body of which `UpstreamPool.writeBody` said false.
    func requestWritable(_ request: UpstreamRequest)

    /// The response is complete.
    func responseEnded(_ request: UpstreamRequest)

    /// There will be no (complete) response; may come after the head.
    func requestFailed(_ request: UpstreamRequest, _ failure: UpstreamFailure)
}

extension UpstreamHandler {
    package func interimReceived(
        _ request: UpstreamRequest,
        _ head: borrowing ResponseHead,
        _ bytes: Span<UInt8>
    ) {}
    package func requestWritable(_ request: UpstreamRequest) {}
}

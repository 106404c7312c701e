/// What carries exchanges: a connection.
///
/// Implemented by RelayServer for HTTP/1.1, and by tests.
///
/// Called through `Exchange` only, which guards order and liveness: each of these at most once per exchange
/// where that makes sense, and never after it is over. On the exchange's loop.
package protocol ExchangeCarrier: AnyObject {
    /// A whole answer; see `Exchange.respond`.
    func respond(_ exchange: Exchange, status: UInt16, fields: Span<UInt8>, body: Span<UInt8>)
    /// A whole answer whose body is shared; see `Exchange.respond`.
    func respond(
        _ exchange: Exchange,
        status: UInt16,
        fields: Span<UInt8>,
        shared bytes: [UInt8],
        from: Int
    )
    /// An interim response; see `Exchange.inform`.
    func inform(_ exchange: Exchange, status: UInt16, fields: Span<UInt8>)
    /// The end of HTTP on its connection; see `Exchange.beginTunnel`.
    func beginTunnel(_ exchange: Exchange, fields: Span<UInt8>)
    /// The head of an answer; see `Exchange.beginResponse`.
    func beginResponse(_ exchange: Exchange, status: UInt16, fields: Span<UInt8>, length: UInt64?)
    /// A piece of its body; false: stop until `responseWritable`.
    func writeBody(_ exchange: Exchange, _ bytes: Span<UInt8>) -> Bool
    /// The end of its body.
    func endBody(_ exchange: Exchange)
    /// It can't be completed.
    func abort(_ exchange: Exchange)
    /// Stops offering the request's body.
    func pauseBody(_ exchange: Exchange)
    /// Goes on offering it.
    func resumeBody(_ exchange: Exchange)
    /// Finds out whether the response has arrived.
    func proveDelivery(_ exchange: Exchange)
}

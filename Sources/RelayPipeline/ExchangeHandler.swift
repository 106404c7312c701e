/// Who has taken an exchange: hears of its body and its end, and answers it.
///
/// One object per exchange, or one for many (the exchange comes with each call). Called on the exchange's
/// loop, never from inside a call of the handler on the exchange, except that `exchangeEnded` may follow
/// from inside `respond`, as its last act.
package protocol ExchangeHandler: AnyObject {
    /// A piece of the request's body; not to be kept.
    func bodyReceived(_ exchange: Exchange, _ bytes: Span<UInt8>)

    /// The request is complete. Comes also when there is no body, right after the stage has taken it.
    func requestEnded(_ exchange: Exchange)

    /// The client is gone (a reset, or a FIN, also a half-close) before the response was begun. The
    /// exchange is over; `exchangeEnded` follows.
    func clientHungUp(_ exchange: Exchange)

    /// Before the response was begun: that of a later request on the same connection is complete and can only
    /// go out behind this one, so who merely waits should answer now.
    func laterResponseWaits(_ exchange: Exchange)

    /// After `writeBody` said false: there is room again.
    func responseWritable(_ exchange: Exchange)

    /// With `watchesDelivery`: the client has the response.
    func deliveryProven(_ exchange: Exchange)

    /// With `watchesDelivery`: the connection ended without proof. `wasWritten` is false if no byte of the
    /// response was given to the kernel.
    func deliveryFailed(_ exchange: Exchange, wasWritten: Bool)

    /// The exchange is over; the last call, exactly once, however it ended.
    func exchangeEnded(_ exchange: Exchange)
}

extension ExchangeHandler {
    package func laterResponseWaits(_ exchange: Exchange) {}
    package func responseWritable(_ exchange: Exchange) {}
    package func deliveryProven(_ exchange: Exchange) {}
    package func deliveryFailed(_ exchange: Exchange, wasWritten: Bool) {}
}

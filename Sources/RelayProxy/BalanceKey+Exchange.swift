import RelayConfig
import RelayHTTP
import RelayPipeline
import RelayUpstream

extension BalanceKey {
    /// What `balance: { hash: … }` goes by for a request that is passed on; nil where the request has no such thing,
    /// or the pool goes by something else.
    init?(
        _ balance: PoolConfiguration.Balance,
        _ exchange: Exchange,
        _ request: Request,
        _ bytes: Span<UInt8>
    ) {
        guard case .hash(let key) = balance else { return nil }
        switch key {
        case .clientAddress:
            guard case .ip(let address) = exchange.clientAddress else { return nil }
            self.init(address)
        case .clientID:
            return nil
        case .field(let name):
            let name = Array(name.utf8)
            guard let index = request.head.fields.firstIndex(named: name.span, in: bytes) else {
                return nil
            }
            self.init(bytes.extracting(request.head.fields[index].value))
        }
    }
}

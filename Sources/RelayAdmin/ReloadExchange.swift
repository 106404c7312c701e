import RelayEngine
import RelayHTTP
import RelayObservation
import RelayPipeline

/// A `POST /reload` that waits until the control loop has reloaded.
final class ReloadExchange: ExchangeHandler {
    private let actions: any AdminActions

    init(_ actions: any AdminActions) { self.actions = actions }

    // A body means nothing here.
    func bodyReceived(_ exchange: Exchange, _ bytes: Span<UInt8>) {}

    func requestEnded(_ exchange: Exchange) {
        let handle = exchange.enter(exchange.listener.exchanges)
        let loop = exchange.loop
        // The table does not change threads: it is only touched in the message, on its own loop.
        nonisolated(unsafe) let exchanges = exchange.listener.exchanges
        self.actions.reload { result in
            loop.post { _ in
                guard let exchange = unsafe exchanges[handle] else { return }
                Self.respond(exchange, result)
            }
        }
    }

    // The reload goes on; only nobody hears of it.
    func clientHungUp(_ exchange: Exchange) {}

    func exchangeEnded(_ exchange: Exchange) {}

    private static func respond(_ exchange: Exchange, _ result: ReloadResult) {
        let fields: StaticString = "Content-Type: application/json\r\nCache-Control: no-store\r\n"
        var body: [UInt8] = []
        let status: UInt16
        switch result {
        case .success(let generation):
            status = 200
            body.append(#"{"generation":"#)
            body.append(decimal: UInt64(generation))
            body.append("}\n")
        case .failure(let errors):
            status = 422
            body.append(#"{"errors":["#)
            for (index, error) in errors.enumerated() {
                if index > 0 { body.append(0x2C) }
                JSONText.appendString(error, to: &body)
            }
            body.append("]}\n")
        }
        fields.withSpan { exchange.respond(status: status, fields: $0, body: body.span) }
    }
}

import RelayEngine
import RelayHTTP
import RelayPipeline

/// A request about dead letters that waits until the store has answered.
final class DeadLetterExchange: ExchangeHandler {
    private let actions: any AdminActions
    private let request: DeadLetterRequest

    init(_ actions: any AdminActions, _ request: DeadLetterRequest) {
        self.actions = actions
        self.request = request
    }

    // A body means nothing here.
    func bodyReceived(_ exchange: Exchange, _ bytes: Span<UInt8>) {}

    func requestEnded(_ exchange: Exchange) {
        let handle = exchange.enter(exchange.listener.exchanges)
        let loop = exchange.loop
        // The table does not change threads: it is only touched in the message, on its own loop.
        nonisolated(unsafe) let exchanges = exchange.listener.exchanges
        self.actions.deadLetters(self.request) { answer in
            loop.post { _ in
                guard let exchange = unsafe exchanges[handle] else { return }
                Self.respond(exchange, answer)
            }
        }
    }

    // What was asked for happens; only nobody hears of it.
    func clientHungUp(_ exchange: Exchange) {}

    func exchangeEnded(_ exchange: Exchange) {}

    private static func respond(_ exchange: Exchange, _ answer: DeadLetterAnswer) {
        switch answer {
        case .lines(let bytes):
            Self.respond(exchange, bytes, "Content-Type: application/x-ndjson\r\n")
        case .text(let bytes):
            Self.respond(exchange, bytes, "Content-Type: text/plain; charset=utf-8\r\n")
        case .bytes(let bytes):
            Self.respond(exchange, bytes, "Content-Type: application/octet-stream\r\n")
        case .unknown:
            exchange.respond(Problem(status: 404), detail: "There is no dead letter with this id.")
        case .useless:
            exchange.respond(
                Problem(status: 409),
                detail: "This dead letter is for nobody, or nothing of it is kept."
            )
        case .unavailable:
            exchange.respond(Problem(status: 503), detail: "The store cannot do this now.")
        }
    }

    private static func respond(_ exchange: Exchange, _ body: [UInt8], _ type: StaticString) {
        var fields: [UInt8] = []
        type.withSpan { fields.append($0) }
        fields.append("Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n")
        exchange.respond(status: 200, fields: fields.span, shared: body, from: 0)
    }
}

extension DeadLetterRequest {
    /// What a path asks for: `/dead-letters`, `/dead-letters/ID`, and `/body`, `/retry` or `/drop` behind that.
    init?(path: Span<UInt8>) {
        let parts = (0..<path.count).map { path[$0] }
            .split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
        guard parts.count >= 2, parts[0].isEmpty, parts[1] == "dead-letters" else { return nil }
        if parts.count == 2 {
            self = .list
            return
        }
        guard let id = UInt64(parts[2]), parts[2] == "\(id)" else { return nil }
        switch parts.dropFirst(3) {
        case []: self = .show(id)
        case ["body"]: self = .body(id)
        case ["retry"]: self = .retry(id)
        case ["drop"]: self = .drop(id)
        default: return nil
        }
    }
}

import RelayEngine
import RelayHTTP
import RelayPipeline

/// The demonstration backend: the backend's side of the packet protocol (relay-protocol(7)) in one stage.
///
/// It keeps nothing. Bound to its loop.
final class EchoStage: Stage {
    /// How many clients were given an id because they had none.
    private var clientsNamed = 0

    func requestReceived(_ exchange: Exchange, _ request: Request, _ bytes: Span<UInt8>) -> Verdict
    {
        guard exchange.method == .post else {
            let allow: StaticString = "Allow: POST\r\n"
            allow.withSpan {
                exchange.respond(
                    Problem(status: 405),
                    detail: "A backend is only ever sent POST.",
                    fields: $0
                )
            }
            return .responded
        }
        let fields = request.head.fields
        guard let type = fields.value(of: .type) else { return self.refuse(exchange) }
        let name = bytes.extracting(type)
        if name.equalsIgnoringCase("auth") || name.equalsIgnoringCase("register") {
            let permissions = fields.value(of: .permissions).map { bytes.extracting($0).array }
            return .take(EchoLogin(self, permissions: permissions))
        }
        guard name.equalsIgnoringCase("packet") else { return self.refuse(exchange) }
        guard request.announcesBody else {
            // A fetch: packets only ever come as answers to packets here.
            exchange.respond(status: 200, fields: Span(), body: Span())
            return .responded
        }
        return .take(EchoPacket(request.head, bytes))
    }

    /// The id of a client that gave none.
    func makeClientID() -> [UInt8] {
        self.clientsNamed += 1
        return Array("client-\(self.clientsNamed)".utf8)
    }

    /// A token that nobody can guess.
    static func makeToken(_ system: SystemCalls) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 16)
        var span = bytes.mutableSpan
        system.fillWithRandomBytes(&span)
        let digits = Array("0123456789abcdef".utf8)
        return bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
    }

    private func refuse(_ exchange: Exchange) -> Verdict {
        exchange.respond(
            Problem(status: 400),
            detail: "The Type field must be Auth, Register or Packet; relay sends it."
        )
        return .responded
    }
}

/// A login at the demonstration backend.
private final class EchoLogin: ExchangeHandler {
    private let stage: EchoStage
    private let permissions: [UInt8]?
    private var body: [UInt8] = []

    init(_ stage: EchoStage, permissions: [UInt8]?) {
        self.stage = stage
        self.permissions = permissions
    }

    func bodyReceived(_ exchange: Exchange, _ bytes: Span<UInt8>) { self.body.append(bytes) }

    func requestEnded(_ exchange: Exchange) {
        let text = String(decoding: self.body, as: UTF8.self)
        let words = text.split { $0.isWhitespace }
        var id = words.count == 1 ? Array(words[0].utf8) : []
        guard words.count <= 1, id.count <= 255, !id.contains(0x2C),
            id.allSatisfy({ $0 > 0x20 && $0 != 0x7F })
        else {
            return exchange.respond(
                Problem(status: 401),
                detail: "A client id has no comma, no blank and at most 255 bytes."
            )
        }
        if id.isEmpty { id = self.stage.makeClientID() }
        var fields: [UInt8] = []
        fields.appendField(.clientID, id.span)
        if let permissions { fields.appendField(.permissions, permissions.span) }
        let token = EchoStage.makeToken(exchange.loop.system)
        exchange.respond(status: 200, fields: fields.span, body: token.span)
    }

    func clientHungUp(_ exchange: Exchange) {}
    func exchangeEnded(_ exchange: Exchange) {}
}

/// A packet at the demonstration backend, which goes back.
private final class EchoPacket: ExchangeHandler {
    private var fields: [UInt8] = []
    private var body: [UInt8] = []

    init(_ head: RequestHead, _ bytes: Span<UInt8>) {
        let deliverTo: StaticString = "X-Deliver-To"
        let other = deliverTo.withSpan { head.fields.firstIndex(named: $0, in: bytes) }
        let recipient = other.map { head.fields[$0].value } ?? head.fields.value(of: .from)
        if let recipient { self.fields.appendField(.to, bytes.extracting(recipient)) }
        if other != nil, let from = head.fields.value(of: .from) {
            self.fields.appendField(.from, bytes.extracting(from))
        }
        for index in 0..<head.fields.count {
            let field = head.fields[index]
            if field.isXField, index != other { self.fields.appendField(field, of: bytes) }
        }
    }

    func bodyReceived(_ exchange: Exchange, _ bytes: Span<UInt8>) { self.body.append(bytes) }

    func requestEnded(_ exchange: Exchange) {
        // An empty chunked body is no packet.
        let fields = self.body.isEmpty ? [] : self.fields
        exchange.respond(status: 200, fields: fields.span, shared: self.body, from: 0)
    }

    func clientHungUp(_ exchange: Exchange) {}
    func exchangeEnded(_ exchange: Exchange) {}
}

extension Span where Element == UInt8 {
    /// A copy.
    fileprivate var array: [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(self)
        return bytes
    }
}

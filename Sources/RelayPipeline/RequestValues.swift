import RelayConfig
import RelayHTTP

/// The value of a field that a filter writes.
enum FilterValue: Sendable, Hashable {
    /// Always these bytes.
    case literal([UInt8])
    /// These bytes, which this request has said.
    case said([UInt8])
    /// These, with what the request says.
    case text(RequestText)

    init(_ text: RequestText) {
        self = text.literal.map { .literal(Array($0.utf8)) } ?? .text(text)
    }

    /// Whether it is what a request said, so that nothing is no field rather than an empty one.
    var isOfRequest: Bool {
        if case .literal = self { false } else { true }
    }

    /// Whether it depends on the request.
    var hasValues: Bool {
        if case .text = self { true } else { false }
    }

    /// Whether it depends on who the client is, which is known later than the rest.
    var hasClientID: Bool {
        if case .text(let text) = self { text.parts.contains(.value(.clientID)) } else { false }
    }

    /// The bytes; a client that nobody has named yet is none.
    var bytes: [UInt8] {
        switch self {
        case .literal(let bytes), .said(let bytes): bytes
        case .text(let text): text.bytes { _ in [] }
        }
    }

    /// With what this request says, but not with who the client is.
    func resolved(
        of exchange: Exchange,
        _ request: Request,
        _ bytes: Span<UInt8>
    ) -> FilterValue {
        guard case .text(let text) = self else { return self }
        var parts: [RequestText.Part] = []
        for part in text.parts {
            guard case .value(let value) = part, value != .clientID else {
                parts.append(part)
                continue
            }
            let text = String(
                decoding: value.bytes(of: exchange, request, bytes),
                as: UTF8.self
            )
            parts.append(.literal(text))
        }
        return self.hasClientID
            ? .text(RequestText(parts: parts))
            : .said(RequestText(parts: parts).bytes { _ in [] })
    }

    /// With the id of the client.
    func resolved(clientID: [UInt8]) -> FilterValue {
        guard case .text(let text) = self else { return self }
        return .said(text.bytes { $0 == .clientID ? clientID : [] })
    }
}

extension RequestText {
    /// All of it, each value as `value` says.
    fileprivate func bytes(_ value: (RequestValue) -> [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        for part in self.parts {
            switch part {
            case .literal(let text): bytes.append(contentsOf: text.utf8)
            case .value(let name): bytes.append(contentsOf: value(name))
            }
        }
        return bytes
    }
}

extension RequestValue {
    /// What the request says.
    fileprivate func bytes(
        of exchange: Exchange,
        _ request: Request,
        _ bytes: Span<UInt8>
    ) -> [UInt8] {
        var output: [UInt8] = []
        switch self {
        case .scheme:
            output.append("http")
        case .host:
            if let authority = request.head.authority {
                output.append(bytes.extracting(authority.host))
            }
        case .path:
            request.withPath(bytes) { output.append($0) }
        case .query:
            if let query = request.head.query { output.append(bytes.extracting(query)) }
        case .method:
            output.append(bytes.extracting(request.head.methodName))
        case .clientIP:
            if case .ip(let address) = exchange.clientAddress { output.append(address) }
        case .clientID:
            break
        case .requestID:
            output.append(exchange.requestID)
        case .listener:
            output.append(contentsOf: exchange.listener.configuration.name.utf8)
        case .header(let name):
            let name = Array(name.utf8)
            let fields = request.head.fields
            if let index = fields.firstIndex(named: name.span, in: bytes) {
                output.append(bytes.extracting(fields[index].value))
            }
        }
        return output
    }
}

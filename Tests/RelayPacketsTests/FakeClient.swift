import RelayHTTP
import RelayPipeline

/// The connection of one request: records what it is answered.
///
/// Unlike a real one: bodies come whole, the arrival of a response is proven or fails when the test
/// says so, and `proveDelivery` is only counted.
final class FakeClient: ExchangeCarrier {
    private(set) var status: UInt16?
    private(set) var fields: [String] = []
    private(set) var body = ""
    private(set) var proofsAsked = 0
    var exchange: Exchange?

    /// Status, what concerns the test of the fields, and the body, in one line.
    var answer: String {
        guard let status else { return "none" }
        let shown = self.fields.filter { line in
            !["Content-Type", "Cache-Control", "Packet-Id", "X-Request-Id"].contains {
                line.hasPrefix($0 + ":")
            }
        }
        return ([String(status)] + shown + (self.body.isEmpty ? [] : ["'\(self.body)'"]))
            .joined(separator: ", ")
    }

    /// The value of a field of the answer.
    func value(_ name: String) -> String? {
        self.fields.first { $0.hasPrefix(name + ": ") }.map { String($0.dropFirst(name.count + 2)) }
    }

    func respond(_ exchange: Exchange, status: UInt16, fields: Span<UInt8>, body: Span<UInt8>) {
        self.status = status
        self.fields = Self.text(fields).split(separator: "\r\n").map(String.init)
        self.body = Self.text(body)
    }

    func respond(
        _ exchange: Exchange,
        status: UInt16,
        fields: Span<UInt8>,
        shared bytes: [UInt8],
        from: Int
    ) {
        self.respond(
            exchange,
            status: status,
            fields: fields,
            body: bytes.span.extracting(from..<bytes.count)
        )
    }

    func beginResponse(
        _ exchange: Exchange,
        status: UInt16,
        fields: Span<UInt8>,
        length: UInt64?
    ) {}
    func writeBody(_ exchange: Exchange, _ bytes: Span<UInt8>) -> Bool { true }
    func inform(_ exchange: Exchange, status: UInt16, fields: Span<UInt8>) {}
    func beginTunnel(_ exchange: Exchange, fields: Span<UInt8>) {}
    func endBody(_ exchange: Exchange) {}
    func abort(_ exchange: Exchange) {}
    func pauseBody(_ exchange: Exchange) {}
    func resumeBody(_ exchange: Exchange) {}
    func proveDelivery(_ exchange: Exchange) { self.proofsAsked += 1 }

    private static func text(_ bytes: Span<UInt8>) -> String {
        var copy: [UInt8] = []
        copy.append(bytes)
        return String(decoding: copy, as: UTF8.self)
    }
}

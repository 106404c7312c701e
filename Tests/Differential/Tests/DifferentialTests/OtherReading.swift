import NIOCore
import NIOEmbedded
import NIOHTTP1

/// The first request of a connection as NIOHTTP1, and llhttp in it, read it.
struct OtherReading: Equatable {
    var method = ""
    var target = ""
    var minorVersion = 1
    var fields: [String] = []
    var body: [UInt8] = []

    /// Nil if the request was refused or did not end.
    static func request(_ message: [UInt8]) -> OtherReading? {
        let channel = EmbeddedChannel()
        defer { _ = try? channel.finish(acceptAlreadyClosed: true) }
        let decoder = ByteToMessageHandler(HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes))
        guard (try? channel.pipeline.syncOperations.addHandler(decoder)) != nil else { return nil }
        // An error may come from a second request behind the first one.
        _ = try? channel.writeInbound(ByteBuffer(bytes: message))
        var reading = OtherReading()
        while let part = try? channel.readInbound(as: HTTPServerRequestPart.self) {
            switch part {
            case .head(let head):
                // NIO leaves the hyphen out of what llhttp calls M-SEARCH.
                reading.method = head.method == .MSEARCH ? "M-SEARCH" : head.method.rawValue
                reading.target = head.uri
                reading.minorVersion = head.version.minor
                reading.fields = head.headers.map(Self.trimmed)
            case .body(let buffer):
                reading.body += buffer.readableBytesView
            case .end:
                return reading
            }
        }
        return nil
    }

    /// The first response of a connection to a request with `method`; nil if it was refused or did not end.
    static func response(_ message: [UInt8], to method: HTTPMethod) -> OtherReading? {
        let channel = EmbeddedChannel()
        defer { _ = try? channel.finish(acceptAlreadyClosed: true) }
        let decoder = ByteToMessageHandler(
            HTTPResponseDecoder(
                leftOverBytesStrategy: .dropBytes,
                informationalResponseStrategy: .forward
            )
        )
        guard (try? channel.pipeline.syncOperations.addHandler(decoder)) != nil else { return nil }
        let head = HTTPRequestHead(version: .http1_1, method: method, uri: "/")
        _ = try? channel.writeOutbound(HTTPClientRequestPart.head(head))
        _ = try? channel.writeInbound(ByteBuffer(bytes: message))
        var reading = OtherReading()
        while let part = try? channel.readInbound(as: HTTPClientResponsePart.self) {
            switch part {
            case .head(let head):
                reading.method = String(head.status.code)
                // NIO gives known statuses the standard phrase, whatever was received.
                reading.target = ""
                reading.minorVersion = head.version.minor
                reading.fields = head.headers.map(Self.trimmed)
            case .body(let buffer):
                reading.body += buffer.readableBytesView
            case .end:
                return reading
            }
        }
        return nil
    }

    /// A field without the white space behind its value, which llhttp leaves to its user.
    private static func trimmed(_ name: String, _ value: String) -> String {
        var value = Substring(value).utf8
        while let byte = value.last, byte == 32 || byte == 9 { value.removeLast() }
        return "\(name): \(Substring(value))"
    }
}

import RelayHTTP
import Synchronization

@testable import RelayEngine

/// A scripted origin: writes down what it is sent and answers what the test says.
///
/// `@unchecked Sendable`: everything runs on the test's thread.
final class Origin: @unchecked Sendable {
    let address: SocketAddress
    /// Its connections in the order in which they came, ended ones too.
    private(set) var connections: [OriginConnection] = []
    private let listener: Listener

    /// How many origins have had an address of their own, so that nobody comes to listen where one stopped.
    private static let addressesUsed = Atomic<UInt32>(0)

    init(on group: EventLoopGroup, address: SocketAddress? = nil) throws {
        let number = Self.addressesUsed.wrappingAdd(1, ordering: .relaxed).newValue
        self.listener = try Listener(
            settings: ListenerSettings(address: address ?? .v4(0x7f01_0000 + number, port: 0)),
            system: group.system
        )
        self.address = self.listener.address
        self.listener.start(on: group) { [weak self] accepted, loop in
            let connection = OriginConnection(loop: loop, accepted: accepted)
            self?.connections.append(connection)
            return connection
        }
    }

    /// Refuses connections from now on.
    func stop() { self.listener.close() }

    /// Connections that have not ended.
    var open: [OriginConnection] { self.connections.filter { $0.endReason == nil } }

    /// Whether a whole request stands unanswered.
    var hasRequest: Bool { self.connections.contains { $0.hasRequest } }

    /// Takes the oldest unanswered request of the first connection that has one, and answers it.
    @discardableResult
    func answer(_ response: String = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok") -> String? {
        guard let connection = self.connections.first(where: \.hasRequest) else { return nil }
        let request = connection.takeRequest()
        connection.send(response)
        return request
    }
}

/// One connection to an origin.
final class OriginConnection: RelayEngine.Stream {
    private var input: [UInt8] = []
    private(set) var endReason: CloseReason?

    /// Whether a whole request was received.
    var hasRequest: Bool { self.isOpen && self.requestEnd != nil }

    /// What was received and not taken.
    var received: String { String(decoding: self.input, as: UTF8.self) }

    func takeRequest() -> String? {
        guard let end = self.requestEnd else { return nil }
        let request = String(decoding: self.input[..<end], as: UTF8.self)
        self.input.removeFirst(end)
        return request
    }

    func send(_ text: String) {
        let bytes = Array(text.utf8)
        self.write(bytes.span)
    }

    override func received(_ input: Span<UInt8>) -> Int {
        self.input.append(input)
        return input.count
    }

    override func inputEnded() { self.close() }

    override func closed(_ reason: CloseReason) { self.endReason = reason }

    private var requestEnd: Int? {
        var parser = RequestParser()
        var head = RequestHead()
        guard case .head = parser.parse(self.input.span, into: &head) else { return nil }
        var end = head.byteCount
        if case .length(let bytes) = head.framing { end += Int(bytes) }
        return end <= self.input.count ? end : nil
    }
}

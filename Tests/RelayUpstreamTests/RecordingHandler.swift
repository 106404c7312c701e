import RelayHTTP

@testable import RelayUpstream

/// Writes down what became of a request.
final class RecordingHandler: UpstreamHandler {
    /// The request, which the test keeps for it.
    var request: UpstreamRequest?
    private(set) var status: UInt16?
    /// What the response's `X-Name` says.
    private(set) var name: String?
    private(set) var body: [UInt8] = []
    private(set) var failure: UpstreamFailure?
    private(set) var isEnded = false
    /// How often it has heard the last of it; must be once.
    private(set) var endings = 0
    /// Called when it has heard the last of it.
    var onEnd: (() -> Void)?
    /// Called with the head.
    var onHead: (() -> Void)?

    /// Whether it has heard the last of it.
    var isOver: Bool { self.endings > 0 }

    var text: String { String(decoding: self.body, as: UTF8.self) }

    func responseReceived(
        _ request: UpstreamRequest,
        _ head: borrowing ResponseHead,
        _ bytes: Span<UInt8>
    ) {
        self.status = head.status
        let field = Array("X-Name".utf8)
        if let index = head.fields.firstIndex(named: field.span, in: bytes) {
            var value: [UInt8] = []
            value.append(bytes.extracting(head.fields[index].value))
            self.name = String(decoding: value, as: UTF8.self)
        }
        self.onHead?()
    }

    func responseBodyReceived(_ request: UpstreamRequest, _ bytes: Span<UInt8>) {
        self.body.append(bytes)
    }

    func responseEnded(_ request: UpstreamRequest) {
        self.isEnded = true
        self.end()
    }

    func requestFailed(_ request: UpstreamRequest, _ failure: UpstreamFailure) {
        self.failure = failure
        self.end()
    }

    private func end() {
        self.endings += 1
        self.onEnd?()
    }
}

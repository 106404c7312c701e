import RelayHTTP
import RelayUpstream

@testable import RelayPackets

/// Targets whose answers a test gives.
///
/// Unlike a real pool: picks the first usable target that was not tried, sends nothing, and calls
/// waiters only when the test says so.
final class FakeTargets: TargetPool {
    let targetCount: Int

    /// The targets that may be picked.
    var usable: Set<Int>

    /// The requests that are under way, oldest first.
    private(set) var requests: [UpstreamRequest] = []

    /// Those that were given up.
    private(set) var cancelled = 0

    private(set) var waiters: [any PoolWaiter] = []

    init(_ targetCount: Int = 1) {
        self.targetCount = targetCount
        self.usable = Set(0..<targetCount)
    }

    func pickTarget(excluding tried: TargetSet, key: BalanceKey?) -> Int? {
        self.usable.sorted().first { !tried.contains($0) }
    }

    func wait(_ waiter: any PoolWaiter) { self.waiters.append(waiter) }

    func cancelWait(_ waiter: any PoolWaiter) { self.waiters.removeAll { $0 === waiter } }

    func start(_ request: UpstreamRequest) { self.requests.append(request) }

    func cancel(_ request: UpstreamRequest) {
        self.requests.removeAll { $0 === request }
        self.cancelled += 1
    }

    // MARK: For tests

    /// Every request as text: its fields, and its body.
    var sent: [String] { self.requests.map(Self.text) }

    /// Packets among them, by the text of their bodies.
    var packets: [String] {
        self.requests.compactMap { $0.bodyRange.isEmpty ? nil : Self.bodyText($0) }
    }

    /// How many fetches are under way.
    var fetches: Int { self.requests.count { $0.bodyRange.isEmpty } }

    static func text(_ request: UpstreamRequest) -> String {
        String(decoding: request.fields, as: UTF8.self) + "\r\n" + Self.bodyText(request)
    }

    static func bodyText(_ request: UpstreamRequest) -> String {
        String(decoding: request.body[request.bodyRange], as: UTF8.self)
    }

    /// Answers the oldest request.
    func answer(
        _ status: Int,
        _ fields: [String] = [],
        _ body: String = "",
        index: Int = 0
    ) {
        let request = self.requests.remove(at: index)
        let lines = fields + ["Content-Length: \(body.utf8.count)"]
        let text = "HTTP/1.1 \(status) X\r\n" + lines.map { $0 + "\r\n" }.joined() + "\r\n"
        let bytes = Array(text.utf8)
        var head = ResponseHead()
        var parser = ResponseParser()
        let outcome = parser.parse(bytes.span, answering: request.method, into: &head)
        precondition(outcome == .head, "a test's response is well-formed: \(outcome)")
        request.handler.responseReceived(request, head, bytes.span)
        let content = Array(body.utf8)
        if !content.isEmpty { request.handler.responseBodyReceived(request, content.span) }
        request.handler.responseEnded(request)
    }

    /// Has the oldest request fail.
    func fail(
        _ kind: UpstreamFailure.Kind,
        _ outcome: UpstreamFailure.Outcome,
        index: Int = 0
    ) {
        let request = self.requests.remove(at: index)
        request.handler.requestFailed(request, UpstreamFailure(kind, outcome, reason: "a test"))
    }

    /// Tells everybody who waits that a target may be usable.
    func mayBeUsable() {
        let waiting = self.waiters
        self.waiters = []
        for waiter in waiting {
            switch waiter {
            case let sender as LaneSender: sender.mayBeUsable(self)
            case let login as LoginExchange: login.mayBeUsable()
            case let fetches as ClientFetches: fetches.mayBeUsable()
            default: preconditionFailure("somebody else waits")
            }
        }
    }
}

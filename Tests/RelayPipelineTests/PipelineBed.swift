import RelayConfig
import RelayEngine
import RelayHTTP
import RelayPipeline
import SimulatedSystem
import Testing

/// A parsed request and its exchange, without a connection.
final class PipelineBed {
    let exchange: Exchange
    let request = Request()
    let bytes: [UInt8]
    let carrier = RecordingCarrier()

    /// Parses `head`, whose lines end in `\n`, as a request of `client` that came from `peer`.
    init(
        _ head: String,
        client: ClientAddress = .ip(.v4(0x0a00_0001)),
        peer: ClientAddress? = nil,
        isPeerTrusted: Bool = false,
        handler: (any ExchangeHandler)? = nil,
        configuration: ListenerConfiguration? = nil,
        stages: [any Stage] = []
    ) throws {
        let group = try Simulation(seed: 1).makeLoops(1)
        self.bytes = Array(
            head.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\r\n")
                .utf8
        )
        let bytes = self.bytes
        var parser = RequestParser()
        let outcome = parser.parse(bytes.span, into: &self.request.head)
        try #require(outcome == .head)
        let fault = self.request.normalizePath(bytes.span, mergingSlashes: true)
        try #require(fault == nil)
        let listener = ListenerContext(
            configuration: configuration
                ?? ListenerConfiguration(
                    name: "web",
                    bind: .unix(path: "/tmp/x"),
                    pipeline: []
                ),
            pipeline: Pipeline(stages.map { Pipeline.Step($0) }),
            shared: ListenerCounts(),
            exchanges: ExchangeTable()
        )
        self.exchange = Exchange(
            loop: group.loops[0],
            listener: listener,
            carrier: self.carrier,
            method: self.request.head.method,
            requestID: .made(high: 0x0123_4567_89ab_cdef, low: 0xf),
            clientAddress: client,
            startTime: MonotonicTime(nanoseconds: 0),
            peerAddress: peer,
            isPeerTrusted: isPeerTrusted
        )
        if let handler { self.exchange.taken(by: handler) }
    }

    func matches(_ matcher: Matcher) -> Bool {
        let bytes = self.bytes
        return matcher.holds(self.exchange, self.request, bytes.span)
    }

    /// Runs the pipeline.
    func run() {
        let bytes = self.bytes
        _ = self.exchange.listener.pipeline.run(self.exchange, self.request, bytes.span)
    }

    /// Where a packet goes.
    func pool(_ route: Route) -> String? {
        let bytes = self.bytes
        return route.poolForPackets(self.exchange, self.request, bytes.span)
    }

    /// The rule that takes it if it is no packet.
    func rule(_ route: Route) -> RouteRule? {
        let bytes = self.bytes
        return route.rule(self.exchange, self.request, bytes.span)
    }

    /// What becomes of it if it is no packet.
    func action(_ route: Route) -> RouteRuleConfiguration.Action? {
        self.rule(route)?.configuration.action
    }

    /// The lines that go towards a backend.
    func carried(_ filters: HeaderFilterList = .none) -> [String] {
        let bytes = self.bytes
        var output: [UInt8] = []
        CarriedFields.appendRequest(
            filters,
            of: self.exchange,
            self.request,
            bytes.span,
            to: &output
        )
        return lines(output)
    }
}

/// Field lines without their line ends.
func lines(_ bytes: [UInt8]) -> [String] {
    String(decoding: bytes, as: UTF8.self).split(separator: "\r\n").map(String.init)
}

/// Notes what it is asked to do.
final class RecordingCarrier: ExchangeCarrier {
    var calls: [String] = []
    /// The field lines of the last response that was given in whole.
    var fields: [UInt8] = []

    func respond(
        _ exchange: Exchange,
        status: UInt16,
        fields: Span<UInt8>,
        body: Span<UInt8>
    ) {
        self.fields = []
        self.fields.append(fields)
        self.calls.append("respond \(status)")
    }

    func respond(
        _ exchange: Exchange,
        status: UInt16,
        fields: Span<UInt8>,
        shared bytes: [UInt8],
        from: Int
    ) {
        self.calls.append("respond \(status) shared")
    }

    func beginResponse(
        _ exchange: Exchange,
        status: UInt16,
        fields: Span<UInt8>,
        length: UInt64?
    ) {
        self.calls.append("begin \(status)")
    }

    func writeBody(_ exchange: Exchange, _ bytes: Span<UInt8>) -> Bool {
        self.calls.append("write \(bytes.count)")
        return false
    }

    func inform(_ exchange: Exchange, status: UInt16, fields: Span<UInt8>) {
        self.calls.append("inform \(status)")
    }

    func beginTunnel(_ exchange: Exchange, fields: Span<UInt8>) { self.calls.append("tunnel") }
    func endBody(_ exchange: Exchange) { self.calls.append("end") }
    func abort(_ exchange: Exchange) { self.calls.append("abort") }
    func pauseBody(_ exchange: Exchange) { self.calls.append("pause") }
    func resumeBody(_ exchange: Exchange) { self.calls.append("resume") }
    func proveDelivery(_ exchange: Exchange) { self.calls.append("prove") }
}

/// Notes what it hears.
final class RecordingHandler: ExchangeHandler {
    var events: [String] = []

    func bodyReceived(_ exchange: Exchange, _ bytes: Span<UInt8>) {
        self.events.append("body \(bytes.count)")
    }
    func requestEnded(_ exchange: Exchange) { self.events.append("ended") }
    func clientHungUp(_ exchange: Exchange) { self.events.append("hung up") }
    func deliveryProven(_ exchange: Exchange) { self.events.append("proven") }
    func deliveryFailed(_ exchange: Exchange, wasWritten: Bool) {
        self.events.append("failed \(wasWritten)")
    }
    func exchangeEnded(_ exchange: Exchange) { self.events.append("over") }
}

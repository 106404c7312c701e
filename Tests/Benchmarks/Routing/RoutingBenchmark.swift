import Glibc
import RelayConfig
import RelayEngine
import RelayHTTP
import RelayPipeline
import SimulatedSystem

/// Looks up which rule of a route a request meets, again and again.
///
/// `RoutingBenchmark RULES LOOKUPS` prints nanoseconds per look-up; `compare` counts instructions.
@main struct RoutingBenchmark {
    /// Reads the numbers, and measures.
    static func main() throws {
        let numbers = CommandLine.arguments.dropFirst().compactMap { Int($0) }
        guard numbers.count == 2, numbers[0] > 0, numbers[1] > 0 else {
            print("usage: RoutingBenchmark RULES LOOKUPS")
            exit(64)
        }
        let bench = try RoutingBenchmark(rules: numbers[0])
        let start = ContinuousClock.now
        let found = bench.run(numbers[1])
        let time = (ContinuousClock.now - start) / numbers[1]
        print("\(numbers[0]) rules: \(time) each, \(found) found")
    }

    private let route: Route
    private let exchange: Exchange
    private let requests: [(request: Request, bytes: [UInt8])]

    /// Rules for 100 hosts, each with its own path, and requests for 10 of them.
    private init(rules count: Int) throws {
        let rules = (0..<count).map { index in
            var match = MatchConfiguration()
            match.hosts = [.exactly("host-\(index % 100).example.com")]
            match.pathPrefixes = ["/services/number-\(index)"]
            return RouteRuleConfiguration(.pool("pool"), match: match)
        }
        self.route = Route(RouteConfiguration(rules: rules), takesPackets: false)
        let group = try Simulation(seed: 1).makeLoops(1)
        let configuration = ListenerConfiguration(
            name: "web",
            bind: .unix(path: "/none"),
            pipeline: []
        )
        self.exchange = Exchange(
            loop: group.loops[0],
            listener: ListenerContext(
                configuration: configuration,
                pipeline: Pipeline([]),
                shared: ListenerCounts(),
                exchanges: ExchangeTable()
            ),
            carrier: SilentCarrier(),
            method: .get,
            requestID: .made(high: 1, low: 2),
            clientAddress: .ip(.v4(0x0A00_0001)),
            startTime: MonotonicTime(nanoseconds: 0)
        )
        self.requests = (0..<10).map { step in
            let index = step * count / 10
            let head =
                "GET /services/number-\(index)/item?x=1 HTTP/1.1\r\n"
                + "Host: host-\(index % 100).example.com\r\n\r\n"
            let (request, bytes) = (Request(), Array(head.utf8))
            var parser = RequestParser()
            _ = parser.parse(bytes.span, into: &request.head)
            return (request, bytes)
        }
    }

    private func run(_ count: Int) -> Int {
        var found = 0
        for index in 0..<count {
            let (request, bytes) = self.requests[index % self.requests.count]
            if self.route.rule(self.exchange, request, bytes.span) != nil { found += 1 }
        }
        return found
    }
}

/// Carries nothing: no exchange is answered here.
private final class SilentCarrier: ExchangeCarrier {
    func respond(_ exchange: Exchange, status: UInt16, fields: Span<UInt8>, body: Span<UInt8>) {}
    func respond(
        _ exchange: Exchange,
        status: UInt16,
        fields: Span<UInt8>,
        shared bytes: [UInt8],
        from: Int
    ) {}
    func inform(_ exchange: Exchange, status: UInt16, fields: Span<UInt8>) {}
    func beginTunnel(_ exchange: Exchange, fields: Span<UInt8>) {}
    func beginResponse(
        _ exchange: Exchange,
        status: UInt16,
        fields: Span<UInt8>,
        length: UInt64?
    ) {}
    func writeBody(_ exchange: Exchange, _ bytes: Span<UInt8>) -> Bool { true }
    func endBody(_ exchange: Exchange) {}
    func abort(_ exchange: Exchange) {}
    func pauseBody(_ exchange: Exchange) {}
    func resumeBody(_ exchange: Exchange) {}
    func proveDelivery(_ exchange: Exchange) {}
}

import RelayConfig
import RelayPipeline
import Testing

@testable import struct RelayPipeline.RouteIndex

struct RouteIndexTests {
    /// A small generator of chance that a seed makes repeatable (Steele, Lea and Flood, 2014).
    private struct SplitMix: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            self.state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = self.state
            mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            return mixed ^ (mixed >> 31)
        }
    }

    private static let hosts = [
        "a", "b.a", "c.b.a", "b.a.", ".b.a", "x.y.b.a", "xb.a", "B.A", "[::1]", "127.0.0.1", "a.b",
    ]
    private static let paths = [
        "/", "/a", "/a/", "/a/b", "/a/b/", "/ab", "/a/b/c", "/b", "/b/a/b", "/c//d", "/%2F",
        "/a/bc",
    ]

    private static func some<Value>(
        _ values: [Value],
        _ generator: inout SplitMix
    ) -> [Value] {
        guard Bool.random(using: &generator) else { return [] }
        return Array(
            values.shuffled(using: &generator).prefix(.random(in: 1...3, using: &generator))
        )
    }

    private static func match(_ generator: inout SplitMix) -> MatchConfiguration? {
        if Int.random(in: 0..<12, using: &generator) == 0 { return nil }
        let patterns: [MatchConfiguration.HostPattern] = [
            .exactly("a"), .exactly("b.a"), .exactly("c.b.a"), .below(".a"), .below(".b.a"),
            .exactly("[::1]"), .below(".c"), .exactly("127.0.0.1"),
        ]
        var match = MatchConfiguration()
        match.hosts = Self.some(patterns, &generator)
        if Bool.random(using: &generator) {
            match.paths = Self.some(Self.paths, &generator)
        } else {
            match.pathPrefixes = Self.some(Self.paths, &generator)
        }
        if Int.random(in: 0..<3, using: &generator) == 0 { match.methods = ["POST"] }
        return match
    }

    private static func makeRequests() -> [PipelineBed] {
        var beds: [PipelineBed] = []
        for host in Self.hosts {
            for path in Self.paths {
                for method in ["GET", "POST"] {
                    let head = "\(method) \(path) HTTP/1.1\nHost: \(host)\n\n"
                    if let bed = try? PipelineBed(head) { beds.append(bed) }
                }
            }
        }
        for head in ["GET / HTTP/1.0\n\n", "OPTIONS * HTTP/1.1\nHost: a\n\n"] {
            if let bed = try? PipelineBed(head) { beds.append(bed) }
        }
        return beds
    }

    @Test func `the first rule that holds decides, as if they were walked one by one`() throws {
        let requests = Self.makeRequests()
        try #require(requests.count > 200)
        for seed in UInt64(1)...60 {
            var generator = SplitMix(state: seed)
            let count = Int.random(in: 1...40, using: &generator)
            let matches = (0..<count).map { _ in Self.match(&generator) }
            let rules = matches.enumerated().map {
                RouteRuleConfiguration(.pool("\($0)"), match: $1)
            }
            let matchers = matches.map { $0.map { Matcher($0) } }
            for takesPackets in [false, true] {
                let route = Route(RouteConfiguration(rules: rules), takesPackets: takesPackets)
                for bed in requests {
                    let walked = matchers.firstIndex { $0.map(bed.matches) ?? !takesPackets }
                    let forPackets = matchers.firstIndex { $0.map(bed.matches) ?? true }
                    let head = String(decoding: bed.bytes, as: UTF8.self)
                    #expect(
                        bed.action(route) == walked.map { .pool("\($0)") },
                        "seed \(seed), \(head)"
                    )
                    #expect(bed.pool(route) == forPackets.map(String.init), "seed \(seed), \(head)")
                }
            }
        }
    }

    @Test(arguments: [10, 10_000])
    func `looks at one rule however many differ in host and path`(count: Int) {
        let matches = (0..<count).map { index in
            var match = MatchConfiguration()
            match.hosts = [.exactly("h\(index % 100).example.com")]
            match.pathPrefixes = ["/v\(index)/x"]
            return match
        }
        let index = RouteIndex(matches)
        let last = count - 1
        let (host, path) = (Array("H\(last % 100).example.com".utf8), Array("/v\(last)/x/y".utf8))
        var lists: [RouteIndex.Candidates] = []
        index.find(host: host.span, path: path.span, into: &lists)
        #expect(lists.count == 1)
        let (first, second) = (index.next(of: &lists), index.next(of: &lists))
        #expect(first == last)
        #expect(second == nil)
    }

    @Test func `goes no further into a host and a path than there are rules`() {
        var match = MatchConfiguration()
        match.hosts = [.below(".a")]
        match.pathPrefixes = ["/b"]
        let index = RouteIndex([match])
        let host = Array((String(repeating: "x.", count: 50_000) + "a").utf8)
        let path = Array((String(repeating: "/b", count: 50_000)).utf8)
        var lists: [RouteIndex.Candidates] = []
        index.find(host: host.span, path: path.span, into: &lists)
        #expect(lists.count == 1)
    }
}

struct PoolSplitTests {
    private func counts(_ weights: [Int], requests: Int) throws -> [String: Int] {
        let shares = weights.enumerated().map { PoolShare(pool: "p\($0)", weight: $1) }
        let route = Route(
            RouteConfiguration(rules: [RouteRuleConfiguration(.pools(shares))]),
            takesPackets: false
        )
        let bed = try PipelineBed("GET / HTTP/1.1\nHost: a\n\n")
        let rule = try #require(bed.rule(route))
        var counts: [String: Int] = [:]
        for _ in 0..<requests {
            counts[try #require(rule.nextPool()), default: 0] += 1
        }
        return counts
    }

    @Test func `every pool gets its share`() throws {
        #expect(try self.counts([90, 10], requests: 1000) == ["p0": 900, "p1": 100])
        #expect(try self.counts([1, 2, 3], requests: 6) == ["p0": 1, "p1": 2, "p2": 3])
    }

    @Test func `a pool with the share 0 gets nothing`() throws {
        #expect(try self.counts([0, 1, 0], requests: 7) == ["p1": 7])
        #expect(try self.counts([0, 3, 1], requests: 8) == ["p1": 6, "p2": 2])
    }

    @Test func `never takes packets`() throws {
        let shares = [PoolShare(pool: "a", weight: 1)]
        let route = Route(
            RouteConfiguration(rules: [
                RouteRuleConfiguration(.pools(shares)), RouteRuleConfiguration(.pool("b")),
            ]),
            takesPackets: true
        )
        let bed = try PipelineBed("POST / HTTP/1.1\nHost: a\n\n")
        #expect(bed.pool(route) == "b")
    }
}

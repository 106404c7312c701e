import RelayConfig
import RelayPipeline
import Testing

@testable import struct RelayPipeline.WildcardPattern

struct MatcherTests {
    private func holds(
        _ head: String,
        client: ClientAddress = .ip(.v4(0x0a00_0001)),
        _ configure: (inout MatchConfiguration) -> Void
    ) throws -> Bool {
        var configuration = MatchConfiguration()
        configure(&configuration)
        return try PipelineBed(head, client: client).matches(Matcher(configuration))
    }

    private func get(_ target: String, _ fields: String = "") -> String {
        "GET \(target) HTTP/1.1\nHost: a\n\(fields)\n"
    }

    @Test func `holds for everything if nothing is given`() throws {
        #expect(try self.holds(self.get("/x")) { _ in })
    }

    @Test(arguments: [
        ("a.example.com", true), ("A.Example.COM:80", true), ("x.b.example.com", true),
        ("b.example.com", false), (".b.example.com", false), ("xb.example.com", false),
        ("example.com", false), ("[::1]:80", true),
    ]) func `matches hosts without port, in any case`(host: String, expected: Bool) throws {
        let holds = try self.holds("GET / HTTP/1.1\nHost: \(host)\n\n") {
            $0.hosts = [.exactly("a.example.com"), .below(".b.example.com"), .exactly("[::1]")]
        }
        #expect(holds == expected)
    }

    @Test func `no host matches a request without one`() throws {
        #expect(try !self.holds("GET / HTTP/1.0\n\n") { $0.hosts = [.exactly("a")] })
    }

    @Test(arguments: [
        ("/api", true), ("/api/", true), ("/api/x", true), ("/apiary", false), ("/ap", false),
        ("/x/../api", true), ("/%61pi?x", true), ("/web/x", true), ("/web", false),
    ]) func `matches prefixes by whole segments of the normal form`(
        target: String,
        expected: Bool
    ) throws {
        let holds = try self.holds(self.get(target)) { $0.pathPrefixes = ["/api", "/web/"] }
        #expect(holds == expected)
    }

    @Test(arguments: [
        ("/a", true), ("/a?b=c", true), ("/./a", true), ("/a/", false), ("/A", false),
    ])
    func `matches whole paths`(target: String, expected: Bool) throws {
        #expect(try self.holds(self.get(target)) { $0.paths = ["/b", "/a"] } == expected)
    }

    @Test func `every given condition must hold, of a list any one`() throws {
        let both: (inout MatchConfiguration) -> Void = {
            $0.methods = ["POST", "GET"]
            $0.paths = ["/a"]
        }
        #expect(try self.holds(self.get("/a"), both))
        #expect(try !self.holds(self.get("/b"), both))
        #expect(try !self.holds("get /a HTTP/1.1\nHost: a\n\n", both))
    }

    @Test(arguments: [
        ("X-Version: 2.1\n", true), ("x-version: 2\n", true), ("X-Version: 3\n", false),
        ("", false),
        ("X-Version: 1\nX-Version: 2.5\n", true),
    ]) func `matches header fields by any of their values`(fields: String, expected: Bool) throws {
        let holds = try self.holds(self.get("/", fields)) {
            $0.headers = [.init(name: "x-version", values: [Wildcard("2"), Wildcard("2.*")])]
        }
        #expect(holds == expected)
    }

    @Test(arguments: [
        ("/?debug=1", true), ("/?x=1&debug", true), ("/?debug=", true), ("/?%64ebug=a%20b", true),
        ("/?xdebug=1", false), ("/", false), ("/?&&=", false),
    ]) func `matches parameters of the query, decoded`(target: String, expected: Bool) throws {
        let holds = try self.holds(self.get(target)) {
            $0.queries = [.init(name: "debug", values: [Wildcard("*")])]
        }
        #expect(holds == expected)
    }

    @Test func `decodes values of the query`() throws {
        let holds = try self.holds(self.get("/?q=a+b%2Bc%zz")) {
            $0.queries = [.init(name: "q", values: [Wildcard("a b+c%zz")])]
        }
        #expect(holds)
    }

    @Test func `matches the client's address`() throws {
        let range = try #require(AddressRange(base: .v4(0x0a00_0000), prefixLength: 8))
        let inside: (inout MatchConfiguration) -> Void = { $0.clientAddresses = [range] }
        #expect(try self.holds(self.get("/"), client: .ip(.v4(0x0aff_0001)), inside))
        #expect(try !self.holds(self.get("/"), client: .ip(.v4(0x0b00_0001)), inside))
        #expect(try !self.holds(self.get("/"), client: .unix, inside))
    }

    @Test(arguments: [
        ("abc", "abc", true), ("abc", "abcd", false), ("*", "", true), ("a*", "a", true),
        ("*a", "ba", true), ("a*a", "a", false), ("a*a", "aa", true), ("a*b*c", "aXbYc", true),
        ("a*b*c", "acb", false), ("*ab*", "aab", true), ("*ab*ba*", "aba", false),
        ("a**b", "ab", true), ("", "", true), ("", "a", false),
    ]) func `a star stands for any run of characters`(
        pattern: String,
        text: String,
        expected: Bool
    ) {
        let bytes = Array(text.utf8)
        let matches = WildcardPattern(Wildcard(pattern)).matches(bytes.span)
        #expect(matches == expected)
    }
}

struct RouteTests {
    private let configuration: RouteConfiguration = {
        var web = MatchConfiguration()
        web.pathPrefixes = ["/web"]
        var redirect = MatchConfiguration()
        redirect.paths = ["/old"]
        return RouteConfiguration(rules: [
            RouteRuleConfiguration(.redirect(RedirectConfiguration(to: "/new")), match: redirect),
            RouteRuleConfiguration(.pool("web"), match: web),
            RouteRuleConfiguration(.pool("backend")),
        ])
    }()

    private func bed(_ path: String) throws -> PipelineBed {
        try PipelineBed("GET \(path) HTTP/1.1\nHost: a\n\n")
    }

    @Test(arguments: [("/web/x", "web"), ("/", "backend"), ("/old", "backend")])
    func `a packet goes to the first pool whose rule holds`(path: String, pool: String) throws {
        let bed = try self.bed(path)
        let route = Route(self.configuration, takesPackets: true)
        #expect(bed.pool(route) == pool)
    }

    @Test func `a packet that no rule takes has no pool`() throws {
        let bed = try self.bed("/")
        let route = Route(
            RouteConfiguration(rules: [RouteRuleConfiguration(.respond(RespondConfiguration()))]),
            takesPackets: true
        )
        #expect(bed.pool(route) == nil)
    }

    @Test func `beside packets a rule without match takes no other requests`() throws {
        let (web, other, old) = (try self.bed("/web"), try self.bed("/x"), try self.bed("/old"))
        let route = Route(self.configuration, takesPackets: true)
        #expect(web.action(route) == .pool("web"))
        #expect(other.action(route) == nil)
        #expect(
            old.action(route)
                == .redirect(RedirectConfiguration(to: "/new"))
        )
    }

    @Test func `without packets a rule without match takes everything`() throws {
        let bed = try self.bed("/x")
        let route = Route(self.configuration, takesPackets: false)
        #expect(bed.action(route) == .pool("backend"))
    }

    @Test func `filters behind the buffer stand before it`() {
        let headers = { (name: String) in
            StageConfiguration(.headers(HeaderFilterConfiguration(name: name)))
        }
        let buffer = StageConfiguration(.buffer(BufferConfiguration(realm: "r")))
        let route = StageConfiguration(.route(RouteConfiguration(pool: "p")))
        let listener = ListenerConfiguration(
            name: "a",
            bind: .unix(path: "/x"),
            pipeline: [headers("a"), buffer, headers("b"), headers("c"), route]
        )
        #expect(
            listener.stagesInEffect == [headers("a"), headers("b"), headers("c"), buffer, route]
        )
    }
}

import RelayConfig
import Testing

/// That every key reaches its own property: the values of `everything.yaml`, none of them a default.
struct DecodingTests {
    private let configuration: Configuration

    init() throws {
        let loaded = GoldenFolder(name: "good").load("everything.yaml")
        self.configuration = try #require(loaded.configuration)
    }

    @Test func `reads the settings of relay as a whole`() {
        #expect(self.configuration.workers == 4)
        #expect(self.configuration.shutdown.drainTimeout == .seconds(60))
        #expect(self.configuration.shutdown.grace == .milliseconds(1500))
        #expect(self.configuration.memory.limitBytes == 1 << 30)
        #expect(self.configuration.log.level == .debug)
        #expect(self.configuration.log.format == .json)
        var disk = DiskConfiguration(path: "relay-data")
        disk.reserveBytes = 1 << 30
        #expect(self.configuration.store.kind == .disk(disk))
        #expect(self.configuration.store.deadLetters.keep == .zero)
        #expect(self.configuration.store.deadLetters.packetsMax == 0)
        #expect(self.configuration.store.deadLetters.bytesMax == 1024)
        var admin = AdminConfiguration(bind: .tcp(host: "0.0.0.0", port: 9901))
        admin.hosts = ["relay.example.com"]
        admin.token = Secret("literal-secret")
        #expect(self.configuration.admin == admin)
    }

    @Test func `reads pools`() throws {
        var pool = PoolConfiguration(name: "app", targets: [])
        let tcp = TargetURL(
            text: "http://[::1]:9000/base",
            address: .tcp(host: "::1", port: 9000),
            authority: "[::1]:9000",
            path: "/base"
        )
        let unix = TargetURL(
            text: "http://unix:run/app.sock:/packets",
            address: .unix(path: "run/app.sock"),
            authority: "localhost",
            path: "/packets"
        )
        let plain = TargetURL(
            text: "http://localhost",
            address: .tcp(host: "localhost", port: 80),
            authority: "localhost",
            path: ""
        )
        pool.targets = [tcp, unix, plain].map { TargetConfiguration(url: $0) }
        pool.targets[0].weight = 2
        pool.targets[0].isBackup = true
        pool.targets[2].resolve = .seconds(30)
        pool.balance = .hash(.field("X-Key"))
        pool.slowStart = .seconds(30)
        pool.retry = self.configuration.retryPolicies.first
        pool.packetTimeout = .seconds(90)
        pool.fetch.mode = .off
        pool.fetch.connections = 2
        pool.fetch.interval = .milliseconds(250)
        pool.fetch.timeout = .seconds(30)
        pool.rejectStatuses = []
        pool.connectTimeout = .milliseconds(250)
        pool.responseTimeout = .seconds(3600)
        pool.stallTimeout = .seconds(20)
        pool.wait = .seconds(5)
        pool.host = .target
        pool.connections.max = 10
        pool.connections.idleMax = 0
        pool.connections.idleTimeout = .milliseconds(10)
        pool.connections.pendingMax = 0
        var passive = PassiveHealthConfiguration()
        passive.failures = 3
        passive.within = .seconds(1)
        passive.ejectFor = .seconds(60)
        passive.maxEjectedPercent = 100
        pool.health = HealthConfiguration()
        pool.health?.passive = passive
        var active = ActiveHealthConfiguration()
        active.path = "/up"
        active.interval = .seconds(2)
        active.timeout = .milliseconds(500)
        active.rise = 1
        active.fall = 2
        active.statuses = [200...299, 401...401]
        pool.health?.active = active
        #expect(self.configuration.pools.first == pool)
        #expect(self.configuration.pools.last?.host == .literal("example.com:8080"))
        #expect(self.configuration.pools.last?.targets.first?.url.path == "/")
    }

    @Test func `reads retry policies`() {
        var quick = RetryPolicyConfiguration(name: "quick")
        quick.attemptsMax = nil
        quick.conditions = [.connect, .reset, .status(503)]
        quick.methods = .any
        quick.backoff.initial = .milliseconds(25)
        quick.backoff.max = .milliseconds(250)
        quick.perTryTimeout = .seconds(5)
        quick.budgetPercent = 0
        var never = RetryPolicyConfiguration(name: "never")
        never.attemptsMax = 1
        never.conditions = []
        #expect(self.configuration.retryPolicies == [quick, never])
    }

    @Test func `reads header filters`() {
        var packets = HeaderFilterConfiguration(name: "packets")
        let carried = HeaderNamePattern(name: "x-", isPrefix: true)
        packets.request = [.pass([carried])]
        packets.response = [
            .pass([carried, HeaderNamePattern(name: "date", isPrefix: false)]),
            .remove([HeaderNamePattern(name: "", isPrefix: true)]),
        ]
        var web = HeaderFilterConfiguration(name: "web")
        web.request = [
            .set([
                .init(name: "X-Forwarded-Proto", value: "https"),
                .init(name: "X-Braces", value: "a {b} c"),
            ]),
            .add([.init(name: "Via", value: "1.1 relay")]),
            .remove([HeaderNamePattern(name: "x-internal-", isPrefix: true)]),
            .rename([.init(from: "X-Old", to: "X-New")]),
        ]
        #expect(self.configuration.headerFilters == [packets, web])
    }

    @Test func `reads a listener`() throws {
        let listener = try #require(self.configuration.listener(named: "packets"))
        var limits = LimitsConfiguration()
        limits.headerBytesMax = 16 << 10
        limits.headerCountMax = 50
        limits.bodyBytesMax = 0
        limits.bufferedBytesMax = 64 << 10
        limits.headerTimeout = .seconds(5)
        limits.bodyBytesPerSecondMin = 0
        limits.stallTimeout = .seconds(30)
        limits.idleTimeout = .seconds(600)
        limits.connectionsMax = 5
        limits.sourceConnectionsMax = 4
        #expect(listener.bind == .tcp(host: "::", port: 8080))
        #expect(listener.limits == limits)
        #expect(!listener.mergesSlashes)
        let v6 = IPAddress(high: 0x2001_0db8_0000_0000, low: 0)
        #expect(
            listener.trustedProxies == [
                AddressRange(base: .v4(0x0A00_0000), prefixLength: 8),
                AddressRange(base: v6, prefixLength: 32),
                AddressRange(base: .v4(0xC000_0201), prefixLength: 32),
            ]
        )
        let web = try #require(self.configuration.listener(named: "web"))
        #expect(web.bind == .unix(path: "run/relay.sock"))
    }

    @Test func `reads the stages of packets`() throws {
        let pipeline = try #require(self.configuration.listener(named: "packets")).pipeline
        try #require(pipeline.count == 5)

        var auth = AuthConfiguration(pool: "app")
        auth.realm = "people"
        auth.tokenTTL = .seconds(7 * 86400)
        auth.timeout = .seconds(5)
        auth.authPath = "/login"
        auth.registerPath = "/join"
        auth.logoutPath = "/leave"
        auth.debugServers = false
        var isPost = MatchConfiguration()
        isPost.methods = ["POST"]
        #expect(pipeline[0] == StageConfiguration(.auth(auth), when: isPost))

        var buffer = BufferConfiguration(realm: "people")
        buffer.hold = .zero
        buffer.path = "/packets"
        buffer.ordering = .none
        buffer.packetBytesMax = 64 << 10
        buffer.packetTTL = .seconds(3600)
        buffer.clientPacketsMax = 10
        buffer.clientBytesMax = 1 << 20
        buffer.overflow = .dropOldest
        buffer.inboxPacketsMax = 100
        buffer.inboxBytesMax = 2 << 20
        buffer.outboxPacketsMax = 1000
        buffer.outboxBytesMax = 4 << 20
        buffer.unknownClientsMax = 0
        buffer.dedupeWindow = .seconds(3600)
        buffer.dedupeKeysMax = 16
        #expect(pipeline[3] == StageConfiguration(.buffer(buffer)))
    }

    @Test func `reads matches`() throws {
        let pipeline = try #require(self.configuration.listener(named: "packets")).pipeline
        try #require(pipeline.count == 5)
        var match = MatchConfiguration()
        match.hosts = [.below(".example.com"), .exactly("example.org")]
        match.pathPrefixes = ["/api"]
        match.headers = [.init(name: "x-a", values: [Wildcard("1"), Wildcard("b*")])]
        match.queries = [.init(name: "debug", values: [Wildcard("*")])]
        match.clientAddresses = [
            AddressRange(base: .v4(0x7F00_0001), prefixLength: 32),
            AddressRange(base: IPAddress(high: 0, low: 1), prefixLength: 128),
        ].compactMap { $0 }
        #expect(pipeline[2].when == match)
    }

    @Test func `reads routes`() throws {
        let pipeline = try #require(self.configuration.listener(named: "packets")).pipeline
        var redirect = RedirectConfiguration(to: "/new")
        redirect.status = 301
        var respond = RespondConfiguration()
        respond.body = "pong\n"
        func at(
            _ change: (inout MatchConfiguration) throws -> Void
        ) rethrows -> MatchConfiguration {
            var match = MatchConfiguration()
            try change(&match)
            return match
        }
        var split = RouteRuleConfiguration(
            .pools([PoolShare(pool: "web", weight: 90), PoolShare(pool: "app", weight: 0)]),
            match: try at {
                $0.pathExpressions = try ["^/a/[0-9]+$", "\\.html$"].map(RegularExpression.init)
            }
        )
        split.rewrite = RewriteConfiguration()
        split.rewrite?.strippedPrefix = "/a"
        split.rewrite?.prefix = "/b"
        split.rewrite?.expression = try RegularExpression("^/([0-9])")
        split.rewrite?.replacement = PathTemplate("/n/$1$$")
        let route = RouteConfiguration(rules: [
            RouteRuleConfiguration(.redirect(redirect), match: at { $0.paths = ["/old"] }),
            RouteRuleConfiguration(.respond(respond), match: at { $0.paths = ["/ping", "/pong"] }),
            RouteRuleConfiguration(.pool("web"), match: at { $0.pathPrefixes = ["/web/"] }),
            split,
            RouteRuleConfiguration(.pool("app")),
        ])
        #expect(pipeline.last == StageConfiguration(.route(route)))
    }
}

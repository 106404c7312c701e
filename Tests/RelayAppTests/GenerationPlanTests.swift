import RelayConfig
import RelayEngine
import RelayStore
import RelayUpstream
import SimulatedSystem
import Testing

@testable import RelayApp
@testable import RelayPipeline

struct GenerationPlanTests {
    private let group: EventLoopGroup
    private let store: PacketStore

    init() throws {
        self.group = try Simulation(seed: 1).makeLoops(2)
        self.store = PacketStore(
            limits: StoreLimits(),
            now: StoreInstant(nanoseconds: 1_000_000_000, unixMicroseconds: 1_700_000_000_000_000)
        )
    }

    private func plan(
        _ text: String,
        after previous: GenerationPlan? = nil
    ) throws
        -> GenerationPlan
    {
        GenerationPlan(
            try configuration(text),
            after: previous,
            store: self.store,
            loops: self.group.loops
        )
    }

    /// Two listeners with packets, and one without, over three pools.
    private func text(
        first: String = "app",
        second: String = "realm: app, pool: app",
        secondBuffer: String = "",
        secondRoute: String = "app",
        timeout: String = "30s"
    ) -> String {
        """
        version: 1
        listeners:
          first:
            bind: 127.0.0.1:8080
            pipeline:
              - auth: { pool: app }
              - headers: { response: [{ pass: [X-A, Etag] }] }
              - buffer: { packet_size: 2KiB }
              - route:
                  - { match: { path: /files }, pool: web }
                  - { match: { header: { X-Side: "*" } }, pool: side }
                  - { pool: \(first) }
          second:
            bind: 127.0.0.1:8081
            pipeline:
              - auth: { \(second) }
              - buffer: { packet_size: 2KiB\(secondBuffer) }
              - route: \(secondRoute)
          web:
            bind: 127.0.0.1:8082
            pipeline: [{ route: web }]
        pools:
          app: { targets: [{ url: "http://127.0.0.1:9000" }], response_timeout: \(timeout) }
          side: { targets: [{ url: "http://127.0.0.1:9001" }] }
          web: { targets: [{ url: "http://127.0.0.1:9002" }] }

        """
    }

    @Test func `counts generations from 1`() throws {
        let first = try self.plan(self.text())
        #expect(first.number == 1)
        #expect(try self.plan(self.text(), after: first).number == 2)
    }

    @Test func `keeps pools that are the same, and makes those anew that are not`() throws {
        let first = try self.plan(self.text())
        #expect(Set(first.pools.keys) == ["app", "side", "web"])
        let same = try self.plan("# Moved by a line.\n" + self.text(), after: first)
        for (name, pool) in first.pools { #expect(same.pools[name] === pool, "\(name)") }
        let changed = try self.plan(self.text(timeout: "31s"), after: same)
        #expect(changed.pools["app"] !== first.pools["app"])
        #expect(changed.pools["app"]?.configuration.responseTimeout == .seconds(31))
        #expect(changed.pools["side"] === first.pools["side"])
        #expect(changed.pools["web"] === first.pools["web"])
    }

    @Test func `tells the store each realm once, by its name`() throws {
        let plan = try self.plan(self.text())
        #expect(Array(plan.realms.keys) == ["app"])
        let realm = try #require(plan.realms["app"])
        #expect(self.store.name(of: realm) == "app")
        #expect(try self.plan(self.text(), after: plan).realms == plan.realms)
    }

    @Test func `numbers the pools that packets go to, and no others`() throws {
        let plan = try self.plan(self.text())
        #expect(Set(plan.packetPools.keys) == ["app", "side"])
        for (name, pool) in plan.packetPools {
            #expect(self.store.name(of: pool.id) == name)
            #expect(pool.realm == plan.realms["app"])
            #expect(pool.packetBytesMax == 2048)
        }
        #expect(plan.packetPools["app"]?.id != plan.packetPools["side"]?.id)
    }

    @Test func `has one inbox for a pool that two listeners of a realm send to`() throws {
        let plan = try self.plan(self.text())
        let names = self.store.pools().map(\.name)
        #expect(names.filter { $0 == "app" }.count == 1)
        #expect(plan.packetPools["app"]?.realm == plan.realms["app"])
    }

    @Test func `keeps realms apart, each with its own pools`() throws {
        let plan = try self.plan(
            self.text(
                second: "realm: guests, pool: web",
                secondBuffer: ", packet_ttl: 1h",
                secondRoute: "web"
            )
        )
        #expect(Set(plan.realms.keys) == ["app", "guests"])
        #expect(plan.realms["app"] != plan.realms["guests"])
        #expect(plan.packetPools["app"]?.realm == plan.realms["app"])
        #expect(plan.packetPools["side"]?.realm == plan.realms["app"])
        #expect(plan.packetPools["web"]?.realm == plan.realms["guests"])
    }

    @Test func `finds a pool's packets again after it was gone`() throws {
        let first = try self.plan(self.text())
        let gone = try self.plan(web([8080: "hello"]), after: first)
        #expect(gone.packetPools.isEmpty)
        #expect(gone.realms.isEmpty)
        let back = try self.plan(self.text(), after: gone)
        #expect(back.packetPools["app"]?.id == first.packetPools["app"]?.id)
        #expect(back.realms == first.realms)
        #expect(back.pools["app"] !== first.pools["app"])
    }

    @Test func `stores what any listener of the realm lets through`() throws {
        let plan = try self.plan(self.text())
        let kept = try #require(plan.packetPools["app"]?.kept)
        for (name, isKept) in [("X-A", true), ("ETag", true), ("X-B", false), ("Via", false)] {
            let bytes = Array(name.utf8)
            #expect(kept.contains(bytes.span, isXField: name.hasPrefix("X-")) == isKept, "\(name)")
        }
    }
}

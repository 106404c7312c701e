import RelayConfig
import RelayStore
import Testing

@testable import RelayApp

struct RestartNeededTests {
    private let old = Configuration(listeners: [], pools: [])

    @Test func `is not needed for what a reload can change`() {
        var new = self.old
        new.log.level = .debug
        new.shutdown.grace = .seconds(1)
        new.store.deadLetters.packetsMax = 5
        new.admin = AdminConfiguration(bind: .unix(path: "/x"))
        new.pools = [PoolConfiguration(name: "app", targets: [])]
        #expect(RestartNeeded.sentences(from: self.old, to: new) == [])
    }

    @Test func `is needed for each section that everything stands on`() {
        var new = self.old
        new.memory.limitBytes = 64 << 20
        #expect(
            RestartNeeded.sentences(from: self.old, to: new)
                == ["a change of 'memory' needs a restart"]
        )
        new.workers = 3
        #expect(
            RestartNeeded.sentences(from: self.old, to: new)
                == [
                    "a change of 'memory' needs a restart",
                    "a change of 'workers' needs a restart",
                ]
        )
    }
}

struct DescriptorsTests {
    private func lowered(
        _ connections: [Int],
        upstream: Int = 0,
        targets: Int = 1,
        to descriptors: Int
    ) -> [Int] {
        let url = TargetURL(text: "", address: .unix(path: "/b"), authority: "", path: "/")
        var pool = PoolConfiguration(
            name: "app",
            targets: Array(repeating: TargetConfiguration(url: url), count: targets)
        )
        pool.connections.max = upstream
        let listeners = connections.enumerated().map { index, connectionsMax in
            var listener = ListenerConfiguration(
                name: "l\(index)",
                bind: .unix(path: "/l\(index)"),
                pipeline: []
            )
            listener.limits.connectionsMax = connectionsMax
            return listener
        }
        return Configuration(listeners: listeners, pools: [pool])
            .lowered(toDescriptors: descriptors)
            .listeners.map(\.limits.connectionsMax)
    }

    @Test func `leaves what fits as it is`() {
        #expect(self.lowered([1000, 500], upstream: 100, to: 128 + 1600) == [1000, 500])
    }

    @Test func `lowers each listener by its share`() {
        #expect(
            self.lowered([3000, 1000], upstream: 100, targets: 2, to: 128 + 1000) == [600, 200]
        )
    }

    @Test func `leaves upstream connections half of what there is, and no more`() {
        #expect(self.lowered([10_000], upstream: 1_000_000, to: 128 + 1000) == [500])
    }

    @Test(arguments: [0, 1, 128, 129, 130])
    func `leaves every listener a connection, however few descriptors there are`(count: Int) {
        let lowered = self.lowered([100_000, 1], upstream: 1024, to: count)
        #expect(lowered.allSatisfy { $0 == 1 })
    }
}

struct StoreSettingsTests {
    private func loaded(_ buffer: String, top: String = "") throws -> Configuration {
        try configuration(
            """
            version: 1
            \(top)
            listeners:
              a:
                bind: 127.0.0.1:8080
                pipeline: [{ auth: { pool: app } }, { buffer: { \(buffer) } }, { route: app }]
              b:
                bind: 127.0.0.1:8081
                pipeline:
                  - auth: { pool: other }
                  - buffer: { outbox_packets: 70, outbox_bytes: 1MiB }
                  - route: other
            pools:
              app: { targets: [{ url: "http://127.0.0.1:9000" }] }
              other: { targets: [{ url: "http://127.0.0.1:9001" }] }

            """
        )
    }

    @Test func `takes over what relay_yaml says of clients and inboxes`() throws {
        let read = try self.loaded(
            """
            packet_ttl: 3h, client_packets: 5, client_bytes: 2MiB, unknown_clients: 6, \
            overflow: drop_oldest, inbox_packets: 7, inbox_bytes: 3MiB, packet_size: 1KiB, \
            dedupe_window: 4m, dedupe_keys: 9
            """
        )
        let buffer = try #require(read.listener(named: "a")?.buffer)
        let realm = RealmSettings(buffer)
        #expect(realm.packetTTL == .seconds(3 * 3600))
        #expect(realm.clientPacketsMax == 5)
        #expect(realm.clientBytesMax == 2 << 20)
        #expect(realm.unknownClientsMax == 6)
        #expect(realm.overflow == .dropOldest)
        #expect(realm.dedupeWindow == .seconds(240))
        #expect(realm.dedupeKeysMax == 9)
        let inbox = InboxLimits(buffer)
        #expect(inbox.packetsMax == 7)
        #expect(inbox.bytesMax == 3 << 20)
    }

    @Test func `has the defaults of relay_yaml where that is silent`() throws {
        let buffer = BufferConfiguration(realm: "app")
        #expect(RealmSettings(buffer) == RealmSettings())
        #expect(InboxLimits(buffer) == InboxLimits())
        #expect(StoreLimits(Configuration(listeners: [], pools: [])) == StoreLimits())
    }

    @Test func `lets the largest total of all outboxes count`() throws {
        let small = try self.loaded("outbox_packets: 60, outbox_bytes: 2MiB")
        #expect(StoreLimits(small).outboxPacketsMax == 70)
        #expect(StoreLimits(small).outboxBytesMax == 2 << 20)
    }

    @Test func `takes over how many dead letters are kept`() throws {
        let limits = StoreLimits(
            try self.loaded(
                "",
                top: "store: { dead_letters: { keep: 2d, max: 8, bytes: 9MiB } }"
            )
        )
        #expect(limits.deadLettersKept == .seconds(2 * 86_400))
        #expect(limits.deadLettersMax == 8)
        #expect(limits.deadLetterBytesMax == 9 << 20)
    }
}

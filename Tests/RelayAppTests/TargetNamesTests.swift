import RelayConfig
import RelayEngine
import SimulatedSystem
import Testing

@testable import RelayApp
@testable import RelayUpstream

struct TargetNamesTests {
    private static let text = """
        version: 1
        listeners:
          web:
            bind: 127.0.0.1:8080
            pipeline: [{ route: web }]
        pools:
          web:
            targets:
              - { url: "http://app.example:9000/base", resolve: 30s, weight: 3 }
              - { url: "http://127.0.0.1:9001" }
          other: { targets: [{ url: "http://127.0.0.1:9002" }] }

        """

    private func address(_ last: UInt8) throws -> SocketAddress {
        try #require(SocketAddress(numericHost: "10.0.0.\(last)", port: 0))
    }

    private func targets(_ bed: RelayBed) -> [String] {
        bed.relay.plan?.pools["web"]?.configuration.targets.map(\.url.text) ?? []
    }

    @Test func `every address of a name is a target, and the targets follow the name`() throws {
        let bed = try RelayBed(Self.text)
        let addresses = try [1, 2, 3].map { try self.address($0) }
        bed.simulation.system.names.set("app.example", to: [addresses[1], addresses[0]])
        try bed.relay.start()
        try bed.simulation.runUntilQuiet()
        let url = "http://app.example:9000/base"
        let fixed = "http://127.0.0.1:9001"
        #expect(self.targets(bed) == ["\(url) at 10.0.0.1", "\(url) at 10.0.0.2", fixed])
        let plan = try #require(bed.relay.plan)
        let first = try #require(plan.pools["web"]?.configuration.targets.first)
        #expect(first.url.address == .tcp(host: "10.0.0.1", port: 9000))
        #expect(first.url.authority == "app.example:9000")
        #expect(first.weight == 3)
        #expect(plan.number == 1)

        // The same in another order is no change.
        bed.simulation.system.names.set("app.example", to: [addresses[0], addresses[1]])
        try bed.simulation.run(for: .seconds(31))
        #expect(bed.relay.plan?.pools["web"] === plan.pools["web"])

        bed.simulation.system.names.set("app.example", to: [addresses[2], addresses[1]])
        try bed.simulation.run(for: .seconds(31))
        #expect(self.targets(bed) == ["\(url) at 10.0.0.2", "\(url) at 10.0.0.3", fixed])
        #expect(bed.relay.plan?.number == 1)
        #expect(bed.relay.plan?.pools["other"] === plan.pools["other"])

        // A name that cannot be looked up keeps what it meant.
        bed.simulation.system.names.fail("app.example", "no answer")
        try bed.simulation.run(for: .seconds(61))
        #expect(self.targets(bed) == ["\(url) at 10.0.0.2", "\(url) at 10.0.0.3", fixed])
    }

    @Test func `the status tells every target and its health`() throws {
        let admin = "admin: { bind: 127.0.0.1:9901 }\n"
        let bed = try RelayBed(Self.text + admin)
        bed.simulation.system.names.set("app.example", to: [try self.address(1)])
        try bed.relay.start()
        try bed.simulation.runUntilQuiet()
        // Nobody listens anywhere: the first request finds the fixed target unreachable.
        #expect(try bed.ask(8080, "GET /").status == 503)
        let answer = try bed.ask(9901, "GET /status")
        #expect(answer.status == 200)
        #expect(answer.body.contains(#""generation":1,"pools":{"web":{"targets":["#))
        #expect(answer.body.contains(#"{"url":"http://127.0.0.1:9001","health":"unreachable","#))
        #expect(answer.body.contains(#""other":{"targets":[{"url":"http://127.0.0.1:9002","#))
        #expect(answer.body.contains(#""health":"up","requests":0,"failures":0,"#))
    }

    @Test func `a name that is not known is one target`() throws {
        let bed = try RelayBed.started(Self.text)
        #expect(self.targets(bed) == ["http://app.example:9000/base", "http://127.0.0.1:9001"])
    }

    @Test func `a reload that drops resolve drops the addresses`() throws {
        let bed = try RelayBed(Self.text)
        bed.simulation.system.names.set("app.example", to: [try self.address(1)])
        try bed.relay.start()
        try bed.simulation.runUntilQuiet()
        #expect(self.targets(bed).first == "http://app.example:9000/base at 10.0.0.1")
        bed.file.replace(Self.text.replacing(", resolve: 30s", with: ""))
        bed.relay.reload { _ in }
        try bed.simulation.runUntilQuiet()
        #expect(self.targets(bed).first == "http://app.example:9000/base")
        #expect(bed.relay.plan?.number == 2)
        try bed.simulation.run(for: .seconds(61))
        #expect(self.targets(bed).first == "http://app.example:9000/base")
    }
}

import RelayAdmin
import RelayConfig
import RelayEngine
import RelayStore
import SimulatedSystem
import Testing

@testable import RelayApp

struct StopTests {
    @Test func `ends at once when nothing is under way`() throws {
        let bed = try RelayBed.started(web([8080: "hello"]))
        let idle = try bed.connect(8080)
        #expect(try bed.ask(idle, "GET /").body == "hello")
        let start = bed.simulation.now
        bed.relay.stop()
        try bed.simulation.run { bed.isOver }
        #expect(bed.simulation.now - start < .milliseconds(10))
        try bed.simulation.run { idle.hasInputEnded }
        #expect(!bed.relay.isReady)
        #expect(try bed.connect(8080).failure == .connectionRefused)
    }

    @Test func `serves who has connected and not asked yet`() throws {
        let bed = try RelayBed.started(web([8080: "hello"]))
        let client = try bed.connect(8080)
        bed.relay.stop()
        try bed.simulation.run(for: .milliseconds(500))
        let answer = try bed.ask(client, "GET /")
        #expect(answer.body == "hello")
        #expect(answer.fields["connection"] == "close")
        try bed.simulation.run { bed.isOver && client.hasInputEnded }
    }

    @Test func `lets what is under way finish`() throws {
        let (bed, client, backend) = try RelayBed.login()
        bed.relay.stop()
        try bed.simulation.run(for: .seconds(5))
        #expect(!bed.isOver)
        #expect(try bed.connect(8080).failure == .connectionRefused)
        backend.grant()
        let answer = try bed.answer(client)
        #expect(answer.status == 200)
        #expect(answer.fields["connection"] == "close")
        #expect(answer.body == "token")
        try bed.simulation.run { bed.isOver && client.hasInputEnded }
    }

    @Test func `stays up at the admin address meanwhile, not ready`() throws {
        let (bed, _, backend) = try RelayBed.login()
        bed.relay.stop()
        try bed.simulation.run(for: .milliseconds(10))
        #expect(try bed.ask(9901, "GET /healthz").status == 200)
        #expect(try bed.ask(9901, "GET /readyz").status == 503)
        let reload = try bed.ask(9901, "POST /reload", ["Relay-Admin: 1"])
        #expect(reload.status == 422)
        #expect(reload.body == "{\"errors\":[\"relay is stopping\"]}\n")
        #expect(bed.file.reads == 0)
        backend.grant()
        try bed.simulation.run { bed.isOver }
    }

    @Test func `ends at once when asked a second time`() throws {
        let (bed, _, _) = try RelayBed.login()
        bed.relay.stop()
        try bed.simulation.run(for: .seconds(1))
        #expect(!bed.isOver)
        let second = bed.simulation.now
        bed.relay.stop()
        try bed.simulation.run { bed.isOver }
        #expect(bed.simulation.now - second < .milliseconds(10))
    }

    @Test func `waits no longer than drain_timeout`() throws {
        let (bed, client, _) = try RelayBed.login(top: "shutdown: { drain_timeout: 3s }")
        let start = bed.simulation.now
        bed.relay.stop()
        try bed.simulation.run { bed.isOver }
        let waited = bed.simulation.now - start
        #expect(waited >= .seconds(3) && waited < .milliseconds(3100))
        #expect(client.received.isEmpty)
    }

    @Test func `goes on accepting for the time of grace, though it is not ready`() throws {
        let bed = try RelayBed.started(web([8080: "hello"], top: "shutdown: { grace: 5s }"))
        let start = bed.simulation.now
        bed.relay.stop()
        try bed.simulation.run(for: .milliseconds(4900))
        #expect(try bed.ask(9901, "GET /readyz").status == 503)
        #expect(try bed.ask(8080, "GET /").body == "hello")
        try bed.simulation.run { bed.isOver }
        let waited = bed.simulation.now - start
        #expect(waited >= .seconds(5) && waited < .milliseconds(5100))
        #expect(try bed.connect(8080).failure == .connectionRefused)
    }

    @Test func `answers held polls empty`() throws {
        let (bed, client, backend) = try RelayBed.login()
        backend.grant()
        #expect(try bed.answer(client).status == 200)
        try bed.holdPoll(client)
        bed.relay.stop()
        let answer = try bed.answer(client)
        #expect(answer.isEmptyPoll)
        #expect(answer.fields["connection"] == "close")
        try bed.simulation.run { bed.isOver && client.hasInputEnded }
    }
}

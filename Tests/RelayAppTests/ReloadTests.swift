import RelayAdmin
import RelayConfig
import RelayEngine
import RelayServer
import RelayStore
import SimulatedSystem
import Testing

@testable import RelayApp

struct StartTests {
    @Test func `is ready once every loop has its part of the generation`() throws {
        let bed = try RelayBed(web([8080: "hello"]))
        #expect(!bed.relay.isReady)
        try bed.relay.start()
        #expect(!bed.relay.isReady)
        try bed.simulation.runUntilQuiet()
        #expect(bed.relay.isReady)
        #expect(bed.relay.addresses == [.loopback(port: 8080), .loopback(port: 9901)])
        #expect(try bed.ask(9901, "GET /readyz").status == 200)
        #expect(try bed.ask(9901, "GET /healthz").status == 200)
        #expect(try bed.ask(8080, "GET /").body == "hello")
    }

    @Test func `fails if an address is taken, and says which`() throws {
        let bed = try RelayBed(web([8080: "a", 8081: "b"]))
        let other = try bed.simulation.listen(at: .loopback(port: 8081))
        let error = #expect(throws: BindError.self) { try bed.relay.start() }
        #expect(error?.listener == "web8081")
        try bed.simulation.runUntilQuiet()
        #expect(!bed.relay.isReady)
        #expect(try bed.connect(8080).failure == .connectionRefused)
        #expect(try bed.connect(9901).failure == .connectionRefused)
        other.close()
    }

    @Test func `needs no admin address`() throws {
        let text = web([8080: "hello"]).replacing("admin: { bind: 127.0.0.1:9901 }", with: "")
        let bed = try RelayBed.started(text)
        #expect(bed.relay.addresses == [.loopback(port: 8080)])
        #expect(try bed.ask(8080, "GET /").body == "hello")
    }
}

struct ReloadTests {
    private static let admin = ["Relay-Admin: 1"]

    @Test func `replaces what is answered, on connections that stay open`() throws {
        let bed = try RelayBed.started(web([8080: "old"]))
        let peer = try bed.connect(8080)
        #expect(try bed.ask(peer, "GET /").body == "old")
        #expect(try bed.reload(web([8080: "new"])) == .success(generation: 2))
        #expect(try bed.ask(peer, "GET /").body == "new")
        #expect(try bed.ask(8080, "GET /").body == "new")
        #expect(try bed.reload(web([8080: "newer"])) == .success(generation: 3))
        #expect(try bed.ask(peer, "GET /").body == "newer")
    }

    @Test func `opens listeners that are new and closes those that are gone`() throws {
        let bed = try RelayBed.started(web([8080: "a", 8081: "b"]))
        let idle = try bed.connect(8080)
        #expect(try bed.reload(web([8081: "b", 8082: "c"])) == .success(generation: 2))
        try bed.simulation.run { idle.hasInputEnded }
        #expect(try bed.connect(8080).failure == .connectionRefused)
        #expect(try bed.ask(8081, "GET /").body == "b")
        #expect(try bed.ask(8082, "GET /").body == "c")
    }

    @Test func `moves the admin address`() throws {
        let bed = try RelayBed.started(web([8080: "a"]))
        #expect(try bed.reload(web([8080: "a"], admin: 9902)) == .success(generation: 2))
        #expect(try bed.ask(9902, "GET /readyz").status == 200)
        #expect(try bed.connect(9901).failure == .connectionRefused)
    }

    @Test func `changes nothing if the file is bad, and says what is wrong with it`() throws {
        let bed = try RelayBed.started(web([8080: "old"]))
        let result = try bed.reload(web([8080: "new"]) + "nonsense: 1\nfurther: 2\n")
        guard case .failure(let sentences) = result else {
            Issue.record("a bad file was taken over")
            return
        }
        #expect(sentences.count == 2)
        #expect(sentences.first?.hasPrefix("relay.yaml:") == true)
        #expect(sentences.first?.contains("unknown key 'nonsense'") == true)
        #expect(try bed.ask(8080, "GET /").body == "old")
        #expect(bed.relay.isReady)
        #expect(try bed.reload(web([8080: "new"])) == .success(generation: 2))
        #expect(try bed.ask(8080, "GET /").body == "new")
    }

    @Test func `changes nothing if an address is taken`() throws {
        let bed = try RelayBed.started(web([8080: "old"]))
        let other = try bed.simulation.listen(at: .loopback(port: 8082))
        let result = try bed.reload(web([8080: "new", 8081: "b", 8082: "c"]))
        guard case .failure(let sentences) = result else {
            Issue.record("a listener was opened at an address that is taken")
            return
        }
        #expect(sentences.count == 1)
        #expect(sentences.first?.contains("web8082") == true)
        try bed.simulation.runUntilQuiet()
        #expect(try bed.ask(8080, "GET /").body == "old")
        // It was opened before the other one failed.
        #expect(try bed.connect(8081).failure == .connectionRefused)
        #expect(bed.relay.addresses == [.loopback(port: 8080), .loopback(port: 9901)])
        other.close()
    }

    @Test func `changes nothing if the admin address is taken`() throws {
        let bed = try RelayBed.started(web([8080: "old"]))
        let other = try bed.simulation.listen(at: .loopback(port: 9902))
        guard case .failure = try bed.reload(web([8080: "new", 8081: "b"], admin: 9902)) else {
            Issue.record("the admin address was opened though it is taken")
            return
        }
        try bed.simulation.runUntilQuiet()
        #expect(try bed.ask(8080, "GET /").body == "old")
        #expect(try bed.connect(8081).failure == .connectionRefused)
        #expect(try bed.ask(9901, "GET /readyz").status == 200)
        other.close()
    }

    @Test func `gives up a file that cannot be read in time`() throws {
        let bed = try RelayBed.started(web([8080: "old"]))
        bed.simulation.system.delayJobs(of: "files", by: .seconds(40))
        let start = bed.simulation.now
        let result = try bed.reload(web([8080: "late"]))
        #expect(result == .failure(["the configuration could not be read within 30 s"]))
        #expect(bed.simulation.now - start < .seconds(31))
        try bed.simulation.run(for: .seconds(20))
        #expect(bed.file.reads == 1)
        #expect(try bed.ask(8080, "GET /").body == "old")
        bed.simulation.system.delayJobs(of: "files", by: nil)
        #expect(try bed.reload(web([8080: "new"])) == .success(generation: 2))
        #expect(try bed.ask(8080, "GET /").body == "new")
    }

    @Test func `refuses a change that needs a restart`() throws {
        let bed = try RelayBed.started(web([8080: "old"]))
        let result = try bed.reload(web([8080: "new"], top: "workers: 5"))
        #expect(result == .failure(["a change of 'workers' needs a restart"]))
        #expect(try bed.ask(8080, "GET /").body == "old")
    }

    @Test func `is done and told over the admin address`() throws {
        let bed = try RelayBed.started(web([8080: "old"]))
        bed.file.replace(web([8080: "new"]))
        let good = try bed.ask(9901, "POST /reload", Self.admin)
        #expect(good.status == 200)
        #expect(good.body == "{\"generation\":2}\n")
        #expect(try bed.ask(8080, "GET /").body == "new")
        bed.file.replace("version: 2\n")
        let bad = try bed.ask(9901, "POST /reload", Self.admin)
        #expect(bad.status == 422)
        #expect(bad.fields["content-type"] == "application/json")
        #expect(bad.body.hasPrefix("{\"errors\":[\"relay.yaml:1:"))
        #expect(try bed.ask(8080, "GET /").body == "new")
    }

    @Test func `is refused over the admin address without its header`() throws {
        let bed = try RelayBed.started(web([8080: "old"]))
        #expect(try bed.ask(9901, "POST /reload").status == 403)
        #expect(try bed.ask(9901, "GET /reload", Self.admin).status == 405)
        #expect(bed.file.reads == 0)
    }

    @Test func `reads the file again for those who ask while it is read`() throws {
        let bed = try RelayBed.started(web([8080: "old"]))
        let results = Results()
        for _ in 0..<3 { bed.relay.reload { results.append($0) } }
        try bed.simulation.run { results.all.count == 3 }
        #expect(
            results.all == [
                .success(generation: 2), .success(generation: 3), .success(generation: 3),
            ]
        )
        #expect(bed.file.reads == 2)
    }
}

struct PacketReloadTests {
    @Test func `keeps sessions and held polls`() throws {
        let (bed, client, backend) = try RelayBed.login()
        backend.grant()
        #expect(try bed.answer(client).body == "token")
        try bed.holdPoll(client)
        #expect(try bed.reload(packets(timeout: "31s")) == .success(generation: 2))
        try bed.simulation.run(for: .seconds(5))
        #expect(bed.relay.statistics().heldPolls == 1)
        #expect(client.received.isEmpty)
        // `hold` is over.
        #expect(try bed.answer(client).isEmptyPoll)
        try bed.holdPoll(client)
    }

    @Test func `lets a login finish on the pool that it began with`() throws {
        let (bed, client, backend) = try RelayBed.login()
        #expect(try bed.reload(packets(timeout: "31s")) == .success(generation: 2))
        try bed.simulation.run(for: .seconds(1))
        backend.grant()
        let answer = try bed.answer(client)
        #expect(answer.status == 200)
        #expect(answer.body == "token")
    }

    @Test func `answers polls empty whose listener takes no packets any more`() throws {
        let (bed, client, backend) = try RelayBed.login()
        backend.grant()
        #expect(try bed.answer(client).status == 200)
        try bed.holdPoll(client)
        #expect(try bed.reload(web([8080: "hello"])) == .success(generation: 2))
        #expect(try bed.answer(client).isEmptyPoll)
        #expect(try bed.ask(client, "GET /").body == "hello")
    }
}

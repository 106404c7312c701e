import RelayConfig
import RelayEngine
import RelayHTTP
import RelayPipeline
import RelayServer
import Testing

/// The same on real sockets: one thread that turns the loop and plays the client.
struct LoopbackTests {
    /// A client's socket, non-blocking.
    private struct Client {
        let system: SystemCalls
        let descriptor: Descriptor

        func send(_ text: String) {
            let bytes = Array(text.utf8)
            let result = self.system.send(self.descriptor, bytes.span)
            #expect(result.value == bytes.count)
        }

        /// What has come; nil at the end of the stream.
        func receive() -> [UInt8]? {
            var buffer = [UInt8](repeating: 0, count: 65_536)
            var span = buffer.mutableSpan
            let result = self.system.receive(self.descriptor, into: &span)
            if result.isSuccess, result.value == 0 { return nil }
            return Array(buffer[..<result.value])
        }

        func close() { _ = self.system.close(self.descriptor) }
    }

    private final class Bed {
        let group: EventLoopGroup
        let server: Server
        let stage = Script()

        init() throws {
            self.group = try EventLoopGroup(count: 1, system: LinuxSystemCalls())
            self.server = Server(group: self.group)
            let stage = self.stage
            let configuration = ListenerConfiguration(
                name: "web",
                bind: .tcp(host: "127.0.0.1", port: 0),
                pipeline: []
            )
            self.server.commit(try self.server.prepare([configuration])) { configuration, place in
                ListenerContext(
                    configuration: configuration,
                    pipeline: Pipeline([Pipeline.Step(stage)]),
                    shared: place.shared,
                    exchanges: place.exchanges
                )
            }
            try self.turn { true }
        }

        /// Turns the loop until `condition` holds; a failure after 10,000 turns of up to 1 ms.
        func turn(until condition: () -> Bool) throws {
            for _ in 0..<10_000 {
                self.group.loops[0].turn(waitingAtMost: .milliseconds(1))
                if condition() { return }
            }
            Issue.record("never came true")
        }

        func connect() throws -> Client {
            let system = self.group.system
            let client = Client(system: system, descriptor: system.socket(.v4).descriptor)
            let count = self.server.connections
            _ = system.connect(client.descriptor, to: try #require(self.server.addresses.first))
            try self.turn { self.server.connections > count }
            return client
        }

        /// What comes up to `end`, without `Date` lines.
        func received(_ client: Client, upTo end: String) throws -> String {
            var text = ""
            var bytes: [UInt8] = []
            try self.turn {
                bytes += client.receive() ?? []
                text = ServerBed.readable(bytes)
                return text.hasSuffix(end)
            }
            return text
        }
    }

    private let get = "GET /now HTTP/1.1\r\nHost: a\r\n\r\n"
    private let poll = "POST /packet HTTP/1.1\r\nHost: a\r\n\r\n"
    private let answer = "HTTP/1.1 200 OK|Content-Length: 4||/now"

    @Test func `answers requests byte by byte and pipelined`() throws {
        let bed = try Bed()
        let client = try bed.connect()
        defer { client.close() }
        for byte in self.get { client.send(String(byte)) }
        #expect(try bed.received(client, upTo: "/now") == self.answer)
        client.send(
            self.get + self.get + "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi"
        )
        let answers = try bed.received(client, upTo: "hi")
        #expect(answers == self.answer + self.answer + "HTTP/1.1 200 OK|Content-Length: 2||hi")
    }

    @Test func `the next request proves the answer before it`() throws {
        let bed = try Bed()
        let client = try bed.connect()
        defer { client.close() }
        for _ in 0..<3 {
            client.send(self.poll)
            _ = try bed.received(client, upTo: "packet")
        }
        #expect(bed.stage.events.filter { $0.hasSuffix("proven") } == ["0 proven", "1 proven"])
    }

    @Test func `a FIN proves the answer, a reset does not`() throws {
        let bed = try Bed()
        let client = try bed.connect()
        client.send(self.poll)
        _ = try bed.received(client, upTo: "packet")
        client.close()
        try bed.turn { bed.server.connections == 0 }
        #expect(bed.stage.events == ["0 ended", "0 proven", "0 over"])

        let other = try bed.connect()
        other.send(self.poll)
        _ = try bed.received(other, upTo: "packet")
        _ = other.system.setOption(.resetOnClose, of: other.descriptor, to: 1)
        other.close()
        try bed.turn { bed.server.connections == 0 }
        #expect(bed.stage.events.suffix(3) == ["1 ended", "1 failed", "1 over"])
    }

    @Test func `another poll proves what is acknowledged`() throws {
        let bed = try Bed()
        let client = try bed.connect()
        defer { client.close() }
        client.send(self.poll)
        _ = try bed.received(client, upTo: "packet")
        bed.stage.exchanges[0].proveDelivery()
        try bed.turn { bed.stage.events.count == 3 }
        #expect(bed.stage.events == ["0 ended", "0 proven", "0 over"])
    }

    @Test func `a client that half-closes while it waits has hung up`() throws {
        let bed = try Bed()
        let client = try bed.connect()
        defer { client.close() }
        client.send("GET /hold HTTP/1.1\r\nHost: a\r\n\r\n")
        try bed.turn { bed.stage.events == ["0 ended"] }
        _ = client.system.shutdownOutput(client.descriptor)
        try bed.turn { bed.server.connections == 0 }
        #expect(bed.stage.events == ["0 ended", "0 hung up", "0 over"])
    }

    @Test func `a refusal arrives though its body is still being sent`() throws {
        let bed = try Bed()
        let client = try bed.connect()
        defer { client.close() }
        client.send("POST /small HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n")
        client.send(String(repeating: "x", count: 100_000))
        let answer = try bed.received(client, upTo: "\"}")
        #expect(answer.hasPrefix("HTTP/1.1 413 Content Too Large|"))
        client.send(String(repeating: "x", count: 100_000))
        try bed.turn { client.receive() == nil }
    }
}

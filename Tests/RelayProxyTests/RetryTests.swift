import SimulatedSystem
import Testing

/// Requests that are tried again, on the simulated system.
struct RetryTests {
    private let get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

    /// A bed whose pool has a policy of these keys, and further `options`.
    private static func bed(
        _ policy: String,
        options: String = "",
        route: String = "app",
        up: [Int] = [0, 1]
    ) throws -> StreamingBed {
        try StreamingBed(
            "    retry: test\n\(options)retry_policies: { test: { \(policy) } }",
            route: route,
            up: up
        )
    }

    /// An answer with this status and body.
    private static func answer(_ status: Int, _ body: String) -> String {
        "HTTP/1.1 \(status) X\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }

    @Test func `an answer that the policy names is replaced by a better one`() throws {
        let bed = try Self.bed("on: [503]")
        let client = try bed.client(self.get)
        try bed.target().send(Self.answer(503, "busy"))
        try bed.settle()
        #expect(client.receivedCount == 0)
        #expect(bed.accepted.count == 2)
        try bed.target().send(Self.answer(200, "better"))
        try bed.settle()
        let text = client.text()
        #expect(text.hasPrefix("HTTP/1.1 200 ") && text.hasSuffix("\r\n\r\nbetter"))
    }

    @Test func `the last answer that there was is passed on`() throws {
        let bed = try Self.bed("attempts: 2, on: [503, reset]")
        let client = try bed.client(self.get)
        try bed.target().send("HTTP/1.1 503 X\r\nX-A: b\r\nContent-Length: 4\r\n\r\nbusy")
        try bed.settle()
        try bed.target().reset()
        try bed.settle()
        let text = client.text()
        #expect(text.hasPrefix("HTTP/1.1 503 "))
        #expect(text.contains("\r\nX-A: b\r\n") && text.hasSuffix("\r\n\r\nbusy"))
    }

    @Test func `an answer with another status is not tried again`() throws {
        let bed = try Self.bed("on: [503]")
        let client = try bed.client(self.get)
        try bed.target().send(Self.answer(500, "broken"))
        try bed.settle()
        #expect(client.text().hasPrefix("HTTP/1.1 500 "))
        #expect(bed.accepted.count == 1)
    }

    @Test func `an answer too large to be kept is passed on as it comes`() throws {
        let bed = try Self.bed("on: [503]", options: "    retry_buffer: 1KiB\n")
        let client = try bed.client(self.get)
        let body = String(repeating: "x", count: 100_000)
        try bed.target().send(Self.answer(503, body))
        try bed.simulation.run(for: .seconds(5))
        #expect(client.text().hasSuffix("\r\n\r\n\(body)"))
        #expect(bed.accepted.count == 1)
    }

    @Test func `an answer that breaks off while it is kept counts as a reset`() throws {
        let bed = try Self.bed("on: [503, reset]")
        let client = try bed.client(self.get)
        let target = try bed.target()
        target.send("HTTP/1.1 503 X\r\nContent-Length: 9\r\n\r\nbus")
        target.close()
        try bed.settle()
        #expect(bed.accepted.count == 2)
        try bed.target().send(Self.answer(200, "ok"))
        try bed.settle()
        #expect(client.text().hasPrefix("HTTP/1.1 200 "))
    }

    @Test func `a body is sent again with its request if it was kept`() throws {
        let bed = try Self.bed("on: [reset]")
        let client = try bed.client("PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab")
        try bed.settle()
        client.send("cd")
        try bed.settle()
        try bed.target().reset()
        try bed.settle()
        #expect(bed.accepted.count == 2)
        #expect(try bed.target().text().hasSuffix("\r\n\r\nabcd"))
        try bed.target().send(Self.answer(201, ""))
        try bed.settle()
        #expect(client.text().hasPrefix("HTTP/1.1 201 "))
    }

    @Test func `a body that still comes goes on to the next target`() throws {
        let bed = try Self.bed("on: [reset]")
        let client = try bed.client(
            "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n"
        )
        try bed.target().reset()
        try bed.settle()
        #expect(bed.accepted.count == 2)
        client.send("2\r\ncd\r\n0\r\n\r\n")
        try bed.settle()
        #expect(try bed.target().text().hasSuffix("\r\n\r\n2\r\nab\r\n2\r\ncd\r\n0\r\n\r\n"))
    }

    @Test func `a body larger than retry_buffer is not sent again`() throws {
        let bed = try Self.bed("on: [reset]", options: "    retry_buffer: 3\n")
        let client = try bed.client("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab")
        client.send("cd")
        try bed.settle()
        try bed.target().reset()
        try bed.settle()
        #expect(bed.accepted.count == 1)
        #expect(client.text().hasPrefix("HTTP/1.1 502 "))
    }

    @Test(arguments: ["idempotent", "any"])
    func `methods decides whether a POST is sent twice`(methods: String) throws {
        let bed = try Self.bed("on: [reset], methods: \(methods)")
        let client = try bed.client("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi")
        try bed.target().reset()
        try bed.settle()
        #expect(bed.accepted.count == (methods == "any" ? 2 : 1))
        #expect(client.text().hasPrefix("HTTP/1.1 502 ") == (methods != "any"))
    }

    @Test func `all targets are tried, and after a pause again`() throws {
        let bed = try Self.bed(
            "attempts: 3, on: [reset], backoff: { initial: 100ms, max: 100ms }"
        )
        let client = try bed.client(self.get)
        for _ in 0..<3 {
            try bed.target().reset()
            try bed.settle()
        }
        #expect(bed.accepted.count == 3)
        #expect(client.text().hasPrefix("HTTP/1.1 502 "))
    }

    @Test func `an attempt that takes too long gives way to the next`() throws {
        let bed = try Self.bed("attempts: 2, on: [timeout], per_try_timeout: 1s")
        let client = try bed.client(self.get)
        let slow = try bed.target()
        try bed.simulation.run(for: .seconds(1))
        #expect(bed.accepted.count == 2)
        #expect(slow.hasInputEnded || slow.failure != nil)
        try bed.target().send(Self.answer(200, "ok"))
        try bed.settle()
        #expect(client.text().hasPrefix("HTTP/1.1 200 "))
    }

    @Test func `a rule's timeout is that of all attempts together`() throws {
        let bed = try Self.bed(
            "attempts: 9, on: [timeout], per_try_timeout: 2s",
            route: "[{ pool: app, timeout: 3s }]"
        )
        let client = try bed.client(self.get)
        try bed.simulation.run(for: .milliseconds(2500))
        #expect(bed.accepted.count == 2)
        #expect(client.receivedCount == 0)
        try bed.simulation.run(for: .seconds(1))
        #expect(client.text().hasPrefix("HTTP/1.1 504 "))
        #expect(bed.accepted.count == 2)
    }

    @Test func `a rule's timeout begins with the end of the request`() throws {
        let bed = try Self.bed("attempts: 1", route: "[{ pool: app, timeout: 1s }]")
        let client = try bed.client("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\na")
        try bed.simulation.run(for: .seconds(3))
        #expect(client.receivedCount == 0)
        client.send("b")
        try bed.simulation.run(for: .milliseconds(1500))
        #expect(client.text().hasPrefix("HTTP/1.1 504 "))
    }

    @Test func `no more than the budget are tried again at a time`() throws {
        let bed = try Self.bed("attempts: 2, on: [reset], budget: 0%")
        let clients = try (0..<8).map { _ in try bed.client(self.get) }
        for target in bed.accepted { target.reset() }
        try bed.settle()
        // Three are always allowed.
        #expect(bed.accepted.count == 8 + 3)
        let refused = clients.filter { $0.text().hasPrefix("HTTP/1.1 502 ") }
        #expect(refused.count == 5)
    }

    @Test func `a GET goes out again when its kept connection had ended`() throws {
        let bed = try Self.bed("on: [connect]", up: [0])
        let client = try bed.client(self.get)
        let first = try bed.target()
        first.send(Self.answer(200, "one"))
        try bed.settle()
        client.send(self.get)
        // It takes the request and then ends, as one that was about to close does.
        first.onReceived = { $0.reset() }
        try bed.settle()
        #expect(bed.accepted.count == 2)
        try bed.target().send(Self.answer(200, "two"))
        try bed.settle()
        #expect(client.text().hasSuffix("two"))
    }
}

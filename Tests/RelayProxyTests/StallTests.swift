import RelayEngine
import SimulatedSystem
import Testing

/// What ends an exchange of which one side does nothing any more, and what does not.
struct StallTests {
    private let get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
    private let size = 16 << 20

    @Test func `a client that reads nothing for stall_timeout is reset, and its request ended`()
        throws
    {
        let bed = try StreamingBed(limits: "stall_timeout: 10s")
        let client = try bed.client(self.get)
        client.stopReading()
        let target = try bed.target()
        target.send("HTTP/1.1 200 OK\r\nContent-Length: \(self.size)\r\n\r\n")
        target.send([UInt8](repeating: 0x61, count: self.size))
        try bed.simulation.run(for: .seconds(9))
        #expect(target.failure == nil && !target.hasInputEnded)
        try bed.simulation.run(for: .seconds(15))
        #expect(target.failure != nil || target.hasInputEnded)
        client.startReading()
        try bed.settle()
        #expect(client.failure != nil)
    }

    @Test func `a client that reads now and then gets everything`() throws {
        let bed = try StreamingBed("    stall_timeout: 2s", limits: "stall_timeout: 10s")
        let client = try bed.client(self.get)
        client.stopReading()
        let target = try bed.target()
        target.send("HTTP/1.1 200 OK\r\nContent-Length: \(self.size)\r\n\r\n")
        target.send([UInt8](repeating: 0x61, count: self.size))
        for _ in 0..<10 {
            try bed.simulation.run(for: .seconds(8))
            client.startReading()
            try bed.simulation.run(for: .milliseconds(1))
            client.stopReading()
        }
        client.startReading()
        try bed.simulation.run(for: .seconds(120))
        #expect(client.failure == nil)
        #expect(client.takeReceived().count { $0 == 0x61 } >= self.size)
    }

    @Test func `a client that sends nothing of a body for stall_timeout is a 408`() throws {
        let bed = try StreamingBed(limits: "stall_timeout: 2s, body_rate: 0/s")
        let client = try bed.client("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nab")
        try bed.simulation.run(for: .seconds(1))
        client.send("c")
        try bed.simulation.run(for: .milliseconds(1500))
        #expect(client.receivedCount == 0)
        try bed.simulation.run(for: .seconds(2))
        #expect(client.text().hasPrefix("HTTP/1.1 408 "))
        let target = try bed.target()
        #expect(target.hasInputEnded || target.failure != nil)
    }

    @Test func `a target that is silent within a body for stall_timeout breaks the response`()
        throws
    {
        let bed = try StreamingBed("    stall_timeout: 2s")
        let client = try bed.client(self.get)
        let target = try bed.target()
        target.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
        try bed.simulation.run(for: .seconds(1))
        target.send("1\r\nd\r\n")
        try bed.simulation.run(for: .milliseconds(1500))
        #expect(!client.hasInputEnded && client.failure == nil)
        try bed.simulation.run(for: .seconds(2))
        #expect(client.hasInputEnded || client.failure != nil)
        #expect(!client.text().hasSuffix("0\r\n\r\n"))
    }

    @Test func `a target that takes none of the body for stall_timeout is a 504`() throws {
        for isWhole in [false, true] {
            let bed = try StreamingBed("    stall_timeout: 2s")
            let client = try bed.client(
                "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \(self.size)\r\n\r\n"
            )
            try bed.target().stopReading()
            client.send([UInt8](repeating: 0x62, count: isWhole ? self.size : self.size / 2))
            try bed.simulation.run(for: .seconds(10))
            #expect(client.text().hasPrefix("HTTP/1.1 504 "))
        }
    }
}

/// `wait`: requests that come while no target can be reached.
struct WaitTests {
    @Test func `waits for a target, and then sends it everything`() throws {
        let bed = try StreamingBed("    wait: 10s", up: [])
        let get = try bed.client("GET /1 HTTP/1.1\r\nHost: a\r\n\r\n")
        let post = try bed.client("POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab")
        let late = try bed.client("POST /3 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n")
        post.send("cd")
        late.send("ef")
        try bed.simulation.run(for: .seconds(3))
        #expect(bed.accepted.isEmpty && get.receivedCount == 0)
        try bed.raise(0)
        try bed.simulation.run(for: .seconds(6))
        let seen = bed.accepted.map { $0.text() }
        #expect(seen.count == 3)
        #expect(seen.contains { $0.hasPrefix("GET /1 ") })
        #expect(seen.contains { $0.hasPrefix("POST /2 ") && $0.hasSuffix("\r\n\r\nabcd") })
        #expect(seen.contains { $0.hasPrefix("POST /3 ") && $0.hasSuffix("\r\n\r\nef") })
        for target in bed.accepted { target.send("HTTP/1.1 204 No Content\r\n\r\n") }
        try bed.settle()
        for client in [get, post, late] {
            #expect(client.text().hasPrefix("HTTP/1.1 204 "))
        }
    }

    @Test func `is a 503 when the time is over, and not before`() throws {
        let bed = try StreamingBed("    wait: 5s", up: [])
        let client = try bed.client("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi")
        try bed.simulation.run(for: .seconds(4))
        #expect(client.receivedCount == 0)
        try bed.simulation.run(for: .seconds(2))
        #expect(client.text().hasPrefix("HTTP/1.1 503 "))
    }

    @Test func `a client that goes away waits no longer`() throws {
        let bed = try StreamingBed("    wait: 1m", up: [])
        let client = try bed.client("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        client.reset()
        try bed.settle()
        try bed.raise(0)
        try bed.simulation.run(for: .seconds(30))
        #expect(bed.accepted.isEmpty)
    }
}

/// Answers before their time, and such as are none.
struct EarlyAnswerTests {
    @Test func `an answer before the body ends lets a small rest go by`() throws {
        let bed = try StreamingBed()
        let client = try bed.client("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc")
        let target = try bed.target()
        target.send("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno")
        try bed.settle()
        #expect(client.text().hasPrefix("HTTP/1.1 413 "))
        #expect(target.hasInputEnded || target.failure != nil)
        client.send("defghiGET /next HTTP/1.1\r\nHost: a\r\n\r\n")
        try bed.settle()
        #expect(bed.accepted.count == 2)
        #expect(try bed.target().text().hasPrefix("GET /next "))
    }

    @Test func `an answer before a large body ends closes behind itself`() throws {
        let bed = try StreamingBed()
        let client = try bed.client(
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nabc"
        )
        try bed.target().send("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno")
        try bed.settle()
        let answer = client.text()
        #expect(answer.contains("\r\nConnection: close\r\n") && answer.hasSuffix("\r\n\r\nno"))
        #expect(client.hasInputEnded && client.failure == nil)
    }

    @Test func `who expects 100 is told to go on, and the target not asked`() throws {
        let bed = try StreamingBed()
        let client = try bed.client(
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
        )
        #expect(client.text() == "HTTP/1.1 100 Continue\r\n\r\n")
        client.send("hi")
        try bed.settle()
        let request = try bed.target().text()
        #expect(!request.contains("Expect") && request.hasSuffix("\r\n\r\nhi"))
    }
}

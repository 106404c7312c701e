import RelayConfig
import RelayEngine
import Testing

@testable import RelayUpstream

struct ConnectionReuseTests {
    @Test func `one connection serves one request after another`() throws {
        let bed = try PoolBed()
        for _ in 0..<5 { try bed.exchange() }
        #expect(bed.origin.connections.count == 1)
        #expect(bed.shared.status(of: 0).connectionsOpen == 1)
    }

    @Test(
        arguments: [
            "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
            "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
            "HTTP/1.1 200 OK\r\nKeep-Alive: timeout=0\r\nContent-Length: 2\r\n\r\nok",
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok and more",
        ]
    )
    func `closes what cannot be used again`(response: String) throws {
        let bed = try PoolBed()
        let handler = try bed.exchange(response: response)
        #expect(handler.isEnded)
        #expect(handler.text == "ok")
        try bed.run { bed.origin.open.isEmpty }
        #expect(bed.shared.status(of: 0).connectionsOpen == 0)
    }

    @Test func `an idle connection closes after idle_timeout`() throws {
        let bed = try PoolBed { $0.connections.idleTimeout = .seconds(5) }
        try bed.exchange()
        bed.advance(by: .milliseconds(4990))
        #expect(bed.origin.open.count == 1)
        bed.advance(by: .milliseconds(20))
        try bed.run { bed.origin.open.isEmpty }
        #expect(bed.shared.status(of: 0).connectionsOpen == 0)
    }

    @Test func `or after three quarters of what its target says`() throws {
        let bed = try PoolBed()
        try bed.exchange(
            response: "HTTP/1.1 200 OK\r\nKeep-Alive: timeout=8\r\nContent-Length: 2\r\n\r\nok"
        )
        bed.advance(by: .milliseconds(5990))
        #expect(bed.origin.open.count == 1)
        bed.advance(by: .milliseconds(20))
        try bed.run { bed.origin.open.isEmpty }
    }

    @Test func `an unexpected byte ends an idle connection`() throws {
        let bed = try PoolBed()
        try bed.exchange()
        bed.origin.connections[0].send("HTTP/1.1 408 Request Timeout\r\n\r\n")
        try bed.run { bed.origin.open.isEmpty }
        let handler = try bed.exchange()
        #expect(handler.status == 200)
        #expect(bed.origin.connections.count == 2)
    }

    @Test func `keeps as many idle as the pool says`() throws {
        let bed = try PoolBed { $0.connections.idleMax = 2 }
        let handlers = (0..<4).map { _ in bed.start() }
        try bed.run { bed.origin.connections.filter(\.hasRequest).count == 4 }
        for _ in 0..<4 { bed.origin.answer() }
        try bed.run { handlers.allSatisfy(\.isOver) }
        try bed.run { bed.origin.open.count == 2 }
        #expect(bed.shared.status(of: 0).connectionsOpen == 2)
    }

    @Test func `divides the idle ones over the loops`() throws {
        let bed = try PoolBed(loops: 2) { $0.connections.idleMax = 3 }
        for loop in 0..<2 {
            let handlers = (0..<3).map { _ in bed.start(on: loop) }
            try bed.run { bed.origin.connections.filter(\.hasRequest).count == 3 }
            for _ in 0..<3 { bed.origin.answer() }
            try bed.run { handlers.allSatisfy(\.isOver) }
            bed.settle()
            #expect(bed.origin.open.count == (loop == 0 ? 2 : 3))
        }
    }

    @Test func `what must be fresh takes no connection that has rested`() throws {
        let bed = try PoolBed()
        try bed.exchange()
        bed.advance(by: .milliseconds(900))
        try bed.exchange { $0.freshness = .recent }
        #expect(bed.origin.connections.count == 1)
        bed.advance(by: .milliseconds(1100))
        try bed.exchange { $0.freshness = .recent }
        #expect(bed.origin.connections.count == 2)
        try bed.exchange()
        #expect(bed.origin.connections.count == 2)
    }

    @Test func `a rested connection gives its permit to what must be fresh`() throws {
        let bed = try PoolBed { $0.connections.max = 1 }
        try bed.exchange()
        bed.advance(by: .seconds(2))
        let handler = try bed.exchange { $0.freshness = .recent }
        #expect(handler.isEnded)
        #expect(bed.origin.connections.count == 2)
        #expect(bed.shared.status(of: 0).connectionsOpen == 1)
    }

    @Test func `retiring closes what is idle and finishes what is under way`() throws {
        let bed = try PoolBed()
        let waiting = bed.start()
        try bed.run { bed.origin.hasRequest }
        let done = bed.start()
        try bed.run { bed.origin.connections.filter(\.hasRequest).count == 2 }
        bed.origin.answer()
        try bed.run { waiting.isOver }
        bed.pool.retire()
        try bed.run { bed.origin.open.count == 1 }
        bed.origin.answer()
        try bed.run { done.isOver }
        #expect(done.isEnded)
        try bed.run { bed.origin.open.isEmpty }
    }

    @Test func `a pool that is retired and finished is gone`() throws {
        weak var pool: UpstreamPool?
        do {
            let bed = try PoolBed()
            try bed.exchange()
            pool = bed.pool
            bed.pool.retire()
            bed.settle()
        }
        #expect(pool == nil)
    }

    @Test func `serves an equal configuration only`() throws {
        let bed = try PoolBed()
        var configuration = bed.shared.configuration
        configuration.location = nil
        #expect(bed.shared.serves(configuration))
        configuration.connections.idleMax = 1
        #expect(!bed.shared.serves(configuration))
    }
}

struct StaleConnectionTests {
    @Test(arguments: [false, true])
    func `an end that came before the request sends it elsewhere`(byReset: Bool) throws {
        let bed = try PoolBed()
        try bed.exchange()
        // The kernel has the end, the pool's loop has not looked yet.
        if byReset { bed.origin.connections[0].reset() } else { bed.origin.connections[0].close() }
        for _ in 0..<5 { bed.turnOrigins() }
        let handler = bed.start()
        try bed.run { bed.origin.hasRequest }
        bed.origin.answer()
        try bed.run { handler.isOver }
        #expect(handler.isEnded)
        #expect(handler.endings == 1)
        #expect(bed.origin.connections.count == 2)
        bed.settle()
        #expect(bed.shared.status(of: 0).connectionsOpen == 1)
        #expect(bed.shared.status(of: 0).failures == 0)
    }

    @Test func `so does an answer to nothing`() throws {
        let bed = try PoolBed()
        try bed.exchange()
        bed.origin.connections[0].send("HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n")
        for _ in 0..<5 { bed.turnOrigins() }
        let handler = bed.start()
        try bed.run { bed.origin.hasRequest }
        bed.origin.answer()
        try bed.run { handler.isOver }
        #expect(handler.status == 200)
        #expect(bed.origin.connections.count == 2)
    }

    @Test(arguments: [false, true])
    func `an end after the request was sent is for the caller to judge`(byReset: Bool) throws {
        let bed = try PoolBed()
        try bed.exchange()
        let handler = bed.start()
        try bed.run { bed.origin.hasRequest }
        if byReset { bed.origin.connections[0].reset() } else { bed.origin.connections[0].close() }
        try bed.run { handler.isOver }
        #expect(handler.failure?.kind == .reset)
        #expect(handler.failure?.outcome == .ambiguous)
        #expect(bed.origin.connections.count == 1)
    }
}

import RelayConfig
import RelayEngine
import Testing

@testable import RelayUpstream

struct PermitTests {
    @Test func `opens no more connections than there are permits`() throws {
        let bed = try PoolBed { $0.connections.max = 2 }
        let handlers = (0..<5).map { _ in bed.start() }
        try bed.run { bed.origin.connections.filter(\.hasRequest).count == 2 }
        bed.settle()
        #expect(bed.origin.connections.count == 2)
        for _ in 0..<5 {
            try bed.run { bed.origin.hasRequest }
            bed.origin.answer()
        }
        try bed.run { handlers.allSatisfy(\.isOver) }
        #expect(handlers.allSatisfy { $0.isEnded })
        #expect(bed.origin.connections.count == 2)
    }

    @Test func `those who wait are served in their order`() throws {
        let bed = try PoolBed { $0.connections.max = 1 }
        var order: [Int] = []
        for number in 0..<4 {
            let handler = bed.start()
            handler.onEnd = { order.append(number) }
        }
        for _ in 0..<4 {
            try bed.run { bed.origin.hasRequest }
            bed.origin.answer("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
        }
        try bed.run { order.count == 4 }
        #expect(order == [0, 1, 2, 3])
    }

    @Test func `too many who wait are told so, and not inside start`() throws {
        let bed = try PoolBed {
            $0.connections.max = 1
            $0.connections.pendingMax = 2
        }
        let handlers = (0..<4).map { _ in bed.start() }
        #expect(handlers.allSatisfy { !$0.isOver })
        bed.settle()
        #expect(handlers.map(\.isOver) == [false, false, false, true])
        #expect(handlers[3].failure?.kind == .noCapacity)
        #expect(handlers[3].failure?.outcome == .notSent)
        bed.pool.cancel(try #require(handlers[2].request))
        let another = bed.start()
        bed.settle()
        #expect(!another.isOver)
    }

    @Test func `a refusal that is cancelled before it is told is not told`() throws {
        let bed = try PoolBed {
            $0.connections.max = 1
            $0.connections.pendingMax = 0
        }
        bed.start()
        let refused = bed.start()
        bed.pool.cancel(try #require(refused.request))
        bed.settle()
        #expect(!refused.isOver)
        #expect(bed.pool.requestsUnderWay == 1)
    }

    @Test func `who waits longer than it may had no capacity, and who got a connection waits on`()
        throws
    {
        let bed = try PoolBed { $0.connections.max = 1 }
        let first = bed.start { $0.queueTimeout = .seconds(1) }
        let second = bed.start { $0.queueTimeout = .seconds(1) }
        let third = bed.start { $0.queueTimeout = .seconds(2) }
        try bed.run { bed.origin.hasRequest }
        bed.advance(by: .milliseconds(1010))
        #expect(second.failure?.kind == .noCapacity)
        #expect(second.failure?.outcome == .notSent)
        #expect(!first.isOver && !third.isOver)
        bed.origin.answer()
        try bed.run { first.isOver && bed.origin.hasRequest }
        bed.advance(by: .seconds(10))
        #expect(!third.isOver)
        bed.origin.answer()
        try bed.run { third.isOver }
        #expect(third.failure == nil)
    }

    @Test func `who waits past its deadline had no capacity`() throws {
        let bed = try PoolBed { $0.connections.max = 1 }
        let first = bed.start()
        let now = bed.pool.loop.now
        let second = bed.start { $0.deadline = now + .seconds(1) }
        try bed.run { bed.origin.hasRequest }
        bed.advance(by: .milliseconds(1010))
        #expect(second.failure?.kind == .noCapacity)
        #expect(second.failure?.outcome == .notSent)
        bed.origin.answer()
        try bed.run { first.isOver }
        try bed.exchange()
    }

    @Test func `a permit goes to another loop that waits`() throws {
        let bed = try PoolBed(loops: 2) { $0.connections.max = 1 }
        let here = bed.start(on: 0)
        try bed.run { bed.origin.hasRequest }
        let there = bed.start(on: 1)
        bed.settle()
        #expect(bed.origin.connections.count == 1)
        bed.origin.answer()
        try bed.run { bed.origin.hasRequest }
        #expect(here.isEnded)
        bed.origin.answer()
        try bed.run { there.isOver }
        #expect(there.isEnded)
        #expect(bed.origin.connections.count == 2)
    }

    @Test func `an idle connection of another loop gives its permit up`() throws {
        let bed = try PoolBed(loops: 2) { $0.connections.max = 1 }
        try bed.exchange(on: 0)
        let there = try bed.exchange(on: 1)
        #expect(there.isEnded)
        #expect(bed.origin.connections.count == 2)
    }

    @Test func `a loop that is always busy does not keep the permit for ever`() throws {
        let bed = try PoolBed(loops: 2) { $0.connections.max = 1 }
        let busy = (0..<40).map { _ in bed.start(on: 0) }
        try bed.run { bed.origin.hasRequest }
        let other = bed.start(on: 1)
        var answers = 0
        while !other.isOver {
            try bed.run { bed.origin.hasRequest }
            bed.origin.answer()
            answers += 1
            bed.settle()
        }
        #expect(other.isEnded)
        #expect(answers <= 18)
        #expect(busy.filter(\.isOver).count == answers - 1)
        while busy.contains(where: { !$0.isOver }) {
            try bed.run { bed.origin.hasRequest }
            bed.origin.answer()
            bed.settle()
        }
        #expect(busy.allSatisfy { $0.isEnded })
    }

    @Test func `a permit for requests that were cancelled goes back`() throws {
        let bed = try PoolBed(loops: 2) { $0.connections.max = 1 }
        bed.start(on: 0)
        try bed.run { bed.origin.hasRequest }
        let cancelled = bed.start(on: 1)
        bed.pools[1].cancel(try #require(cancelled.request))
        bed.origin.answer()
        bed.settle()
        #expect(bed.shared.status(of: 0).connectionsOpen == 0)
        try bed.exchange(on: 0)
    }
}

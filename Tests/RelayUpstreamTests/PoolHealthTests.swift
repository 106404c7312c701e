import RelayConfig
import RelayEngine
import Testing

@testable import RelayUpstream

/// Takes what target it gets when it is called, and writes down which.
private final class Waiter: PoolWaiter {
    var calls = 0
    var picked: [Int] = []
    /// Whether it waits again if it gets none.
    var isPatient = true

    func poolMayBeUsable(_ pool: UpstreamPool) {
        self.calls += 1
        if let target = pool.pickTarget(excluding: TargetSet()) {
            self.picked.append(target)
        } else if self.isPatient {
            pool.wait(self)
        }
    }
}

struct PoolHealthTests {
    /// A pool with a target that nobody listens at; it has failed once.
    private func bedWithTargetDown(origins: Int = 1, loops: Int = 1) throws -> PoolBed {
        let bed = try PoolBed(origins: origins, loops: loops)
        bed.origin.stop()
        bed.settle()
        let handler = bed.start()
        try bed.run { handler.isOver }
        #expect(!bed.shared.status(of: 0).isUsable)
        return bed
    }

    @Test func `takes turns among usable targets by weight`() throws {
        let bed = try PoolBed(origins: 2) { $0.targets[0].weight = 2 }
        let picks = (0..<6).map { _ in bed.pool.pickTarget(excluding: TargetSet()) }
        #expect(picks == [0, 1, 0, 0, 1, 0])
        var tried = TargetSet()
        tried.insert(0)
        #expect(bed.pool.pickTarget(excluding: tried) == 1)
        tried.insert(1)
        #expect(bed.pool.pickTarget(excluding: tried) == nil)
    }

    @Test func `a target that is down gets one probe a step beside the others`() throws {
        let bed = try self.bedWithTargetDown(origins: 2)
        #expect(bed.pool.isUsable)
        #expect((0..<4).allSatisfy { _ in bed.pool.pickTarget(excluding: TargetSet()) == 1 })
        bed.advance(by: .milliseconds(110))
        let picks = (0..<4).map { _ in bed.pool.pickTarget(excluding: TargetSet()) }
        #expect(picks == [0, 1, 1, 1])
        let probe = bed.start(target: 0)
        try bed.run { probe.isOver }
        bed.advance(by: .milliseconds(110))
        #expect(bed.pool.pickTarget(excluding: TargetSet()) == 1)
        bed.advance(by: .milliseconds(110))
        #expect(bed.pool.pickTarget(excluding: TargetSet()) == 0)
    }

    @Test func `while none is usable one caller a step probes, on whichever loop`() throws {
        let bed = try self.bedWithTargetDown(loops: 2)
        #expect(!bed.pools[1].isUsable)
        #expect(bed.pools[1].pickTarget(excluding: TargetSet()) == nil)
        bed.advance(by: .milliseconds(110))
        #expect(bed.pools[1].pickTarget(excluding: TargetSet()) == 0)
        #expect(bed.pools[0].pickTarget(excluding: TargetSet()) == nil)
    }

    @Test func `a target that came back gets its share slowly`() throws {
        let bed = try PoolBed(origins: 2) { $0.slowStart = .seconds(100) }
        let address = bed.origin.address
        func picks() -> Int {
            (0..<1000).count { _ in bed.pool.pickTarget(excluding: TargetSet()) == 0 }
        }
        #expect(picks() == 500)
        bed.origin.stop()
        bed.settle()
        let failed = bed.start()
        try bed.run { failed.isOver }
        #expect(picks() == 0)
        let origin = try bed.revive(at: address)
        let handler = bed.start()
        try bed.run { origin.hasRequest }
        origin.answer("HTTP/1.1 204 No Content\r\n\r\n")
        try bed.run { handler.isOver }
        #expect((5...15).contains(picks()))
        bed.advance(by: .seconds(50))
        #expect((328...338).contains(picks()))
        bed.advance(by: .seconds(50))
        #expect((498...502).contains(picks()))
    }

    @Test func `backups are used only while no other target can be`() throws {
        let bed = try PoolBed(origins: 3) {
            $0.targets[2].isBackup = true
            $0.balance = .leastRequests
        }
        var tried = TargetSet()
        #expect((0..<4).allSatisfy { _ in bed.pool.pickTarget(excluding: tried) != 2 })
        tried.insert(0)
        tried.insert(1)
        #expect(bed.pool.pickTarget(excluding: tried) == 2)
        tried.insert(2)
        #expect(bed.pool.pickTarget(excluding: tried) == nil)
    }

    @Test func `says down and up once each`() throws {
        let bed = try PoolBed()
        let address = bed.origin.address
        bed.origin.stop()
        bed.settle()
        for _ in 0..<3 {
            let handler = bed.start()
            try bed.run { handler.isOver }
        }
        #expect(bed.log.lines == ["warning: target cannot be reached: connection refused"])
        let revived = try bed.revive(at: address)
        for _ in 0..<2 {
            let handler = bed.start()
            try bed.run { revived.hasRequest }
            revived.answer("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
            try bed.run { handler.isOver }
        }
        #expect(bed.log.lines.count == 2)
        #expect(bed.log.lines.last == "notice: target can be reached again")
    }

    @Test func `a waiter is called when a probe is due`() throws {
        let bed = try self.bedWithTargetDown()
        let waiters = [Waiter(), Waiter(), Waiter()]
        for waiter in waiters { bed.pool.wait(waiter) }
        bed.settle()
        #expect(waiters.map(\.calls) == [0, 0, 0])
        bed.advance(by: .milliseconds(110))
        #expect(waiters.map(\.calls) == [1, 0, 0])
        #expect(waiters[0].picked == [0])
    }

    @Test func `a probe that nobody makes is due again`() throws {
        let bed = try self.bedWithTargetDown()
        let waiters = [Waiter(), Waiter()]
        for waiter in waiters { bed.pool.wait(waiter) }
        bed.advance(by: .milliseconds(110))
        #expect(waiters.map(\.calls) == [1, 0])
        bed.advance(by: .milliseconds(1110))
        #expect(waiters.map(\.calls) == [1, 1])
    }

    @Test func `all waiters of all loops are called when a target comes up`() throws {
        let bed = try PoolBed(loops: 2)
        let address = bed.origin.address
        bed.origin.stop()
        bed.settle()
        let failing = bed.start()
        try bed.run { failing.isOver }
        let here = (0..<300).map { _ in Waiter() }
        let there = (0..<3).map { _ in Waiter() }
        for waiter in here { bed.pools[0].wait(waiter) }
        for waiter in there { bed.pools[1].wait(waiter) }
        let revived = try bed.revive(at: address)
        let probe = bed.start(on: 1)
        try bed.run { revived.hasRequest }
        bed.settle()
        #expect((here + there).allSatisfy { $0.picked == [0] })
        revived.answer()
        try bed.run { probe.isOver }
    }

    @Test func `who waits for a usable pool is called soon`() throws {
        let bed = try PoolBed()
        let waiter = Waiter()
        bed.pool.wait(waiter)
        #expect(waiter.calls == 0)
        bed.settle()
        #expect(waiter.picked == [0])
    }

    @Test func `who stops waiting is not called`() throws {
        let bed = try self.bedWithTargetDown()
        let waiters = [Waiter(), Waiter()]
        for waiter in waiters { bed.pool.wait(waiter) }
        bed.pool.cancelWait(waiters[0])
        bed.advance(by: .milliseconds(110))
        #expect(waiters.map(\.calls) == [0, 1])
    }

    @Test func `a target that is down comes up by a new connection only`() throws {
        let bed = try PoolBed(origins: 1)
        try bed.exchange()
        bed.origin.stop()
        bed.settle()
        let held = bed.start()
        try bed.run { bed.origin.hasRequest }
        let refused = bed.start()
        try bed.run { refused.isOver }
        #expect(!bed.pool.isUsable)
        bed.origin.answer()
        try bed.run { held.isOver }
        #expect(held.isEnded)
        #expect(!bed.pool.isUsable)
    }
}

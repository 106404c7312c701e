import RelayConfig
import RelayEngine
import Testing

@testable import RelayUpstream

struct CheckHistoryTests {
    private func changes(_ results: String, rise: Int, fall: Int) -> [Bool] {
        var history = CheckHistory(rise: rise, fall: fall)
        return results.map { history.record($0 == "+") }
    }

    @Test func `a target is unwell after so many failures in a row`() {
        #expect(
            self.changes("--+---", rise: 2, fall: 3) == [false, false, false, false, false, true]
        )
    }

    @Test func `and well again after so many successes in a row`() {
        #expect(self.changes("-+-++", rise: 2, fall: 1) == [true, false, false, false, true])
    }

    @Test func `more of the same change nothing`() {
        #expect(self.changes("---++", rise: 1, fall: 1) == [true, false, false, true, false])
    }
}

struct HealthCheckTests {
    private func bed(
        origins: Int = 1,
        loops: Int = 1,
        _ configure: (inout ActiveHealthConfiguration) -> Void = { _ in }
    ) throws -> PoolBed {
        let bed = try PoolBed(origins: origins, loops: loops) {
            var active = ActiveHealthConfiguration()
            active.path = "/healthz"
            active.fall = 2
            configure(&active)
            $0.health = HealthConfiguration()
            $0.health?.active = active
        }
        // The first checks are due now, which is at the next tick of the timers.
        bed.advance(by: .milliseconds(5))
        return bed
    }

    /// Lets a target answer the check that is due.
    @discardableResult
    private func check(_ bed: PoolBed, _ target: Int = 0, status: String) throws -> String {
        let origin = bed.origin(target)
        try bed.run { origin.hasRequest }
        let request = origin.answer("HTTP/1.1 \(status)\r\nContent-Length: 0\r\n\r\n")
        bed.settle()
        return request ?? ""
    }

    @Test func `asks every target for the path, one loop for each, at once and every interval`()
        throws
    {
        let bed = try self.bed(origins: 2, loops: 2)
        for _ in 0..<2 {
            for target in 0..<2 {
                let request = try self.check(bed, target, status: "200 OK")
                #expect(request.hasPrefix("GET /healthz HTTP/1.1\r\nHost: "))
                #expect(!bed.origin(target).hasRequest)
            }
            bed.advance(by: .milliseconds(4900))
            #expect(!bed.origin(0).hasRequest && !bed.origin(1).hasRequest)
            bed.advance(by: .milliseconds(110))
        }
        #expect(bed.log.lines.isEmpty)
        #expect(bed.shared.status(of: 0).requests == 0)
    }

    @Test func `a target that fails its checks gets nothing until it passes them again`() throws {
        let bed = try self.bed(origins: 2)
        try self.check(bed, 1, status: "200 OK")
        for _ in 0..<2 {
            #expect(bed.shared.status(of: 0).isUsable)
            try self.check(bed, 0, status: "500 Broken")
            bed.advance(by: .milliseconds(5010))
            try self.check(bed, 1, status: "200 OK")
        }
        #expect(!bed.shared.status(of: 0).isUsable)
        #expect((0..<4).allSatisfy { _ in bed.pool.pickTarget(excluding: TargetSet()) == 1 })
        for _ in 0..<2 {
            #expect(!bed.shared.status(of: 0).isUsable)
            try self.check(bed, 0, status: "204 No Content")
            bed.advance(by: .milliseconds(5010))
        }
        #expect(bed.shared.status(of: 0).isUsable)
        #expect(
            bed.log.lines == [
                "warning: target fails its health checks: status 500",
                "notice: target passes its health checks again: status 204",
            ]
        )
    }

    @Test func `who waits for a target hears when one passes again`() throws {
        let bed = try self.bed { $0.fall = 1 }
        try self.check(bed, status: "503 Not Yet")
        #expect(!bed.pool.isUsable)
        #expect(bed.pool.pickTarget(excluding: TargetSet()) == nil)
        let waiter = CountingWaiter()
        bed.pool.wait(waiter)
        bed.advance(by: .milliseconds(5010))
        try self.check(bed, status: "200 OK")
        #expect(waiter.calls == 0)
        bed.advance(by: .milliseconds(5010))
        try self.check(bed, status: "200 OK")
        #expect(waiter.calls == 1)
        #expect(bed.pool.pickTarget(excluding: TargetSet()) == 0)
    }

    @Test func `silence beyond the timeout is a failure`() throws {
        let bed = try self.bed { $0.fall = 1 }
        try bed.run { bed.origin.hasRequest }
        bed.advance(by: .milliseconds(900))
        #expect(bed.pool.isUsable)
        bed.advance(by: .milliseconds(110))
        #expect(!bed.pool.isUsable)
        #expect(bed.log.lines.count == 1)
    }

    @Test func `statuses are those that were configured`() throws {
        let bed = try self.bed {
            $0.fall = 1
            $0.statuses = [200...299, 401...401]
        }
        try self.check(bed, status: "401 Unauthorized")
        #expect(bed.pool.isUsable)
        bed.advance(by: .milliseconds(5010))
        try self.check(bed, status: "302 Found")
        #expect(!bed.pool.isUsable)
    }

    @Test func `a pool that is retired asks no more`() throws {
        let bed = try self.bed()
        try self.check(bed, status: "200 OK")
        bed.pool.retire()
        bed.advance(by: .seconds(20))
        #expect(!bed.origin.hasRequest)
    }
}

/// Counts how often it is called.
private final class CountingWaiter: PoolWaiter {
    var calls = 0
    func poolMayBeUsable(_ pool: UpstreamPool) { self.calls += 1 }
}

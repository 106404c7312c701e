import RelayConfig
import RelayEngine
import RelayHTTP
import Testing

@testable import RelayUpstream

/// `health: { passive: … }`.
struct EjectionTests {
    private static func time(_ seconds: Int64) -> MonotonicTime {
        MonotonicTime(nanoseconds: 1) + .seconds(seconds)
    }

    private static func ejection(
        _ targets: Int,
        _ configure: (inout PassiveHealthConfiguration) -> Void = { _ in }
    ) -> Ejection {
        var configuration = PassiveHealthConfiguration()
        configuration.failures = 3
        configure(&configuration)
        return Ejection(configuration, targets: targets)
    }

    @Test func `so many failures within the time eject a target for a while`() {
        let ejection = Self.ejection(2)
        #expect([0, 5, 11].map { ejection.failed(0, at: Self.time($0)) } == [false, false, false])
        #expect(!ejection.isEjected(0, at: Self.time(11)))
        #expect(ejection.failed(0, at: Self.time(12)))
        #expect(ejection.isEjected(0, at: Self.time(41)))
        #expect(!ejection.isEjected(1, at: Self.time(12)))
        #expect(!ejection.isEjected(0, at: Self.time(42)))
    }

    @Test func `an ejected target begins anew`() {
        let ejection = Self.ejection(2)
        for second in 0..<3 { _ = ejection.failed(0, at: Self.time(Int64(second))) }
        #expect(!ejection.failed(0, at: Self.time(31)))
        #expect(!ejection.failed(0, at: Self.time(33)))
        #expect(!ejection.failed(0, at: Self.time(34)))
        #expect(ejection.failed(0, at: Self.time(35)))
    }

    @Test(arguments: [(1, 50, 0), (2, 50, 1), (3, 50, 1), (4, 50, 2), (3, 100, 3), (3, 0, 0)])
    func `no more than the share is ejected`(targets: Int, percent: Int, ejected: Int) {
        let ejection = Self.ejection(targets) { $0.maxEjectedPercent = percent }
        for target in 0..<targets {
            for _ in 0..<5 { _ = ejection.failed(target, at: Self.time(0)) }
        }
        #expect((0..<targets).count { ejection.isEjected($0, at: Self.time(1)) } == ejected)
    }

    @Test func `an ejected target gets nothing, until its time is over`() throws {
        let bed = try PoolBed(origins: 2) {
            var passive = PassiveHealthConfiguration()
            passive.failures = 1
            $0.health = HealthConfiguration()
            $0.health?.passive = passive
        }
        let handler = bed.start(target: 0)
        try bed.run { bed.origin(0).hasRequest }
        bed.origin(0).answer("HTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n")
        try bed.run { handler.isOver }
        #expect((0..<4).allSatisfy { _ in bed.pool.pickTarget(excluding: TargetSet()) == 1 })
        var tried = TargetSet()
        tried.insert(1)
        #expect(bed.pool.pickTarget(excluding: tried) == nil)
        bed.advance(by: .seconds(30))
        #expect(bed.pool.pickTarget(excluding: tried) == 0)
    }

    @Test func `where all are ejected, all are used`() throws {
        let bed = try PoolBed(origins: 2) {
            var passive = PassiveHealthConfiguration()
            passive.failures = 1
            passive.maxEjectedPercent = 100
            $0.health = HealthConfiguration()
            $0.health?.passive = passive
        }
        for target in 0..<2 {
            let handler = bed.start(target: target)
            try bed.run { bed.origin(target).hasRequest }
            bed.origin(target).answer("HTTP/1.1 504 X\r\nContent-Length: 0\r\n\r\n")
            try bed.run { handler.isOver }
        }
        let picks = (0..<4).map { _ in bed.pool.pickTarget(excluding: TargetSet()) }
        #expect(picks == [0, 1, 0, 1])
    }

    @Test func `a fetch that is held until its timeout is no failure, a packet's timeout is`() {
        let handler = RecordingHandler()
        let request = UpstreamRequest(handler: handler, target: 0, method: .post)
        let failure = UpstreamFailure(.timedOut, .ambiguous, reason: "a test")
        #expect(failure.isOfTarget(request))
        request.expectsLongHold = true
        #expect(!failure.isOfTarget(request))
    }
}

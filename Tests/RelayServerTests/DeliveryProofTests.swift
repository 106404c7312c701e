import RelayEngine
import Testing

@testable import RelayServer

struct DeliveryProofTests {
    /// The time that many milliseconds after a start.
    private func at(_ milliseconds: Int64) -> MonotonicTime {
        MonotonicTime(nanoseconds: 1_000_000_000 + milliseconds * 1_000_000)
    }

    /// A proof of a response that ends at 100.
    private var written: DeliveryProof {
        var proof = DeliveryProof()
        _ = proof.responseWritten(upTo: 100, at: self.at(0))
        return proof
    }

    @Test func `a request behind the response is a reason to look`() {
        var proof = self.written
        #expect(proof.requestArrived(written: 100) == .look)
        #expect(proof.acknowledged(100, at: self.at(0)) == .proven)
    }

    @Test func `a request that came before the kernel had the response says nothing`() {
        var proof = self.written
        #expect(proof.requestArrived(written: 99) == .wait)
    }

    @Test func `a request that does not acknowledge the response was pipelined`() {
        var proof = self.written
        #expect(proof.requestArrived(written: 100) == .look)
        #expect(proof.acknowledged(99, at: self.at(0)) == .open(lookAgainAt: .never))
    }

    @Test func `nothing is proven before the response was written`() {
        var proof = DeliveryProof()
        #expect(proof.requestArrived(written: 1000) == .wait)
        #expect(proof.inputEnded() == .wait)
        #expect(proof.acknowledged(1000, at: self.at(0)) == .open(lookAgainAt: .never))
    }

    @Test(arguments: [(acknowledged: UInt64(100), isProven: true), (99, false), (101, true)])
    func `a FIN proves what is acknowledged by then`(acknowledged: UInt64, isProven: Bool) {
        var proof = self.written
        #expect(proof.inputEnded() == .look)
        let finding = proof.acknowledged(acknowledged, at: self.at(0))
        #expect(finding == (isProven ? .proven : .open(lookAgainAt: .never)))
    }

    @Test func `looks at once and 50, 100, 200 and 400 ms after another poll came`() {
        var proof = self.written
        #expect(proof.asked(at: self.at(0)) == .look)
        for (now, next) in [(0, 50), (50, 100), (100, 200), (200, 400), (400, 2000)]
            as [(Int64, Int64)]
        {
            #expect(
                proof.acknowledged(0, at: self.at(now)) == .open(lookAgainAt: self.at(next)),
                "at \(now) ms"
            )
        }
    }

    @Test func `fails 2 s after the first other poll, however many came since`() {
        var proof = self.written
        _ = proof.asked(at: self.at(0))
        #expect(proof.acknowledged(0, at: self.at(0)) == .open(lookAgainAt: self.at(50)))
        _ = proof.asked(at: self.at(1900))
        #expect(proof.acknowledged(0, at: self.at(1900)) == .open(lookAgainAt: self.at(1950)))
        #expect(proof.acknowledged(0, at: self.at(1950)) == .open(lookAgainAt: self.at(2000)))
        #expect(proof.acknowledged(0, at: self.at(2000)) == .failed)
    }

    @Test func `what is acknowledged before 2 s are over buys 2 s more`() {
        var proof = self.written
        _ = proof.asked(at: self.at(0))
        #expect(proof.acknowledged(10, at: self.at(0)) == .open(lookAgainAt: self.at(50)))
        #expect(proof.acknowledged(20, at: self.at(400)) == .open(lookAgainAt: self.at(2400)))
        #expect(proof.acknowledged(30, at: self.at(2400)) == .open(lookAgainAt: self.at(4400)))
        #expect(proof.acknowledged(30, at: self.at(4400)) == .failed)
    }

    @Test func `what was acknowledged before the first look is no progress`() {
        var proof = self.written
        _ = proof.asked(at: self.at(0))
        #expect(proof.acknowledged(50, at: self.at(10)) == .open(lookAgainAt: self.at(50)))
        #expect(proof.acknowledged(50, at: self.at(2000)) == .failed)
    }

    @Test func `the last look may still prove`() {
        var proof = self.written
        _ = proof.asked(at: self.at(0))
        #expect(proof.acknowledged(0, at: self.at(0)) == .open(lookAgainAt: self.at(50)))
        #expect(proof.acknowledged(100, at: self.at(2000)) == .proven)
    }

    @Test func `who asks before the response is written counts from its writing`() {
        var proof = DeliveryProof()
        #expect(proof.asked(at: self.at(0)) == .wait)
        #expect(proof.acknowledged(0, at: self.at(0)) == .open(lookAgainAt: .never))
        #expect(proof.responseWritten(upTo: 100, at: self.at(5000)) == .look)
        #expect(proof.acknowledged(0, at: self.at(5000)) == .open(lookAgainAt: self.at(5050)))
        #expect(proof.acknowledged(0, at: self.at(6999)) == .open(lookAgainAt: self.at(7000)))
        #expect(proof.acknowledged(0, at: self.at(7000)) == .failed)
    }

    @Test func `writing a response that nobody has asked for is no reason to look`() {
        var proof = DeliveryProof()
        #expect(proof.responseWritten(upTo: 100, at: self.at(0)) == .wait)
    }

    @Test func `a connection that relay ends is kept for 5 s at most`() {
        var proof = self.written
        #expect(proof.closing(at: self.at(0)) == .look)
        let looks: [(Int64, Int64)] = [
            (0, 50), (50, 100), (100, 200), (200, 400), (400, 800), (800, 1600), (1600, 3200),
            (3200, 5000),
        ]
        for (now, next) in looks {
            #expect(
                proof.acknowledged(0, at: self.at(now)) == .open(lookAgainAt: self.at(next)),
                "at \(now) ms"
            )
        }
        #expect(proof.acknowledged(0, at: self.at(5000)) == .failed)
    }

    @Test func `who waits shortens the time of a connection that relay ends`() {
        var proof = self.written
        _ = proof.closing(at: self.at(0))
        #expect(proof.acknowledged(0, at: self.at(0)) == .open(lookAgainAt: self.at(50)))
        _ = proof.asked(at: self.at(1000))
        #expect(proof.acknowledged(0, at: self.at(1000)) == .open(lookAgainAt: self.at(1050)))
        #expect(proof.acknowledged(0, at: self.at(3000)) == .failed)
    }
}

import SimulatedSystem
import Testing

@testable import RelayEngine

struct TimerWheelTests {
    private final class Target: TimerTarget {
        func timerElapsed(_ tag: UInt32) {}
    }

    /// The wheel behind a reference: what `#expect` evaluates must not change a variable.
    private final class Wheel {
        private var wheel = TimerWheel(now: MonotonicTime(nanoseconds: 0))

        var count: Int { self.wheel.count }
        var nextTime: MonotonicTime? { self.wheel.nextTime }

        func arm(_ target: Target, tag: UInt32, at time: MonotonicTime) -> TimerHandle {
            self.wheel.arm(target, tag: tag, at: time)
        }

        func rearm(_ timer: TimerHandle, at time: MonotonicTime) -> Bool {
            self.wheel.rearm(timer, at: time)
        }

        func cancel(_ timer: TimerHandle) -> Bool {
            self.wheel.cancel(timer)
        }

        func popDue(at now: MonotonicTime) -> UInt32? {
            self.wheel.popDue(at: now)?.tag
        }
    }

    @Test func `gives out a timer when its time has come and not before`() {
        for milliseconds in [1, 2, 63, 64, 65, 4095, 4096, 4097, 262_144, 100_000_000] as [Int64] {
            let wheel = Wheel()
            let time = MonotonicTime(nanoseconds: milliseconds * 1_000_000)
            _ = wheel.arm(Target(), tag: 1, at: time)
            let before = MonotonicTime(nanoseconds: time.nanoseconds - 1)
            #expect(wheel.popDue(at: before) == nil, "\(milliseconds) ms")
            #expect(wheel.popDue(at: time) == 1, "\(milliseconds) ms")
            #expect(wheel.count == 0)
        }
    }

    @Test func `refuses handles of timers that are over, and of others`() {
        let wheel = Wheel()
        let time = MonotonicTime(nanoseconds: 5_000_000)
        let first = wheel.arm(Target(), tag: 1, at: time)
        #expect(wheel.cancel(first))
        let second = wheel.arm(Target(), tag: 2, at: time)
        #expect(!wheel.cancel(first))
        #expect(!wheel.rearm(first, at: time))
        #expect(!wheel.cancel(.none))
        #expect(wheel.popDue(at: time) == 2)
        #expect(!wheel.cancel(second))
    }

    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func `does what a sorted list does`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let wheel = Wheel()
        var model: [UInt32: (handle: TimerHandle, time: Int64)] = [:]
        var now: Int64 = 0
        let target = Target()
        for step in 0..<3000 as Range<UInt32> {
            let span = Int64(1) << Int64.random(in: 0...34, using: &generator)
            let time = now + Int64.random(in: 1...span, using: &generator) * 1_000_000
            let known = model.keys.sorted().randomElement(using: &generator)
            switch (Int.random(in: 0..<10, using: &generator), known) {
            case (0, _), (1, _), (2, _), (3, _), (_, nil):
                let handle = wheel.arm(target, tag: step, at: MonotonicTime(nanoseconds: time))
                model[step] = (handle, time)
            case (4, .some(let tag)):
                #expect(wheel.cancel(model[tag]?.handle ?? .none))
                model[tag] = nil
            case (5, .some(let tag)):
                let handle = model[tag]?.handle ?? .none
                #expect(wheel.rearm(handle, at: MonotonicTime(nanoseconds: time)))
                model[tag]?.time = time
            default:
                let next = model.values.map(\.time).min() ?? now
                now = Bool.random(using: &generator) ? next : min(time, now + 500_000_000)
                var fired: Set<UInt32> = []
                while let tag = wheel.popDue(at: MonotonicTime(nanoseconds: now)) {
                    fired.insert(tag)
                }
                let due = Set(model.filter { $0.value.time <= now }.keys)
                #expect(fired == due, "seed \(seed), step \(step)")
                for tag in due { model[tag] = nil }
            }
            #expect(wheel.count == model.count)
            if let earliest = model.values.map(\.time).min() {
                #expect((wheel.nextTime?.nanoseconds ?? .max) <= earliest)
            } else {
                #expect(wheel.nextTime == nil)
            }
        }
    }
}

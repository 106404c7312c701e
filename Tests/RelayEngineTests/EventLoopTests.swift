import CLinux
import Glibc
import Synchronization
import Testing

@testable import RelayEngine

struct EventLoopTests {
    @Test func `runs messages of many threads, each thread's in order`() throws {
        let system = LinuxSystemCalls()
        let group = try EventLoopGroup(count: 2, system: system)
        try group.start()
        let seen = Mutex<[[Int]]>([[], [], [], []])
        let isDone = CountingSemaphore()
        for thread in 0..<4 {
            let started = system.startThread(named: "poster") {
                for number in 0..<2000 {
                    group.loops[thread % 2].post { loop in
                        loop.assertOnLoop()
                        let count = seen.withLock { seen in
                            seen[thread].append(number)
                            return seen[thread].count
                        }
                        if count == 2000 { isDone.signal() }
                    }
                }
            }
            #expect(started.isSuccess)
        }
        for _ in 0..<4 { isDone.wait() }
        group.stop()
        #expect(seen.withLock { $0.allSatisfy { $0 == Array(0..<2000) } })
    }

    @Test func `serves connections of many loops on threads of their own`() throws {
        final class Echo: RelayEngine.Stream {
            override func received(_ input: Span<UInt8>) -> Int {
                self.write(input)
                return input.count
            }
            override func inputEnded() { self.close() }
        }
        final class Client: RelayEngine.Stream {
            var left = 50
            var finished: CountingSemaphore?
            override func connected() { self.write([0, 1, 2, 3].span) }
            override func received(_ input: Span<UInt8>) -> Int {
                guard input.count >= 4 else { return 0 }
                self.left -= 1
                if self.left == 0 { self.shutdownOutput() } else { self.write(input) }
                return 4
            }
            override func closed(_ reason: CloseReason) {
                if self.left == 0 { self.finished?.signal() }
            }
            override func inputEnded() { self.close() }
        }
        let system = LinuxSystemCalls()
        let group = try EventLoopGroup(count: 3, system: system)
        let listener = try Listener(
            settings: ListenerSettings(address: .loopback(port: 0)),
            system: system
        )
        listener.start(on: group) { accepted, loop in Echo(loop: loop, accepted: accepted) }
        try group.start()
        let finished = CountingSemaphore()
        for number in 0..<120 {
            group.loops[number % 3].post { loop in
                let client = Client(loop: loop)
                client.finished = finished
                client.connect(to: listener.address, deadline: loop.now + .seconds(60))
            }
        }
        for _ in 0..<120 { finished.wait() }
        let isClosed = CountingSemaphore()
        listener.close { isClosed.signal() }
        isClosed.wait()
        group.stop()
        #expect(group.loops.allSatisfy { $0.streamCount >= 0 })
    }

    @Test(arguments: World.unsplit)
    func `runs a message that a message posts in a later turn`(world: World) throws {
        let bed = try EngineBed(world)
        let order = Mutex<[Int]>([])
        bed.loop.post { loop in
            loop.post { _ in order.withLock { $0.append(2) } }
            order.withLock { $0.append(1) }
        }
        #expect(bed.loop.nextWakeTime == bed.loop.now)
        bed.loop.turn(waitingAtMost: nil)
        #expect(order.withLock { $0 } == [1])
        bed.loop.turn(waitingAtMost: nil)
        #expect(order.withLock { $0 } == [1, 2])
        #expect(bed.loop.nextWakeTime == nil)
    }

    @Test(arguments: World.unsplit)
    func `runs what loops post to each other in the order of posting`(world: World) throws {
        let bed = try EngineBed(world, loops: 2)
        let seen = Mutex<[Int]>([])
        for number in 0..<100 {
            bed.group.loops[0].post { _ in
                bed.group.loops[1].post { loop in
                    loop.assertOnLoop()
                    seen.withLock { $0.append(number) }
                }
            }
        }
        bed.run { seen.withLock { $0.count } == 100 }
        #expect(seen.withLock { $0 } == Array(0..<100))
    }

    @Test(arguments: World.unsplit)
    func `brings the results of one thread's jobs to a loop, in order`(world: World) throws {
        let bed = try EngineBed(world)
        let pool = WorkerPool(name: "test", threads: 1, queuedMax: 50, system: bed.system)
        let seen = Mutex<[Int]>([])
        let loop = bed.loop
        for number in 0..<50 {
            let isQueued = pool.run { loop.post { _ in seen.withLock { $0.append(number) } } }
            #expect(isQueued)
        }
        bed.run { seen.withLock { $0.count } == 50 }
        #expect(seen.withLock { $0 } == Array(0..<50))
        pool.stop()
    }

    @Test(arguments: World.unsplit)
    func `runs what waits for the end of a turn once`(world: World) throws {
        let bed = try EngineBed(world)
        var count = 0
        bed.loop.atEndOfTurn { count += 1 }
        bed.loop.turn(waitingAtMost: nil)
        bed.loop.turn(waitingAtMost: .zero)
        #expect(count == 1)
    }

    @Test(arguments: World.unsplit)
    func `fires timers in the order of their times, none early`(world: World) throws {
        final class Target: TimerTarget {
            let loop: EventLoop
            var fired: [(tag: UInt32, time: MonotonicTime)] = []
            init(_ loop: EventLoop) { self.loop = loop }
            func timerElapsed(_ tag: UInt32) { self.fired.append((tag, self.loop.now)) }
        }
        let bed = try EngineBed(world)
        let target = Target(bed.loop)
        let start = bed.loop.now
        for milliseconds in [70, 5, 3000, 64, 1] as [UInt32] {
            let time = start + .milliseconds(Int64(milliseconds))
            _ = bed.loop.arm(target, tag: milliseconds, at: time)
        }
        for _ in 0..<40 {
            bed.turn(waitingAtMost: .zero)
            bed.machine.advance(by: .milliseconds(100))
        }
        bed.turn(waitingAtMost: .zero)
        #expect(target.fired.map(\.tag) == [1, 5, 64, 70, 3000])
        #expect(target.fired.allSatisfy { $0.time >= start + .milliseconds(Int64($0.tag)) })
    }

    @Test func `sleeps until a timer, and no longer`() throws {
        final class Target: TimerTarget {
            var tags: [UInt32] = []
            func timerElapsed(_ tag: UInt32) { self.tags.append(tag) }
        }
        let bed = try EngineBed()
        let target = Target()
        let start = bed.system.monotonicTime()
        _ = bed.loop.arm(target, tag: 3, at: start + .milliseconds(20))
        while target.tags.isEmpty { bed.loop.turn(waitingAtMost: nil) }
        #expect(target.tags == [3])
        #expect(bed.system.monotonicTime() >= start + .milliseconds(20))
    }

    @Test(arguments: World.unsplit)
    func `reports signals as events`(world: World) throws {
        let bed = try EngineBed(world)
        var signals: [Int32] = []
        let source = try SignalSource([SIGUSR1], loop: bed.loop) { signals.append($0) }
        bed.machine.raise(SIGUSR1)
        bed.run { !signals.isEmpty }
        #expect(signals == [SIGUSR1])
        #expect(source.descriptor >= 0)
    }

    @Test func `gives pools a bounded queue and their jobs a thread`() throws {
        let system = LinuxSystemCalls()
        let pool = WorkerPool(name: "test", threads: 1, queuedMax: 2, system: system)
        let (isRunning, mayEnd, isDone) = (
            CountingSemaphore(), CountingSemaphore(), CountingSemaphore()
        )
        #expect(
            pool.run {
                isRunning.signal()
                mayEnd.wait()
            }
        )
        isRunning.wait()
        #expect(pool.run {})
        #expect(pool.run { isDone.signal() })
        #expect(!pool.run {})
        mayEnd.signal()
        isDone.wait()
        pool.stop()
        #expect(!pool.run {})
    }
}

struct IdleConnectionTests {
    /// The record of a connection that does nothing but wait.
    private final class Idle: RelayEngine.Stream {}

    @Test func `costs at most 400 bytes while it is idle`() throws {
        let bed = try EngineBed()
        let idle = Idle(loop: bed.loop)
        let object = unsafe malloc_usable_size(Unmanaged.passUnretained(idle).toOpaque())
        // A slot of the table and its place in the free list, a timer and its place, with the
        // quarter that arrays grow beyond on average.
        let slot = MemoryLayout<(UInt64, UInt64, UInt32)>.stride
        let timer = TimerWheel.bytesPerTimer
        #expect(object + (slot + timer) * 3 / 2 <= 400, "object \(object), timer \(timer)")
    }
}

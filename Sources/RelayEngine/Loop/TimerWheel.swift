/// A timer on a loop; a stale one is refused.
package struct TimerHandle: Hashable, Sendable {
    let slot: UInt32
    let generation: UInt32

    /// A handle that every loop refuses.
    package static let none = TimerHandle(slot: .max, generation: 0)
}

/// What a timer calls.
package protocol TimerTarget: AnyObject {
    /// The timer armed with `tag` has come; it is over and its handle is stale.
    func timerElapsed(_ tag: UInt32)
}

/// Timers in a hierarchy of wheels: arming, moving and cancelling cost the same however many there
/// are.
///
/// Time is counted in ticks of 1 ms. Level `n` has 64 lists, each for 64ⁿ ticks; a timer stands on the
/// level of the highest digit (base 64) in which its tick differs from the current one, and comes down
/// a level when that digit is reached. (As in tokio's and Linux's older timer wheels; Varghese and
/// Lauck, 'Hashed and Hierarchical Timing Wheels', 1987.)
struct TimerWheel {
    private struct Node {
        var tick: Int64 = 0
        var target: (any TimerTarget)?
        var tag: UInt32 = 0
        var generation: UInt32 = 1
        var next: Int32 = -1
        var previous: Int32 = -1
        /// The list that it stands in; -1 while it is free.
        var list: Int32 = -1
    }

    /// Seven digits of 64: 139 years, and what lies beyond is cut off.
    private static let levels = 7
    private static let ticksAheadMax: Int64 = 1 << 41

    private var nodes: [Node] = []
    private var free: Int32 = -1
    /// The first node of each list, level by level; -1 if empty.
    private var heads = [Int32](repeating: -1, count: levels * 64)
    /// A bit per list that has nodes.
    private var occupied = [UInt64](repeating: 0, count: levels)
    /// The current tick: every timer up to it has been given out.
    private var elapsed: Int64

    /// How many timers are armed.
    private(set) var count = 0

    /// What an armed timer costs.
    static var bytesPerTimer: Int { MemoryLayout<Node>.stride }

    init(now: MonotonicTime) {
        self.elapsed = now.nanoseconds / 1_000_000
    }

    /// Arms a timer.
    mutating func arm(_ target: any TimerTarget, tag: UInt32, at time: MonotonicTime) -> TimerHandle
    {
        let index: Int32
        if self.free >= 0 {
            index = self.free
            self.free = self.nodes[Int(index)].next
        } else {
            index = Int32(self.nodes.count)
            self.nodes.append(Node())
        }
        self.nodes[Int(index)].target = target
        self.nodes[Int(index)].tag = tag
        self.count += 1
        self.link(index, at: self.tick(of: time))
        return TimerHandle(slot: UInt32(index), generation: self.nodes[Int(index)].generation)
    }

    /// Moves a timer; false if the handle is stale.
    mutating func rearm(_ timer: TimerHandle, at time: MonotonicTime) -> Bool {
        guard let index = self.index(of: timer) else { return false }
        self.unlink(index)
        self.link(index, at: self.tick(of: time))
        return true
    }

    /// Removes a timer; false if the handle is stale.
    mutating func cancel(_ timer: TimerHandle) -> Bool {
        guard let index = self.index(of: timer) else { return false }
        self.unlink(index)
        self.release(index)
        return true
    }

    /// Takes out one timer that is due at `now`; nil if there is none.
    ///
    /// To be called until then.
    mutating func popDue(at now: MonotonicTime) -> (target: any TimerTarget, tag: UInt32)? {
        let nowTick = now.nanoseconds / 1_000_000
        while let next = self.nextList(), next.tick <= nowTick {
            self.elapsed = max(self.elapsed, next.tick)
            guard next.list < 64 else {
                self.bringDown(next.list)
                continue
            }
            let index = self.heads[next.list]
            self.unlink(index)
            let target = self.nodes[Int(index)].target
            let tag = self.nodes[Int(index)].tag
            self.release(index)
            if let target { return (target, tag) }
        }
        self.elapsed = max(self.elapsed, nowTick)
        return nil
    }

    /// A time at which `popDue` has work: the earliest timer's or, while that one stands on a
    /// higher level, an earlier one at which it comes down.
    ///
    /// Nil without timers.
    var nextTime: MonotonicTime? {
        self.nextList().map { MonotonicTime(nanoseconds: $0.tick * 1_000_000) }
    }
}

extension TimerWheel {
    /// The first tick that does not come before `time`, so that no timer is early, and at least the
    /// next one, so that a timer armed by a timer waits for the next turn.
    private func tick(of time: MonotonicTime) -> Int64 {
        let rounded = time.nanoseconds / 1_000_000 + (time.nanoseconds % 1_000_000 > 0 ? 1 : 0)
        return min(max(rounded, self.elapsed + 1), self.elapsed + TimerWheel.ticksAheadMax)
    }

    private func index(of timer: TimerHandle) -> Int32? {
        let index = Int(timer.slot)
        guard index < self.nodes.count, self.nodes[index].generation == timer.generation,
            self.nodes[index].list >= 0
        else { return nil }
        return Int32(index)
    }

    private mutating func release(_ index: Int32) {
        let free = self.free
        var nodes = self.nodes.mutableSpan
        nodes[Int(index)].target = nil
        nodes[Int(index)].generation &+= 1
        nodes[Int(index)].next = free
        self.free = index
        self.count -= 1
    }

    /// Puts a node into the list of `tick`, which is not before the current one.
    private mutating func link(_ index: Int32, at tick: Int64) {
        let difference = UInt64(bitPattern: self.elapsed ^ tick) | 63
        let level = min((63 - difference.leadingZeroBitCount) / 6, TimerWheel.levels - 1)
        let digit = Int(tick >> (level * 6)) & 63
        let list = level * 64 + digit
        let head = self.heads[list]
        var nodes = self.nodes.mutableSpan
        nodes[Int(index)].tick = tick
        nodes[Int(index)].next = head
        nodes[Int(index)].previous = -1
        nodes[Int(index)].list = Int32(list)
        if head >= 0 { nodes[Int(head)].previous = index }
        self.heads[list] = index
        self.occupied[level] |= 1 << UInt64(digit)
    }

    private mutating func unlink(_ index: Int32) {
        // Field by field: a copy of the node would count a reference to its target.
        var nodes = self.nodes.mutableSpan
        let next = nodes[Int(index)].next
        let previous = nodes[Int(index)].previous
        let list = Int(nodes[Int(index)].list)
        nodes[Int(index)].list = -1
        if next >= 0 { nodes[Int(next)].previous = previous }
        if previous >= 0 {
            nodes[Int(previous)].next = next
        } else {
            self.heads[list] = next
            if next < 0 { self.occupied[list / 64] &= ~(1 << UInt64(list % 64)) }
        }
    }

    /// The first list that has nodes, and the tick at which it is due.
    private func nextList() -> (list: Int, tick: Int64)? {
        if self.count == 0 { return nil }
        // Lower levels hold what lies within the current digit of the next one, so come first.
        for level in 0..<TimerWheel.levels where self.occupied[level] != 0 {
            let shift = level * 6
            let current = Int(self.elapsed >> shift) & 63
            let bits = self.occupied[level]
            let rotated = current == 0 ? bits : (bits >> current) | (bits << (64 - current))
            let digit = (current + rotated.trailingZeroBitCount) & 63
            let start = (self.elapsed >> (shift + 6)) << (shift + 6)
            var tick = start + (Int64(digit) << shift)
            // Only the top level wraps around.
            if digit < current { tick += 1 << (shift + 6) }
            return (level * 64 + digit, tick)
        }
        return nil
    }

    /// Distributes a list of a higher level, whose digit is now the current one, over lower levels.
    private mutating func bringDown(_ list: Int) {
        while self.heads[list] >= 0 {
            let index = self.heads[list]
            self.unlink(index)
            self.link(index, at: self.nodes[Int(index)].tick)
        }
    }
}

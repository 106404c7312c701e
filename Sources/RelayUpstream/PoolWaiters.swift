import DequeModule
import RelayEngine

/// Who waits until a pool may be usable again.
package protocol PoolWaiter: AnyObject {
    /// Try `pickTarget` again; it may still say nil, and then wait again.
    func poolMayBeUsable(_ pool: UpstreamPool)
}

/// Those who wait on one loop until a target may be usable, longest first, and what will wake them.
struct PoolWaiters {
    /// Whether the other loops know that somebody waits here.
    var isRegistered = false
    /// Whether the end of this turn will call them.
    var isNotifying = false
    /// Comes when the next probe is due.
    var timer = TimerHandle.none

    private var waiters: Deque<any PoolWaiter> = []

    /// How many are called in one turn at most; each may send a request.
    static let callsInTurnMax = 256

    /// How many wait.
    var count: Int { self.waiters.count }

    /// One more waits.
    mutating func append(_ waiter: any PoolWaiter) { self.waiters.append(waiter) }

    /// The one who has waited longest waits no longer.
    mutating func popFirst() -> (any PoolWaiter)? { self.waiters.popFirst() }

    /// One waits no longer; nothing if it did not wait.
    mutating func remove(_ waiter: any PoolWaiter) {
        guard let index = self.waiters.firstIndex(where: { $0 === waiter }) else { return }
        self.waiters.remove(at: index)
    }
}

package import RelayUpstream

/// What the packet relay needs of a pool of targets on its loop: `UpstreamPool`, or a test's.
package protocol TargetPool: AnyObject {
    /// How many targets it has.
    var targetCount: Int { get }

    /// See `UpstreamPool.pickTarget`.
    func pickTarget(excluding tried: TargetSet, key: BalanceKey?) -> Int?

    /// See `UpstreamPool.wait`.
    func wait(_ waiter: any PoolWaiter)

    /// See `UpstreamPool.cancelWait`.
    func cancelWait(_ waiter: any PoolWaiter)

    /// See `UpstreamPool.start`.
    func start(_ request: UpstreamRequest)

    /// See `UpstreamPool.cancel`.
    func cancel(_ request: UpstreamRequest)
}

extension UpstreamPool: TargetPool {}

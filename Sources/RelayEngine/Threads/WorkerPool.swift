import Synchronization

/// Threads of one purpose for work that blocks, with a bounded queue before them.
///
/// From any thread. A job gives its result to a loop by `EventLoop.post`.
public final class WorkerPool: Sendable {
    /// What it is for; also the name of its threads.
    public let name: String
    /// How many jobs run at once.
    public let threads: Int

    /// Makes the pool and has `system` start its threads. `queuedMax` jobs may wait.
    package init(name: String, threads: Int, queuedMax: Int, system: SystemCalls) { fatalError() }

    /// Queues `job`; false if the queue is full or the pool is stopped, and then it will never run.
    package func run(_ job: @escaping @Sendable () -> Void) -> Bool { fatalError() }

    /// Runs what is queued, then ends the threads. Returns at once; later jobs are refused.
    package func stop() { fatalError() }

    /// Takes the oldest job and runs it; false if there was none. For the simulated system.
    public func runNext() -> Bool { fatalError() }

    /// Runs jobs as they come until the pool is stopped: the body of its threads on Linux.
    public func serve() { fatalError() }
}

import DequeModule
import Glibc
import Synchronization

/// Threads of one purpose for work that blocks, with a bounded queue before them.
///
/// From any thread. A job gives its result to a loop by `EventLoop.post`.
public final class WorkerPool: Sendable {
    /// What it is for; also the name of its threads.
    public let name: String
    /// How many jobs run at once.
    public let threads: Int

    private struct State {
        var jobs: Deque<@Sendable () -> Void> = []
        var isStopped = false
    }

    private let queuedMax: Int
    private let system: SystemCalls
    private let state = Mutex(State())
    private let available = CountingSemaphore()

    /// Makes the pool and has `system` start its threads.
    ///
    /// `queuedMax` jobs may wait.
    package init(name: String, threads: Int, queuedMax: Int, system: SystemCalls) {
        self.name = name
        self.threads = threads
        self.queuedMax = queuedMax
        self.system = system
        system.startWorkers(self)
    }

    /// Queues `job`; false if the queue is full or the pool is stopped, and then it will never run.
    package func run(_ job: @escaping @Sendable () -> Void) -> Bool {
        let isQueued = self.state.withLock { state in
            guard !state.isStopped, state.jobs.count < self.queuedMax else { return false }
            state.jobs.append(job)
            return true
        }
        if isQueued { self.system.jobAdded(to: self) }
        return isQueued
    }

    /// Runs what is queued, then ends the threads.
    ///
    /// Returns at once; later jobs are refused.
    package func stop() {
        let wasStopped = self.state.withLock { state in
            defer { state.isStopped = true }
            return state.isStopped
        }
        if wasStopped { return }
        for _ in 0..<self.threads { self.available.signal() }
    }

    /// Takes the oldest job and runs it; false if there was none.
    ///
    /// For the simulated system.
    public func runNext() -> Bool {
        guard let job = self.state.withLock({ $0.jobs.popFirst() }) else { return false }
        job()
        return true
    }

    /// Runs jobs as they come until the pool is stopped: the body of its threads on Linux.
    public func serve() {
        while true {
            self.available.wait()
            // Signals are as many as jobs and, once stopped, one more for each thread.
            if !self.runNext(), self.state.withLock({ $0.isStopped }) { return }
        }
    }

    /// Lets one thread take a job.
    func wakeOne() {
        self.available.signal()
    }
}

/// A semaphore of sem_overview(7).
///
/// `@unchecked Sendable`: sem_post and sem_wait are made for several threads, and the pointer never
/// changes. `@safe`: it is private and lives as long as the object.
@safe
final class CountingSemaphore: @unchecked Sendable {
    private let semaphore: UnsafeMutablePointer<sem_t>

    init() {
        unsafe self.semaphore = .allocate(capacity: 1)
        unsafe sem_init(self.semaphore, 0, 0)
    }

    deinit {
        unsafe sem_destroy(self.semaphore)
        unsafe self.semaphore.deallocate()
    }

    func signal() {
        unsafe sem_post(self.semaphore)
    }

    func wait() {
        while unsafe sem_wait(self.semaphore) != 0 {}
    }
}

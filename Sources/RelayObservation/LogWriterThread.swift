import CLinux
import Glibc

/// Starts threads that write: the one of a log, those of a store.
///
/// This module stands below the engine and its system calls, and a log must work before and after
/// them.
package enum Writer {
    /// Runs `body` on a thread of its own, with all signals blocked.
    ///
    /// - Parameter name: what tools show, at most 15 bytes.
    package static func start(
        named name: StaticString,
        _ body: @escaping @Sendable () -> Void
    ) {
        var all = sigset_t()
        var before = sigset_t()
        unsafe sigfillset(&all)
        unsafe pthread_sigmask(SIG_BLOCK, &all, &before)
        defer { _ = unsafe pthread_sigmask(SIG_SETMASK, &before, nil) }
        let start = unsafe Unmanaged.passRetained(Body(body))
        var thread = pthread_t()
        let status = unsafe pthread_create(
            &thread,
            nil,
            { argument in
                if let argument = unsafe argument {
                    unsafe Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run()
                }
                return nil
            },
            unsafe start.toOpaque()
        )
        precondition(status == 0, "the thread \(name) could not be started")
        unsafe relay_name_thread(thread, "\(name)")
        pthread_detach(thread)
    }

    private final class Body: Sendable {
        let run: @Sendable () -> Void

        init(_ run: @escaping @Sendable () -> Void) {
            self.run = run
        }
    }
}

/// What the writer sleeps on: a semaphore of sem_overview(7).
///
/// `@unchecked Sendable`: sem_post and sem_wait are made for several threads, and the pointer never
/// changes. `@safe`: it is private and lives as long as the object.
@safe
package final class WriterWake: @unchecked Sendable {
    private let semaphore: UnsafeMutablePointer<sem_t>

    /// Nobody has signalled.
    package init() {
        unsafe self.semaphore = .allocate(capacity: 1)
        unsafe sem_init(self.semaphore, 0, 0)
    }

    deinit {
        unsafe sem_destroy(self.semaphore)
        unsafe self.semaphore.deallocate()
    }

    /// Ends one `wait`, this one or the next.
    package func signal() {
        unsafe sem_post(self.semaphore)
    }

    /// Sleeps until somebody signals.
    package func wait() {
        while unsafe sem_wait(self.semaphore) != 0 {}
    }

    /// Sleeps until somebody signals, and not much longer than so many milliseconds.
    package func wait(milliseconds: Int) {
        var end = timespec()
        unsafe clock_gettime(CLOCK_REALTIME, &end)
        let nanoseconds = end.tv_nsec + milliseconds % 1000 * 1_000_000
        end.tv_sec += milliseconds / 1000 + nanoseconds / 1_000_000_000
        end.tv_nsec = nanoseconds % 1_000_000_000
        while unsafe sem_timedwait(self.semaphore, &end) != 0, errno == EINTR {}
    }
}

import Glibc

/// A value that threads share, and on which they wait for each other.
@safe
final class Monitor<Value>: @unchecked Sendable {
    // Safe to share: `value` is touched only with `mutex` locked, and neither of the two pointers
    // changes while the monitor lives.
    private var value: Value
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    init(_ value: sending Value) {
        self.value = value
        unsafe pthread_mutex_init(self.mutex, nil)
        var attributes = pthread_condattr_t()
        unsafe pthread_condattr_init(&attributes)
        unsafe pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        unsafe pthread_cond_init(self.changed, &attributes)
        unsafe pthread_condattr_destroy(&attributes)
    }

    deinit {
        unsafe pthread_cond_destroy(self.changed)
        unsafe pthread_mutex_destroy(self.mutex)
        unsafe self.changed.deallocate()
        unsafe self.mutex.deallocate()
    }

    /// Runs `body` alone, and wakes who waits for a change.
    func update<Result>(_ body: (inout Value) throws -> sending Result) rethrows -> sending Result {
        unsafe pthread_mutex_lock(self.mutex)
        defer {
            unsafe pthread_cond_broadcast(self.changed)
            unsafe pthread_mutex_unlock(self.mutex)
        }
        return try body(&self.value)
    }

    /// Waits until `body` gives something, and returns that; nil if `deadline` comes first.
    func wait<Result>(
        until deadline: Deadline,
        for body: (inout Value) throws -> sending Result?
    ) rethrows -> sending Result? {
        unsafe pthread_mutex_lock(self.mutex)
        defer {
            unsafe pthread_cond_broadcast(self.changed)
            unsafe pthread_mutex_unlock(self.mutex)
        }
        var moment = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &moment)
        let left = deadline.left.components
        moment.tv_sec += Int(left.seconds)
        moment.tv_nsec += Int(left.attoseconds / 1_000_000_000)
        if moment.tv_nsec >= 1_000_000_000 {
            moment.tv_sec += 1
            moment.tv_nsec -= 1_000_000_000
        }
        while true {
            if let result = try body(&self.value) { return result }
            let code = unsafe pthread_cond_timedwait(self.changed, self.mutex, &moment)
            if code == ETIMEDOUT { return try body(&self.value) }
        }
    }
}

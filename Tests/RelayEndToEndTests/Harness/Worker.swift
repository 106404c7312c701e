import Glibc

/// Work on a thread of its own, whose result is waited for.
///
/// The threads of Swift's own pool are as few as the processors, and these block.
struct Worker<Result: Sendable>: Sendable {
    private let outcome = Monitor<Swift.Result<Result, any Error>?>(nil)

    /// Starts `body`.
    init(_ body: @escaping @Sendable () throws -> Result) {
        let outcome = self.outcome
        OwnThread.start {
            let result = Swift.Result { try body() }
            outcome.update { $0 = result }
        }
    }

    /// Waits for the end and gives the result, or the error.
    func result(by deadline: Deadline = .after(.seconds(60))) throws -> Result {
        guard let outcome = self.outcome.wait(until: deadline, for: { $0 }) else {
            throw Failure("a worker did not end in time")
        }
        return try outcome.get()
    }
}

/// Detached threads.
enum OwnThread {
    /// Runs `body` on a new thread.
    static func start(_ body: @escaping @Sendable () -> Void) {
        final class Box {
            let body: @Sendable () -> Void
            init(_ body: @escaping @Sendable () -> Void) { self.body = body }
        }
        var attributes = pthread_attr_t()
        unsafe pthread_attr_init(&attributes)
        unsafe pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        var thread = pthread_t()
        // The box is given to the thread, which takes it over.
        let box = unsafe Unmanaged.passRetained(Box(body)).toOpaque()
        let code = unsafe pthread_create(
            &thread,
            &attributes,
            { argument in
                guard let argument = unsafe argument else { return nil }
                unsafe Unmanaged<Box>.fromOpaque(argument).takeRetainedValue().body()
                return nil
            },
            box
        )
        unsafe pthread_attr_destroy(&attributes)
        precondition(code == 0, "no thread: \(code)")
    }
}

/// Something that a test cannot go on without did not happen.
struct Failure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

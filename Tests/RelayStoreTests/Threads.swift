import Glibc

/// Runs `body` on `count` threads at the same time and waits for all of them.
///
/// - Parameter body: gets the number of its thread, `0..<count`.
func onThreads(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
    let threads = (0..<count).map { index in
        let work = unsafe Unmanaged.passRetained(Work { body(index) })
        var thread = pthread_t()
        // The thread takes over the reference that was retained for it.
        let status = unsafe pthread_create(
            &thread,
            nil,
            { pointer in
                if let pointer = unsafe pointer {
                    unsafe Unmanaged<Work>.fromOpaque(pointer).takeRetainedValue().run()
                }
                return nil
            },
            work.toOpaque()
        )
        precondition(status == 0, "a thread could not be made")
        return thread
    }
    for thread in threads { pthread_join(thread, nil) }
}

private final class Work: Sendable {
    let run: @Sendable () -> Void

    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}

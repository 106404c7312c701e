/// Turns host names into addresses, on four threads of its own.
///
/// One name is under way at most once, however many ask. A waiter gets its answer after 5 s at the
/// latest: the last good addresses of the name if there are any, else a failure. From any thread.
package final class Resolver: Sendable {
    /// Makes a resolver that looks names up through `system`.
    package init(system: SystemCalls) { fatalError() }

    /// Looks `host` up and calls `completion` on `loop`, in a later turn.
    ///
    /// A numeric address answers itself. The addresses have port 0 and are never empty. When a look-up fails
    /// and an earlier one succeeded, the earlier addresses are the answer.
    package func resolve(
        _ host: String,
        on loop: EventLoop,
        _ completion: @escaping @Sendable (NameLookup, EventLoop) -> Void
    ) {
        fatalError()
    }

    /// Ends its threads.
    package func stop() { fatalError() }
}

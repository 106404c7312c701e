/// The loops of the process, made together, in order of their index.
package final class EventLoopGroup: Sendable {
    /// The loops; at least one.
    package let loops: [EventLoop]
    /// The system that they call.
    package let system: SystemCalls

    /// Makes `count` loops (at least 1). Throws if descriptors or memory have run out.
    package init(count: Int, system: SystemCalls) throws(SystemError) { fatalError() }

    /// Starts a thread per loop, named `loop-N`.
    package func start() throws(SystemError) { fatalError() }

    /// Stops all loops and waits until their threads have left them. Not from a loop.
    package func stop() { fatalError() }

    /// The loop with the fewest streams.
    package var leastLoaded: EventLoop { fatalError() }
}

/// The loops of the process, made together, in order of their index.
package final class EventLoopGroup: Sendable {
    /// The loops; at least one.
    package let loops: [EventLoop]
    /// The system that they call.
    package let system: SystemCalls

    private let ended = CountingSemaphore()

    /// Makes `count` loops (at least 1).
    ///
    /// Throws if descriptors or memory have run out.
    package init(count: Int, system: SystemCalls) throws(SystemError) {
        precondition(count > 0, "a group has at least one loop")
        self.system = system
        var loops: [EventLoop] = []
        for index in 0..<count {
            loops.append(try EventLoop(index: index, system: system))
        }
        self.loops = loops
    }

    /// Starts a thread per loop, named `loop-N`.
    package func start() throws(SystemError) {
        for loop in self.loops {
            let started = self.system.startThread(named: "loop-\(loop.index)") {
                loop.run()
                self.ended.signal()
            }
            if let error = started.error { throw error }
        }
    }

    /// Stops all loops and waits until their threads have left them.
    ///
    /// Once, after `start`, and not from a loop.
    package func stop() {
        for loop in self.loops { loop.stop() }
        for _ in self.loops { self.ended.wait() }
    }

    /// The loop with the fewest streams; from any thread.
    package var leastLoaded: EventLoop {
        var least = self.loops[0]
        var leastCount = least.streamCount
        for loop in self.loops.dropFirst() where loop.streamCount < leastCount {
            least = loop
            leastCount = loop.streamCount
        }
        return least
    }
}

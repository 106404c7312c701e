/// A listening socket, accepted from by every loop of a group.
///
/// The socket stands level-triggered and exclusive in every loop's epoll; a loop that holds many more
/// connections than the least loaded hands a new descriptor over before it reads from it. When
/// descriptors or kernel memory run out, accepting pauses and goes on by itself.
///
/// **Threads**: every method may be called from any thread.
package final class Listener: Sendable {
    /// Makes the stream of an accepted socket; called on the loop that will own it.
    package typealias StreamFactory =
        @Sendable (_ accepted: AcceptedSocket, _ loop: EventLoop) ->
        Stream

    /// The address that it listens on, with the port that the system chose if 0 was asked for.
    package let address: SocketAddress

    /// Opens a listening socket.
    ///
    /// `overlapping` are the listeners of this process whose address overlaps (see
    /// `SocketAddress.overlaps`): the port is then shared with them until they are closed. Without
    /// any, a port that is in use is an error. A unix socket file that nobody answers is replaced,
    /// one that answers is an error.
    package init(
        settings: ListenerSettings,
        overlapping: [Listener] = [],
        system: SystemCalls
    ) throws(ListenError) {
        fatalError()
    }

    /// Takes over a listening socket that this process was given (socket activation).
    package init(
        adopting descriptor: Descriptor,
        settings: ListenerSettings,
        system: SystemCalls
    )
        throws(ListenError)
    {
        fatalError()
    }

    /// Begins to accept, on every loop of `group`. Once.
    package func start(on group: EventLoopGroup, makeStream: @escaping StreamFactory) {
        fatalError()
    }

    /// How many of its connections may be open at once; further ones wait in the kernel's queue.
    package var connectionsMax: Int {
        get { fatalError() }
        set { fatalError() }
    }

    /// How many of its connections are open.
    package var connectionsOpen: Int { fatalError() }

    /// How often accepting has paused because descriptors or kernel memory ran out.
    package var exhaustionPauses: Int { fatalError() }

    /// Stops accepting until `resumeAccepting`; the kernel goes on queueing.
    package func pauseAccepting() { fatalError() }

    /// Goes on accepting.
    package func resumeAccepting() { fatalError() }

    /// Accepts what the kernel has queued, closes the socket (and removes a unix socket's file), then
    /// calls `completion` on one of the loops. Connections stay. Once; later calls do nothing.
    package func close(_ completion: @escaping @Sendable () -> Void = {}) { fatalError() }
}

/// What a listener needs to know.
package struct ListenerSettings: Hashable, Sendable {
    /// Where to listen; port 0 lets the system choose.
    package var address: SocketAddress
    /// Connections open at once.
    package var connectionsMax: Int = 100_000
    /// Connections that the kernel queues before they are accepted.
    package var backlog: Int32 = 4096
    /// The mode of a unix socket's file.
    package var unixMode: UInt32 = 0o660

    /// Listens on `address`, the rest by default.
    package init(address: SocketAddress) {
        self.address = address
    }
}

/// Why a listener could not be opened.
package struct ListenError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The address asked for.
    package let address: SocketAddress
    /// Which system call failed: `bind`, `listen`, ….
    package let operation: String
    /// Why it failed.
    package let cause: SystemError

    /// One sentence for the operator.
    package var description: String { fatalError() }
}

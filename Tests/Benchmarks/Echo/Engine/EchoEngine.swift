import Glibc
import RelayEngine

/// An echo server on one loop: `EchoEngine CONNECTIONS` prints its port, serves that many connections
/// and ends with the last.
@main
enum EchoEngine {
    static func main() throws {
        guard CommandLine.arguments.count == 2, let connections = Int(CommandLine.arguments[1])
        else { return print("usage: EchoEngine CONNECTIONS") }
        let system = LinuxSystemCalls()
        let group = try EventLoopGroup(count: 1, system: system)
        let listener = try Listener(
            settings: ListenerSettings(address: .loopback(port: 0)),
            system: system
        )
        let counter = OpenConnections(count: connections)
        listener.start(on: group) { accepted, loop in
            EchoStream(loop: loop, accepted: accepted, counter: counter)
        }
        print(listener.address.port)
        fflush(nil)
        let loop = group.loops[0]
        while counter.count > 0 { loop.turn(waitingAtMost: nil) }
    }
}

/// How many connections are still to come or to end.
///
/// `@unchecked Sendable`: the only loop runs on the main thread.
private final class OpenConnections: @unchecked Sendable {
    var count: Int

    init(count: Int) {
        self.count = count
    }
}

/// Sends back what it receives.
private final class EchoStream: RelayEngine.Stream {
    private let counter: OpenConnections

    init(loop: EventLoop, accepted: AcceptedSocket, counter: OpenConnections) {
        self.counter = counter
        super.init(loop: loop, accepted: accepted)
    }

    override func received(_ input: Span<UInt8>) -> Int {
        self.write(input)
        return input.count
    }

    override func inputEnded() {
        self.close()
    }

    override func closed(_ reason: CloseReason) {
        self.counter.count -= 1
    }
}

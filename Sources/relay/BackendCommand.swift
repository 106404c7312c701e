import ArgumentParser
import Glibc
import RelayConfig
import RelayEngine
import RelayPipeline
import RelayServer

/// `relay backend`: a small backend for trying things out.
struct BackendCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backend",
        abstract: "Run a demonstration backend: it lets everybody in and gives packets back.",
        discussion: """
            A client's id is what its login says, or a made up one if that is empty. A packet goes back to its \
            sender, or, with the header X-Deliver-To, to the client that it names.
            """
    )

    @Option(help: "Where the backend listens.")
    var listen = "127.0.0.1:9001"

    func run() throws {
        let bind: BindAddress
        do {
            bind = try BindAddress(argument: self.listen, named: "--listen")
        } catch {
            throw ValidationError(error.description)
        }
        let group = try EventLoopGroup(count: 1, system: LinuxSystemCalls())
        let loop = group.loops[0]
        let signals = try SignalSource([SIGTERM, SIGINT], loop: loop) { _ in loop.stop() }
        let server = Server(group: group)
        var listener = ListenerConfiguration(name: "backend", bind: bind, pipeline: [])
        // What relay sends is bounded by relay's own configuration.
        listener.limits.bodyBytesMax = 1 << 30
        listener.limits.bufferedBytesMax = 1 << 31
        let prepared = try server.prepare([listener])
        server.commit(prepared) { listener, place in
            ListenerContext(
                configuration: listener,
                pipeline: Pipeline([Pipeline.Step(EchoStage())]),
                shared: place.shared,
                exchanges: place.exchanges
            )
        }
        let addresses = server.addresses.map(\.description).joined(separator: ", ")
        StandardStream.error.report("backend: listening on \(addresses)")
        loop.run()
        withExtendedLifetime(signals) {}
    }
}

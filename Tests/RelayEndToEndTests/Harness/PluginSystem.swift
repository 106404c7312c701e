import Glibc
import Testing

/// A relay with one plugin, in front of rules that answer by themselves and of a target that a test may play.
final class PluginSystem {
    let folder: TemporaryFolder
    let relay: RelayProcess
    let address: Address
    let target: Address
    private let path: String

    /// The library of a plugin that this build has made.
    static func library(_ name: String) -> String {
        let folder = RelayProgram.path.split(separator: "/").dropLast().map { "/\($0)" }.joined()
        return "\(folder)/lib\(name).so"
    }

    /// The file with a plugin.
    ///
    /// - Parameters:
    ///   - library: its file.
    ///   - config: what stands in the braces of `config`.
    ///   - keys: what stands beside `library`, and ends in a comma.
    ///   - stage: what stands in the braces of the stage, behind its name.
    static func text(
        _ host: LoopbackHost,
        library: String,
        config: String,
        keys: String = "",
        stage: String = ""
    ) -> String {
        """
        version: 1
        workers: 2
        log: { level: info }
        admin: { bind: "\(host.at(9901))" }
        plugins:
          one: { library: "\(library)", \(keys) config: { \(config) } }
        listeners:
          web:
            bind: "\(host.at(8080))"
            pipeline:
              - { plugin: one\(stage.isEmpty ? "" : ", \(stage)") }
              - route:
                  - { match: { path: /ping }, respond: { status: 200, body: "pong" } }
                  - pool: app
        pools:
          app: { targets: [ { url: "http://\(host.at(9001))" } ] }
        """
    }

    private init(_ host: LoopbackHost, _ folder: TemporaryFolder, _ text: String) throws {
        self.folder = folder
        self.path = try folder.write(text, to: "relay.yaml")
        self.address = host.at(8080)
        self.target = host.at(9001)
        self.relay = try RelayProcess(file: self.path, admin: host.at(9901))
    }

    /// Runs `body` with a relay that has the plugin `library` of this build; it must still run then.
    static func run(
        _ library: String = "relay_behaving",
        config: String = "",
        keys: String = "",
        stage: String = "",
        _ body: (PluginSystem) throws -> Void
    ) throws {
        let host = try LoopbackHost.unique()
        let folder = try TemporaryFolder()
        let copy = "\(folder.path)/plugin.so"
        try Self.copy(Self.library(library), to: copy)
        let text = Self.text(host, library: copy, config: config, keys: keys, stage: stage)
        let system = try PluginSystem(host, folder, text)
        do {
            try body(system)
        } catch {
            system.relay.readLog()
            throw Failure("\(error); relay's log:\n\(system.relay.log)")
        }
        guard system.relay.child.exit != nil || system.relay.child.isRunning else {
            let exit = try system.relay.child.waitForExit()
            throw Failure("relay has ended with \(exit):\n\(system.relay.log)")
        }
        if system.relay.child.exit == nil {
            system.relay.signal(SIGKILL)
            _ = try system.relay.child.waitForExit()
        }
    }

    /// Copies a file, over what is there.
    static func copy(_ source: String, to target: String, mode: String = "644") throws {
        let install = try ChildProcess("/usr/bin/install", ["-m", mode, source, target])
        guard try install.waitForExit() == .code(0) else { throw Failure(install.errorText) }
    }

    /// Replaces the file.
    func rewrite(_ text: String) throws { try self.folder.write(text, to: "relay.yaml") }

    /// One request on a connection of its own.
    func exchange(_ request: Request) throws -> Message {
        try TestClient.exchange(request, with: self.address)
    }

    /// Asks for a path and expects this body.
    func expect(
        _ text: String,
        at path: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let answer = try self.exchange(.get(path))
        #expect(answer.text == text, sourceLocation: sourceLocation)
    }
}

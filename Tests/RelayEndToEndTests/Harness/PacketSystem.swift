import Glibc

/// A relay with a backend behind it, at addresses of their own.
final class PacketSystem {
    let host: LoopbackHost
    let folder: TemporaryFolder
    let backend: TestBackend
    private(set) var relay: RelayProcess
    /// The file that relay runs with.
    private(set) var file: RelayFile

    /// Where clients go.
    var address: Address { self.file.listenerAddress }

    private init(
        _ configure: (inout RelayFile) -> Void,
        script: @escaping TestBackend.Script
    ) throws {
        self.host = try LoopbackHost.unique()
        self.folder = try TemporaryFolder()
        self.file = RelayFile(self.host)
        configure(&self.file)
        self.backend = try TestBackend(self.host.at(9001), script: script)
        let path = try self.folder.write(self.file.text, to: "relay.yaml")
        self.relay = try RelayProcess(file: path, admin: self.file.adminAddress)
    }

    /// Runs `body` with a system that ends with it; relay must still run then, unless `body` has
    /// ended it.
    static func run(
        _ configure: (inout RelayFile) -> Void = { _ in },
        script: @escaping TestBackend.Script = TestBackend.demonstration,
        _ body: (PacketSystem) throws -> Void
    ) throws {
        let system = try PacketSystem(configure, script: script)
        do {
            try body(system)
        } catch {
            system.relay.readLog()
            throw Failure("\(error); relay's log:\n\(system.relay.log)")
        }
        if system.relay.child.exit == nil, !system.relay.child.isRunning {
            let exit = try system.relay.child.waitForExit()
            throw Failure("relay has ended with \(exit):\n\(system.relay.log)")
        }
        system.relay.signal(SIGKILL)
        _ = try system.relay.child.waitForExit()
        system.backend.stop()
    }

    /// Ends relay with a signal and starts it again, with the same file.
    func restart(by signal: Int32, environment: [String: String] = [:]) throws {
        self.relay.signal(signal)
        _ = try self.relay.child.waitForExit()
        let path = "\(self.folder.path)/relay.yaml"
        self.relay = try RelayProcess(
            file: path,
            admin: self.file.adminAddress,
            environment: environment
        )
    }

    /// Replaces the file by a changed one; relay does not know yet.
    func rewrite(_ change: (inout RelayFile) -> Void) throws {
        change(&self.file)
        try self.folder.write(self.file.text, to: "relay.yaml")
    }

    /// Reloads by SIGHUP, and returns when that is done: the log says which generation it is.
    func reloadBySignal() throws {
        self.relay.readLog()
        let start = self.relay.lines.count
        self.relay.signal(SIGHUP)
        try self.relay.waitForLine(containing: "generation", from: start)
    }

    /// A connection to relay.
    func client(receiveBuffer: Int32? = nil) throws -> TestClient {
        try TestClient(self.address, receiveBuffer: receiveBuffer)
    }

    /// One request on a connection of its own.
    func exchange(_ request: Request) throws -> Message {
        try TestClient.exchange(request, with: self.address)
    }

    /// Logs in and gives the token.
    func logIn(_ name: String, permissions: String? = nil) throws -> String {
        let answer = try self.exchange(.login(name, permissions: permissions))
        guard answer.status == 200 else { throw Failure("login: \(answer)") }
        return answer.text
    }

}

extension PacketSystem {
    /// Sends packets by the session `sender`, which the demonstration backend gives to `recipient`;
    /// returns when they wait there.
    func send(_ texts: [String], to recipient: String, by sender: String) throws {
        let client = try self.client()
        defer { client.stream.close() }
        for text in texts {
            let packet = Request.packet(sender, text, wait: 0).with("X-Deliver-To", recipient)
            let answer = try client.exchange(packet)
            guard answer.status == 200 else { throw Failure("packet: \(answer)") }
        }
        // The packets of a client go one by one: when this one is out, the ones before are answered.
        let mark = "mark \(self.backend.packets.count)"
        let answer = try client.exchange(
            .packet(sender, mark, wait: 0).with("X-Silent", "1")
        )
        guard answer.status == 200 else { throw Failure("packet: \(answer)") }
        try self.backend.waitForRequests { $0.contains { $0.message.text == mark } }
    }

    /// Asks for `count` packets on one connection, and closes it.
    func receive(_ count: Int, _ token: String) throws -> [Message] {
        let client = try self.client()
        defer { client.stream.close() }
        return try (0..<count).map { _ in
            let answer = try client.exchange(.poll(token))
            guard answer.field("Packet-Id") != nil else { throw Failure("no packet: \(answer)") }
            return answer
        }
    }
}

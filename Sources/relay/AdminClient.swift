import ArgumentParser
import RelayConfig
import RelayHTTP
import RelayUpstream

/// Asks the running relay through the admin address of its configuration.
final class AdminClient {
    private let client: PacketClient
    private let address: String
    private var fields = FieldLines()

    private static let timeout: Duration = .seconds(60)

    /// A client of the relay that runs with this configuration, which must be a good one.
    init(_ file: ConfigurationFile) throws {
        let loaded = Configuration.load(path: file.path, environment: Environment.current)
        guard let configuration = loaded.configuration else {
            for diagnostic in loaded.diagnostics {
                StandardStream.error.report(diagnostic.description)
            }
            throw ExitCode(ExitStatus.configuration)
        }
        guard let admin = configuration.admin else {
            throw ClientRefusal(reason: "\(file.path) has no section 'admin', where relay is asked")
        }
        let url = TargetURL(admin: admin.bind)
        self.address = url.text
        self.client = try PacketClient(url: url)
        try self.fields.append("Relay-Admin", "1")
        if let token = admin.token {
            try self.fields.append("Authorization", "Bearer \(token.revealed)")
        }
    }

    /// What relay answers with 200; throws anything else.
    func exchange(_ method: Method, _ path: String) throws -> [UInt8] {
        let answer: PacketClient.Answer
        do {
            answer = try self.client.exchange(
                method,
                path,
                fields: self.fields.bytes,
                timeout: Self.timeout
            )
        } catch {
            throw ClientRefusal(reason: "relay does not answer at \(self.address)")
        }
        guard answer.status == 200 else { throw ClientRefusal(answer) }
        return answer.body
    }
}

extension TargetURL {
    /// Where relay is asked that listens at this address.
    fileprivate init(admin: BindAddress) {
        switch admin {
        case .tcp(let host, let port):
            let shown = host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
            self.init(
                text: "http://\(shown)",
                address: .tcp(host: host, port: port),
                authority: shown,
                path: ""
            )
        case .unix(let path):
            self.init(
                text: "http://unix:\(path):/",
                address: .unix(path: path),
                authority: "localhost",
                path: ""
            )
        }
    }
}

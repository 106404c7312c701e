package import RelayConfig
import RelayEngine

/// Why a listener could not be opened.
package struct BindError: Error, CustomStringConvertible, Sendable {
    /// The name of the listener.
    package let listener: String
    /// Where it is configured.
    package let location: SourceLocation?
    /// What went wrong, for the operator.
    package let message: String

    init(_ configuration: ListenerConfiguration, _ message: String) {
        self.listener = configuration.name
        self.location = configuration.location
        self.message = message
    }

    /// One sentence for the operator.
    package var description: String { "listener '\(self.listener)': \(self.message)" }
}

extension ListenerConfiguration {
    /// The address to listen on; the first one of a host name.
    func address(_ system: SystemCalls) throws(BindError) -> SocketAddress {
        switch self.bind {
        case .unix(let path):
            return .unix(path: path)
        case .tcp(let host, let port):
            if let address = SocketAddress(numericHost: host, port: port) { return address }
            switch system.lookUp(host) {
            case .addresses(let addresses):
                guard let first = addresses.first else {
                    throw BindError(self, "'\(host)' has no address")
                }
                return first.withPort(port)
            case .failure(let reason):
                throw BindError(self, "'\(host)' cannot be resolved: \(reason)")
            }
        }
    }
}

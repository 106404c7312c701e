import RelayConfig
import RelayEngine

/// The addresses of a target: fixed for a literal or a unix socket, else what its name last meant.
///
/// A state machine: says what to connect to and when to ask the resolver, and performs nothing. Known
/// addresses are used at once; when they are older than `ageMax`, the name is asked for again beside it.
struct AddressBook {
    /// What to do for a connect.
    struct Answer: Equatable {
        /// The addresses to try, in this order; empty: wait for the resolver.
        var addresses: [SocketAddress]
        /// The name to ask the resolver for now.
        var ask: String?
    }

    /// How old addresses may be before the name is asked for again; getaddrinfo(3) tells no lifetime.
    static let ageMax = Duration.seconds(10)

    private let port: UInt16
    /// The name; nil if the addresses are fixed.
    private let name: String?
    private var addresses: [SocketAddress]
    private var askedAt: MonotonicTime?
    private var isAsking = false

    /// The addresses of a target at `address`.
    init(_ address: TargetURL.Address) {
        switch address {
        case .unix(let path):
            self.port = 0
            self.name = nil
            self.addresses = [.unix(path: path)]
        case .tcp(let host, let port):
            self.port = port
            if let literal = SocketAddress(numericHost: host, port: port) {
                self.name = nil
                self.addresses = [literal]
            } else {
                self.name = host
                self.addresses = []
            }
        }
    }

    /// A connection is wanted.
    mutating func connectionWanted(at now: MonotonicTime) -> Answer {
        guard let name = self.name, !self.isAsking else {
            return Answer(addresses: self.addresses, ask: nil)
        }
        if !self.addresses.isEmpty, let askedAt, now - askedAt < Self.ageMax {
            return Answer(addresses: self.addresses, ask: nil)
        }
        self.isAsking = true
        self.askedAt = now
        return Answer(addresses: self.addresses, ask: name)
    }

    /// The resolver has answered; nil if there are addresses, else its sentence why not.
    mutating func resolved(_ lookup: NameLookup) -> String? {
        self.isAsking = false
        switch lookup {
        case .addresses(let found):
            self.addresses = found.map { $0.withPort(self.port) }
        case .failure(let reason):
            // What was good is better than nothing; the next connection asks again.
            self.askedAt = nil
            if self.addresses.isEmpty { return reason }
        }
        return self.addresses.isEmpty ? "no address" : nil
    }

    /// The addresses that are known.
    var known: [SocketAddress] { self.addresses }

    /// A connect to `address` succeeded: it is tried first from now on.
    mutating func connected(to address: SocketAddress) {
        guard let index = self.addresses.firstIndex(of: address), index > 0 else { return }
        self.addresses.swapAt(0, index)
    }
}

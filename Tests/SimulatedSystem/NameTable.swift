package import RelayEngine

/// What names mean in the simulation.
///
/// Unlike a resolver: an answer takes no time of its own. A slow name is a slow job of the pool that
/// asks for it (`SimulatedLinux.delayJobs(of:by:)`).
package struct NameTable {
    private var answers: [String: NameLookup] = [:]

    /// Has `name` mean `addresses`, which have port 0 and are not empty.
    package mutating func set(_ name: String, to addresses: [SocketAddress]) {
        self.answers[name] = .addresses(addresses)
    }

    /// Has looking `name` up fail with the sentence `reason`.
    package mutating func fail(_ name: String, _ reason: String) {
        self.answers[name] = .failure(reason)
    }

    /// What looking `name` up gives; names not in the table are unknown.
    func lookUp(_ name: String) -> NameLookup {
        self.answers[name] ?? .failure("Name or service not known")
    }
}

import RelayEngine
import SimulatedSystem

/// A backend of the packet protocol: a target of a pool.
final class Backend {
    let pool: String
    let address: SocketAddress
    private(set) var mood = BackendMood.healthy
    /// The status of its errors.
    private(set) var errorStatus = 503
    /// What it gave with a key.
    var keyedGifts: [Gift] = []
    /// Whether it gives packets of its own accord.
    private(set) var isGenerous = true
    var generator: SeededGenerator
    unowned let world: World
    private var listener: SimulatedPeerListener?
    private var connections: [BackendConnection] = []

    init(_ world: World, pool: String, address: SocketAddress, generator: SeededGenerator) {
        self.world = world
        self.pool = pool
        self.address = address
        self.generator = generator
    }

    /// Listens, and changes its mood again and again if it is to have any.
    func begin(withMoods: Bool) throws {
        try self.listen()
        if withMoods { self.changeMoodLater() }
    }

    /// From now on it is healthy and gives nothing by itself.
    func settle() throws {
        self.isGenerous = false
        self.leaveMood()
        self.mood = .healthy
        for connection in self.connections where connection.isMute || self.world.scenario.isFaulty {
            connection.cut()
        }
        if self.listener == nil { try self.listen() }
    }

    private func listen() throws {
        let listener = try self.world.simulation.listen(at: self.address)
        listener.onAccept = { [unowned self] peer in
            self.connections.removeAll { $0.peer.isClosed }
            self.connections.append(BackendConnection(self, peer))
        }
        self.listener = listener
    }

    private func stopListening() {
        self.listener?.close()
        self.listener = nil
    }

    // MARK: Moods

    private func changeMoodLater() {
        let delay = self.generator.duration(in: .milliseconds(300)...(.seconds(4)))
        self.world.simulation.after(delay) { [unowned self] in
            guard self.isGenerous else { return }
            self.changeMood()
            self.changeMoodLater()
        }
    }

    private func leaveMood() {
        if self.mood == .silent { self.world.simulation.setUnreachable(nil, self.address) }
    }

    private func changeMood() {
        self.leaveMood()
        self.mood = .any(&self.generator)
        self.world.note("backend \(self.address) is \(self.mood)")
        switch self.mood {
        case .failing:
            self.errorStatus = [500, 503, 429, 404].randomElement(using: &self.generator) ?? 500
        case .refusing:
            self.stopListening()
            if self.generator.chance(0.5) { self.cutAll() }
        case .restarting:
            self.stopListening()
            self.cutAll()
        case .silent:
            self.world.simulation.setUnreachable(
                self.generator.chance(0.5) ? .silent : .noRoute,
                self.address
            )
        case .closing:
            for connection in self.connections where connection.isIdle { connection.close() }
        default: break
        }
        let listens = self.mood != .refusing
        if listens, self.listener == nil {
            do { try self.listen() } catch {
                self.world.oracle.broken("backend cannot listen: \(error)")
            }
        }
    }

    private func cutAll() {
        for connection in self.connections { connection.cut() }
        self.connections = []
    }

    // MARK: Answers

    /// Whom a packet is for: who sent the one that it answers, or any other clients; nobody by mistake.
    func recipients(sender: String?) -> [String] {
        if self.generator.chance(0.02) { return [] }
        var recipients: [String] = []
        let count = self.generator.chance(0.1) ? Int.random(in: 2...3, using: &self.generator) : 1
        for _ in 0..<count {
            if let sender, self.generator.chance(0.7) {
                recipients.append(sender)
            } else if let name = self.world.clientNames.randomElement(using: &self.generator) {
                recipients.append(name)
            }
        }
        return recipients
    }

    /// A packet whose key has not come back, which is given again.
    func giftToRepeat() -> Gift? {
        guard !self.isGenerous || self.generator.chance(0.5) else { return nil }
        return self.keyedGifts.first { !$0.isConfirmed }
    }

    /// Whose sessions an answer ends.
    func clientsToEnd() -> [Client] {
        guard self.world.scenario.endsSessions, self.isGenerous, self.generator.chance(0.05) else {
            return []
        }
        return self.world.clients.filter { _ in self.generator.chance(0.3) }
    }
}

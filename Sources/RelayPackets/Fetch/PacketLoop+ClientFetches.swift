import RelayConfig
import RelayStore

/// A pool in `fetch: { mode: client }`, as the loops that hold polls know it.
struct ClientFetchPool: Hashable {
    /// The pool.
    let id: PoolID
    /// The realm of its clients.
    let realm: RealmID
    /// The loop that fetches from it.
    let loop: Int
}

/// What the loops tell each other where pools are asked client by client.
extension PacketLoop {
    /// Begins to tell of polls for pools that are in this mode now, and ends it for those that are not.
    ///
    /// Each loop tells of each poll once, and takes it back once, so that the counts hold although the
    /// loops come to a generation at different times.
    func updateClientFetches() {
        var modes: Set<ClientFetchPool> = []
        for pool in self.pools.values where pool.configuration.fetch.mode == .client {
            let loop = self.loopOfFetches(pool, from: 0)
            modes.insert(ClientFetchPool(id: pool.id, realm: pool.realm, loop: loop))
            if loop == Int(self.index), self.draining == nil {
                self.clientFetches(of: pool.id).poolReplaced(by: pool)
            }
        }
        for (id, fetches) in self.clientFetches
        where !modes.contains(where: { $0.id == id && $0.loop == Int(self.index) }) {
            fetches.poolReplaced(by: nil)
            if fetches.isIdle { self.clientFetches[id] = nil }
        }
        let before = self.clientFetchPools
        self.clientFetchPools = modes
        for poll in self.heldPolls {
            let session = poll.session
            for pool in before.subtracting(modes) { self.tell(pool, session, isHeld: false) }
            for pool in modes.subtracting(before) { self.tell(pool, session, isHeld: true) }
        }
    }

    /// A poll is held, or is not any more: whoever asks for its client is told.
    func tellFetches(_ session: Session, isHeld: Bool) {
        for pool in self.clientFetchPools { self.tell(pool, session, isHeld: isHeld) }
    }

    private func tell(_ pool: ClientFetchPool, _ session: Session, isHeld: Bool) {
        guard pool.realm == session.realm else { return }
        self.withClientFetches(of: pool) { fetches in
            if isHeld {
                fetches.pollHeld(session.name)
            } else {
                fetches.pollReleased(session.name)
            }
        }
    }

    /// A target's answer to a packet of the client says that there are more.
    func moreAnnounced(by pool: PacketPool, _ client: ClientName) {
        let loop = self.loopOfFetches(pool, from: 0)
        self.withClientFetches(
            of: ClientFetchPool(id: pool.id, realm: pool.realm, loop: loop)
        ) {
            $0.moreAnnounced(client)
        }
    }

    private func withClientFetches(
        of pool: ClientFetchPool,
        _ body: @escaping @Sendable (ClientFetches) -> Void
    ) {
        guard pool.loop != Int(self.index) else { return body(self.clientFetches(of: pool.id)) }
        self.relay?.perform(on: pool.loop) { body($0.clientFetches(of: pool.id)) }
    }

    /// Those of a pool that this loop fetches from; polls may be known before the pool is.
    private func clientFetches(of pool: PoolID) -> ClientFetches {
        if let fetches = self.clientFetches[pool] { return fetches }
        let fetches = ClientFetches(self)
        self.clientFetches[pool] = fetches
        return fetches
    }
}

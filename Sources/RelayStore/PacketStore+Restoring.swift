import Synchronization

/// What a durable store finds when it starts, before anybody uses it.
extension PacketStore {
    /// No number up to this one is given again.
    func restoreNumbers(upTo number: PacketNumber) { _ = self.numbers.take(number) }

    /// A client that had a record.
    func restoreClient(_ name: ClientName, in realm: RealmID, hasLoggedIn: Bool) -> ClientHandle {
        self.withShard(of: name, in: realm) {
            $0.restoreClient(name, in: realm, hasLoggedIn: hasLoggedIn)
        }
    }

    /// A session of a client, with the digest of its token.
    func restoreSession(of client: ClientHandle, in realm: RealmID, _ kept: KeptSession) {
        let claim = TokenClaim(
            hash: KeyHash.mixed(KeyHash.of(kept.digest.span), realm: realm),
            client: client,
            epoch: self.epochs.wrappingAdd(1, ordering: .relaxed).newValue
        )
        guard self.withTokens(near: claim.hash, { $0.claim(claim, replacing: nil) }) == nil else {
            return
        }
        self.withShard(client.shard) { $0.restoreSession(kept, claim) }
    }

    /// A packet that waits for a client or for a pool, behind those restored before; its bytes are in
    /// the journal.
    func restorePacket(_ packet: KeptPacket, of client: ClientHandle) {
        self.withShard(client.shard) { $0.restorePacket(packet, of: client) }
    }

    /// The session of a client as it is now, to be written again.
    func keptSession(of name: ClientName, in realm: RealmID) -> KeptSession? {
        self.withShard(of: name, in: realm) { shard in
            guard let slot = shard.slot(of: name, in: realm),
                let session = shard.clients[slot].session
            else { return nil }
            return KeptSession(
                digest: session.token,
                ttl: session.ttl,
                usedAt: session.usedAt,
                isDebugServer: session.isDebugServer,
                acknowledges: session.acknowledges
            )
        }
    }

    /// The packets that an acknowledgement ends; nil if the session is not its client's any more.
    func acknowledged(by session: Session, upTo number: PacketNumber) -> [PacketNumber]? {
        self.withShard(session.client.shard) { $0.acknowledged(by: session, upTo: number) }
    }

    /// Packets that a client has lost and has not been told of.
    func restoreLosses(_ count: UInt64, of client: ClientHandle, at now: StoreInstant) {
        self.withShard(client.shard) { shard in
            guard count > 0, let slot = shard.slot(of: client) else { return }
            let extras = shard.extras(of: slot)
            shard.extras[extras].losses.restore(count, at: now)
        }
    }

    /// Whether the session is its client's.
    func isCurrent(_ session: Session) -> Bool {
        self.withShard(session.client.shard) { $0.slot(of: session) != nil }
    }

    /// The realm of a client, if it has a record.
    func realm(of client: ClientHandle) -> RealmID? {
        self.withShard(client.shard) { shard in
            shard.slot(of: client).map { shard.clients[$0].realm }
        }
    }

    /// Whether a login may have its token: no other client has it whose session is alive.
    func mayLogIn(_ login: Login, at now: StoreInstant) -> Bool {
        let hash = KeyHash.mixed(KeyHash.of(login.token.span), realm: login.realm)
        guard let owner = self.withTokens(near: hash, { $0.owner(of: hash) }) else { return true }
        return self.withShard(owner.shard) { shard in
            guard let slot = shard.slot(of: owner), let session = shard.clients[slot].session,
                session.tokenHash == hash, session.isLive(at: now)
            else { return true }
            return shard.clients[slot].name == login.name
        }
    }

    /// Leaves the bytes of a packet to the journal, if it is still where it was placed.
    func forgetBytes(of placed: PlacedPacket) {
        self.withShard(placed.shard) { shard in
            guard shard.packets.contains(placed.slot),
                shard.packets[placed.slot].number == placed.number
            else { return }
            shard.packets[placed.slot].forgetBytes()
        }
    }

    /// A packet that was to be handed out is damaged: it goes, and who waits for it gets the next.
    func packetDamaged(_ effect: Effect, at now: StoreInstant, _ effects: inout Effects) {
        switch effect {
        case .deliver(let delivery):
            self.withShard(delivery.client.shard) {
                $0.removeDamaged(delivery, at: now, &effects)
            }
            self.bury(&effects)
            let notice = self.withShard(delivery.client.shard) { shard in
                shard.slot(of: delivery.client).flatMap { shard.lossNotice($0) }
            }
            effects.append(.answerEmpty(delivery.ticket, more: delivery.more, notice))
        case .send(let send):
            self.rejected(
                send.lane,
                send.packet.number,
                reason: .damaged,
                loop: send.loop,
                at: now,
                &effects
            )
        default: break
        }
    }
}

/// A session as a journal keeps it.
struct KeptSession: Sendable {
    /// The digest of the token.
    let digest: [UInt8]
    /// How long it lasts after its last use, in nanoseconds.
    let ttl: UInt64
    /// Its last use, in nanoseconds of the clock that never goes back.
    let usedAt: UInt64
    let isDebugServer: Bool
    /// Whether it is in acknowledged mode.
    let acknowledges: Bool
}

/// A packet as a journal keeps it, without its bytes.
struct KeptPacket: Sendable {
    let number: PacketNumber
    let byteCount: Int
    /// In nanoseconds of the clock that never goes back.
    let storedAt: UInt64
    let place: Place

    enum Place: Sendable {
        /// It waits for the client; who sent it, if that is known.
        case outbox(from: ClientName?)
        /// It waits for a pool, with so many counted attempts.
        case inbox(PoolID, attempts: UInt32)
    }
}

extension Shard {
    /// Makes the record of a client.
    fileprivate mutating func restoreClient(
        _ name: ClientName,
        in realm: RealmID,
        hasLoggedIn: Bool
    ) -> ClientHandle {
        if let slot = self.slot(of: name, in: realm) { return self.handle(of: slot) }
        if !hasLoggedIn { _ = self.rules.realms[realm.index].strangers.add(max: .max) }
        return self.handle(of: self.insertClient(name, in: realm, isStranger: !hasLoggedIn))
    }

    /// A packet that is under way cannot be delivered: it becomes a dead letter.
    fileprivate mutating func removeDamaged(
        _ delivery: Delivery,
        at now: StoreInstant,
        _ effects: inout Effects
    ) {
        let number = delivery.packet.number
        guard let slot = self.slot(of: delivery.client),
            self.clients[slot].outbox.isLeased(number, to: delivery.ticket, in: self.packets)
        else { return }
        let before = self.clients[slot].outbox.deliveries
        let removed = self.clients[slot].outbox.removeHead(upTo: number, from: &self.packets)
        self.counts.deliveries -= before - self.clients[slot].outbox.deliveries
        guard let removed else { return }
        self.outboxes.remove(bytes: removed.byteCount, &effects)
        self.countLoss(slot, at: now)
        effects.happened.append(
            .died(
                DeadLetter(
                    reason: .damaged,
                    direction: .toClient,
                    realm: self.clients[slot].realm,
                    client: self.clients[slot].name,
                    pool: nil,
                    number: number,
                    attempts: 0,
                    contents: .empty,
                    diedAt: now
                )
            )
        )
        self.serve(slot, at: now, &effects)
    }

    /// Whether an acknowledgement ends a packet.
    func hasPacket(of session: Session, upTo number: PacketNumber) -> Bool {
        guard let slot = self.slot(of: session),
            let first = self.clients[slot].outbox.firstNumber(in: self.packets)
        else { return false }
        return first <= number
    }

    fileprivate func acknowledged(
        by session: Session,
        upTo number: PacketNumber
    ) -> [PacketNumber]? {
        guard let slot = self.slot(of: session) else { return nil }
        return self.clients[slot].outbox.numbers(upTo: number, in: self.packets)
    }

    fileprivate mutating func restoreSession(_ kept: KeptSession, _ claim: TokenClaim) {
        guard let slot = self.slot(of: claim.client), self.clients[slot].session == nil else {
            return
        }
        self.clients[slot].session = SessionRecord(
            token: kept.digest,
            tokenHash: claim.hash,
            epoch: claim.epoch,
            ttl: kept.ttl,
            usedAt: kept.usedAt,
            isDebugServer: kept.isDebugServer,
            acknowledges: kept.acknowledges
        )
        self.counts.sessions += 1
    }

    fileprivate mutating func restorePacket(_ kept: KeptPacket, of client: ClientHandle) {
        guard let slot = self.slot(of: client) else { return }
        var packet = StoredPacket(.empty, number: kept.number, storedAt: kept.storedAt)
        packet.restore(byteCount: kept.byteCount)
        switch kept.place {
        case .outbox(let sender):
            // Nobody waits for room yet.
            var effects = Effects()
            self.outboxes.add(bytes: kept.byteCount, &effects)
            _ = self.clients[slot].outbox.append(packet, from: sender, in: &self.packets)
        case .inbox(let pool, let attempts):
            _ = self.rules.pools[pool.index].account.add(
                bytes: kept.byteCount,
                packetsMax: .max,
                bytesMax: .max
            )
            let lane = self.laneForKeptPacket(slot, to: pool, wasTried: attempts > 0)
            if self.clients[slot].lanes[lane].isEmpty {
                self.counts.unownedLanes += 1
                self.clients[slot].lanes[lane].restore(attempts: attempts)
            }
            _ = self.clients[slot].lanes[lane].append(packet, in: &self.packets)
        }
    }
}

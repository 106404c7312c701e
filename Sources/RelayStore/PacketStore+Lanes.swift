/// From clients to backends.
///
/// A lane is owned by one event loop at a time, which sends its packets one by one and says what
/// became of each. What names another packet than the one under way does nothing.
extension PacketStore {
    /// Stores a packet for a pool, unless the client has sent one with the same key.
    ///
    /// Effects: `.stored`, then `.send` if the lane was nobody's; or `.duplicate`, or `.refused`.
    package func send(
        _ contents: PacketContents,
        from session: Session,
        to pool: PoolID,
        key: PacketKey? = nil,
        ticket: Ticket,
        at now: StoreInstant,
        _ effects: inout Effects
    ) -> Progress {
        if self.journal != nil,
            self.isRepeat(key, from: session, ticket: ticket, at: now, &effects)
        {
            return .done
        }
        let progress = self.journaled(
            .send(contents, from: session, to: pool, key: key, ticket),
            unless: self.withShard(session.client.shard) {
                $0.refusal(of: session, to: pool, bytes: contents.byteCount)
            },
            &effects
        )
        if let progress { return progress }
        self.packetWritten(
            contents,
            from: session,
            to: pool,
            key: key,
            ticket: ticket,
            at: now,
            &effects
        )
        return .done
    }

    func packetWritten(
        _ contents: PacketContents,
        from session: Session,
        to pool: PoolID,
        number: PacketNumber? = nil,
        key: PacketKey?,
        ticket: Ticket,
        at now: StoreInstant,
        _ effects: inout Effects
    ) {
        self.withShard(session.client.shard) {
            $0.send(
                contents,
                from: session,
                to: pool,
                number: number,
                key: key,
                ticket: ticket,
                at: now,
                &effects
            )
        }
        self.bury(&effects)
    }

    /// A backend took the packet; its reply is stored first, however often the packet was sent once.
    ///
    /// Effects: `.send` with the next packet, or `.laneIdle`; and for others.
    package func consumed(
        _ lane: LaneHandle,
        _ number: PacketNumber,
        reply: Reply?,
        loop: UInt16,
        at now: StoreInstant,
        _ effects: inout Effects
    ) -> Progress {
        if self.journal != nil {
            // Once it is said nobody else may send the packet, so that there is one reply at most.
            let isFirst = self.withShard(lane.client.shard) {
                $0.completionBegan(lane, number, by: loop)
            }
            guard isFirst else { return .pending }
        }
        let progress = self.journaled(
            .consumed(lane, number, reply: reply, loop: loop),
            &effects
        )
        if let progress { return progress }
        self.consumptionWritten(lane, number, reply: reply, loop: loop, at: now, &effects)
        return .done
    }

    func consumptionWritten(
        _ lane: LaneHandle,
        _ number: PacketNumber,
        reply: Reply?,
        replyNumber: PacketNumber? = nil,
        loop: UInt16,
        at now: StoreInstant,
        _ effects: inout Effects
    ) {
        let shard = lane.client.shard
        if let reply {
            let realm = self.withShard(shard) { $0.replyReceived(lane, number, by: loop) }
            guard let realm else { return }
            _ = self.store(reply, in: realm, number: replyNumber, at: now, &effects)
        }
        self.withShard(shard) {
            $0.consumed(
                lane,
                number,
                by: loop,
                isCompleting: reply != nil || self.journal != nil,
                at: now,
                &effects
            )
        }
        self.bury(&effects)
    }

    /// The packet becomes a dead letter.
    ///
    /// Effects: `.send` with the next packet, or `.laneIdle`.
    package func rejected(
        _ lane: LaneHandle,
        _ number: PacketNumber,
        reason: DeadLetter.Reason,
        loop: UInt16,
        at now: StoreInstant,
        _ effects: inout Effects
    ) {
        self.withShard(lane.client.shard) {
            $0.rejected(lane, number, reason: reason, by: loop, at: now, &effects)
        }
        self.bury(&effects)
    }

    /// The packet waits as the first of its lane, and nobody sends it until `nextAttempt`.
    ///
    /// If it has expired meanwhile it becomes a dead letter; then the effects are `.send` with the
    /// next packet, or `.laneIdle`.
    package func attemptFailed(
        _ lane: LaneHandle,
        _ number: PacketNumber,
        isCounted: Bool,
        loop: UInt16,
        at now: StoreInstant,
        _ effects: inout Effects
    ) {
        self.withShard(lane.client.shard) {
            $0.attemptFailed(
                lane,
                number,
                isCounted: isCounted,
                by: loop,
                at: now,
                &effects
            )
        }
        self.bury(&effects)
    }

    /// The wait after a failed attempt is over.
    ///
    /// Effects: `.send` or `.laneIdle`.
    package func nextAttempt(
        _ lane: LaneHandle,
        loop: UInt16,
        at now: StoreInstant,
        _ effects: inout Effects
    ) {
        self.withShard(lane.client.shard) {
            $0.nextAttempt(lane, by: loop, at: now, &effects)
        }
        self.bury(&effects)
    }

    /// The lane becomes nobody's and its packets wait, one that was being sent too; a new packet of
    /// the client or `adoptLanes` takes it up.
    package func releaseLane(_ lane: LaneHandle, loop: UInt16) {
        self.withShard(lane.client.shard) { $0.releaseLane(lane, by: loop) }
    }

    /// Takes up the lanes of a shard that wait for the pool and are nobody's.
    ///
    /// Effects: `.send` for each; a lane whose packets have all expired is gone without one.
    package func adoptLanes(
        of pool: PoolID,
        shard: Int,
        loop: UInt16,
        at now: StoreInstant,
        _ effects: inout Effects
    ) {
        precondition(0..<Self.shardCount ~= shard, "no shard has the number \(shard)")
        let index = UInt8(truncatingIfNeeded: shard)
        let chunks = self.withShard(index) {
            $0.counts.unownedLanes == 0 ? 0 : $0.clients.chunkCount
        }
        for chunk in 0..<chunks {
            self.withShard(index) {
                $0.adoptLanes(ofChunk: chunk, to: pool, by: loop, at: now, &effects)
            }
        }
        self.bury(&effects)
    }
}

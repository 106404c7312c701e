import RelayObservation
import RelayStore

/// The lanes that this loop owns.
extension PacketLoop {
    /// The store gives this loop a packet to send, on a lane of its own.
    ///
    /// Without a pool to send it to, or in a drain, the lane becomes nobody's.
    func send(_ send: LaneSend) {
        guard self.draining == nil, let pool = self.pools[send.lane.pool] else {
            self.release(send.lane)
            return
        }
        if let sender = self.lanes[send.lane] {
            sender.send(send.packet, to: pool)
        } else {
            let sender = LaneSender(self, send, pool: pool)
            self.lanes[send.lane] = sender
            sender.send(send.packet, to: pool)
        }
    }

    /// The lane has no packet any more.
    func laneIdle(_ lane: LaneHandle) {
        self.lanes.removeValue(forKey: lane)?.endWaiting()
        self.finishDrainIfIdle()
    }

    /// Outboxes have room again: what waited for that goes on.
    func repliesAccepted() {
        for sender in Array(self.lanes.values) { sender.repliesAccepted() }
        for fetcher in self.fetchers.values.joined() { fetcher.repliesAccepted() }
        for fetches in self.clientFetches.values { fetches.advance() }
    }

    /// The pools of a new generation: lanes that wait for one that is gone are given up, others go on.
    func poolsReplaced() {
        for (lane, sender) in Array(self.lanes)
        where !sender.poolReplaced(by: self.pools[lane.pool]) {
            self.release(lane)
        }
    }

    /// Gives up every lane of which no request is under way.
    func releaseWaitingLanes() {
        for (lane, sender) in Array(self.lanes) where !sender.isUnderWay { self.release(lane) }
    }

    /// Takes the packet out of an answer, and makes a dead letter of one that cannot be stored for anybody.
    ///
    /// - Returns: the packet if it can.
    func usableReply(_ answer: inout BackendAnswer, of pool: PacketPool) -> Reply? {
        if answer.hasInvalidSender { self.logInvalidSender(of: pool) }
        switch answer.takePacket() {
        case .none:
            return nil
        case .reply(let reply):
            self.counters.storedToClient.add(
                UInt64(reply.recipients.count),
                loop: Int(self.index)
            )
            return reply
        case .unusable(let contents, let reason, nil):
            self.bury(contents, reason, for: nil, of: pool)
            return nil
        case .unusable(let contents, let reason, let recipients?):
            recipients.forEach { self.bury(contents, reason, for: $0, of: pool) }
            return nil
        }
    }

    private func bury(
        _ contents: PacketContents,
        _ reason: DeadLetter.Reason,
        for client: ClientName?,
        of pool: PacketPool
    ) {
        self.operate { store, now, effects in
            store.bury(
                contents,
                reason,
                in: pool.realm,
                client: client,
                pool: pool.id,
                at: now,
                &effects
            )
        }
    }

    private func release(_ lane: LaneHandle) {
        self.store.releaseLane(lane, loop: self.index)
        self.lanes.removeValue(forKey: lane)?.abandon()
        self.finishDrainIfIdle()
    }
}

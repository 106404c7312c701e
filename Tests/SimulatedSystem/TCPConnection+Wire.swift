import RelayEngine

/// Segments and acknowledgements on their way.
extension TCPConnection {
    /// Puts on the wire what the receiver's window allows.
    func transmit(from side: Side) {
        while !self.ends[side].isDead, self.directions[side].isWaitingToSend {
            let direction = self.directions[side]
            let window =
                self.sockets[side.other].receiveBufferSize - (direction.sent - direction.read)
            let count = min(window, direction.written - direction.sent, self.segmentBytesMax())
            guard count > 0 || direction.written == direction.sent else { break }
            self.sendSegment(max(count, 0), from: side)
        }
        self.guardAgainstSilence(side)
    }

    /// The reader has made room: a sender that was held up hears of it.
    func updateWindow(of side: Side) {
        let sender = side.other
        guard self.directions[sender].isWaitingToSend,
            !self.directions[sender].windowUpdateIsOnItsWay,
            !self.sockets[side].holdsAcknowledgements
        else { return }
        self.directions[sender].windowUpdateIsOnItsWay = true
        self.network.timeline.schedule(at: self.travelTime()) {
            self.directions[sender].windowUpdateIsOnItsWay = false
            if !self.isSilent { self.transmit(from: sender) }
        }
    }

    /// Acknowledges all that has arrived at the end, and says how much it may be sent.
    func acknowledge(at side: Side, delayed: Duration = .zero) {
        guard !self.sockets[side].holdsAcknowledgements else { return }
        let position = self.directions[side.other].arrived
        let fin = self.directions[side.other].fin >= .arrived
        self.network.timeline.schedule(at: self.travelTime() + delayed) {
            if !self.isSilent {
                self.acknowledgementArrived(at: side.other, upTo: position, fin: fin)
            }
        }
    }

    /// When a packet sent now arrives.
    func travelTime() -> MonotonicTime {
        self.network.now + self.network.duration(in: self.conditions.latency)
    }

    /// When the next segment from the end arrives: not before those on their way.
    func arrivalTime(from side: Side) -> MonotonicTime {
        var time = self.travelTime()
        if self.network.chance(self.conditions.stallChance) {
            time = time + self.network.duration(in: self.conditions.stall)
        }
        time = max(time, self.directions[side].lastArrival)
        self.directions[side].lastArrival = time
        return time
    }

    private func segmentBytesMax() -> Int {
        let limit = max(self.conditions.segmentBytesMax, 1)
        return self.conditions.splitsSegments ? self.network.size(upTo: limit) : limit
    }

    private func sendSegment(_ count: Int, from side: Side) {
        if !self.directions[side].isInFlight { self.ends[side].waitingSince = self.network.now }
        let (position, fin) = self.directions[side].segmentSent(count)
        // Every segment acknowledges what has arrived, also where the acknowledgement alone waits.
        let receiver = side.other
        let withholds = self.sockets[side].holdsAcknowledgements
        let acknowledged = withholds ? 0 : self.directions[receiver].arrived
        let acknowledgesFin = !withholds && self.directions[receiver].fin >= .arrived
        self.network.timeline.schedule(at: self.arrivalTime(from: side)) {
            if self.isSilent { return }
            self.acknowledgementArrived(at: receiver, upTo: acknowledged, fin: acknowledgesFin)
            self.segmentArrived(from: side, upTo: position, fin: fin)
        }
        if self.network.chance(self.conditions.silenceChance) { self.fallSilent() }
        if self.network.chance(self.conditions.resetChance) { self.resetFromBetween() }
    }

    /// Something between the ends, a firewall that restarts, resets both.
    private func resetFromBetween() {
        self.network.trace("\(self.sockets[.client].label): reset from between")
        for side in [Side.client, .server] {
            self.network.timeline.schedule(at: self.travelTime()) {
                if !self.isSilent { self.resetArrived(at: side) }
            }
        }
    }

    private func segmentArrived(from side: Side, upTo position: Int, fin: Bool) {
        let receiver = side.other
        guard !self.ends[receiver].isDead else { return }
        let isNew = position > self.directions[side].arrived
        let socket = self.sockets[receiver]
        self.network.trace(
            "\(socket.label): \(position - self.directions[side].arrived) bytes arrive"
                + (fin ? " and FIN" : "")
        )
        self.ends[receiver].lastHeard = self.network.now
        if socket.isClosed && isNew {
            self.sendReset(from: receiver)
            return
        }
        self.directions[side].segmentArrived(upTo: position, fin: fin)
        let isDelayed = self.network.chance(self.conditions.delayedAcknowledgementChance)
        self.acknowledge(
            at: receiver,
            delayed: isDelayed ? self.conditions.acknowledgementDelay : .zero
        )
        if fin {
            self.ends[receiver].receivingEnded = true
            socket.wake(nil)
        } else {
            socket.wake(.readable)
        }
    }

    private func acknowledgementArrived(at side: Side, upTo position: Int, fin: Bool) {
        guard !self.ends[side].isDead else { return }
        self.ends[side].lastHeard = self.network.now
        let finWasKnown = self.directions[side].fin == .acknowledged
        guard self.directions[side].acknowledgementArrived(upTo: position, fin: fin) else { return }
        self.ends[side].waitingSince = self.network.now
        self.guardAgainstSilence(side)
        if fin && !finWasKnown && !self.sockets[side].isClosed {
            self.sockets[side].wake(nil)
        }
        self.wakeWriter(side)
        self.transmit(from: side)
    }
}

import RelayEngine

/// What a kernel does about a peer that has gone silent: `TCP_USER_TIMEOUT` and keep-alive (tcp(7)).
///
/// Unlike Linux: bytes that wait for a window do not count as unanswered; keep-alive probes are sent to nobody, and fail only between
/// ends that have fallen silent to each other.
extension TCPConnection {
    /// After about how long Linux gives up sending again (`tcp_retries2` = 15).
    static let retransmissionsEnd = Duration.milliseconds(924_600)

    /// Looks at `side` again when its patience ends, if it has reason to wait for the peer.
    func guardAgainstSilence(_ side: Side) {
        guard let deadline = self.patienceEnds(side) else { return self.dismissGuard(side) }
        // One that looks too early looks again; only one that would look too late is moved.
        if let time = self.ends[side].silenceGuard?.time, time <= deadline { return }
        self.dismissGuard(side)
        let ticket = self.network.timeline.schedule(at: deadline, .background) {
            self.ends[side].silenceGuard = nil
            self.patienceMayHaveEnded(side)
        }
        self.ends[side].silenceGuard = (ticket, deadline)
    }

    /// Nothing is expected of the peer, or the end is over.
    func dismissGuard(_ side: Side) {
        if let ticket = self.ends[side].silenceGuard?.ticket {
            self.network.timeline.cancel(ticket)
        }
        self.ends[side].silenceGuard = nil
    }

    private func patienceMayHaveEnded(_ side: Side) {
        guard let deadline = self.patienceEnds(side) else { return }
        guard deadline <= self.network.now else { return self.guardAgainstSilence(side) }
        self.network.trace("\(self.sockets[side].label): gives the peer up")
        self.kill(side, error: .timedOut)
    }

    /// When the kernel gives the peer up if nothing is heard; nil if it expects nothing.
    private func patienceEnds(_ side: Side) -> MonotonicTime? {
        guard !self.ends[side].isDead else { return nil }
        let options = self.sockets[side].options
        let userTimeout = options[.userTimeout].flatMap {
            $0 > 0 ? Duration.milliseconds(Int64($0)) : nil
        }
        if self.directions[side].isInFlight {
            return self.ends[side].waitingSince + (userTimeout ?? Self.retransmissionsEnd)
        }
        guard self.isSilent, options[.keepAlive] == 1 else { return nil }
        let idle = Duration.seconds(Int64(options[.keepAliveIdle] ?? 7200))
        let interval = Duration.seconds(Int64(options[.keepAliveInterval] ?? 75))
        let probes = Int(options[.keepAliveProbes] ?? 9)
        return self.ends[side].lastHeard + (idle + (userTimeout ?? interval * probes))
    }
}

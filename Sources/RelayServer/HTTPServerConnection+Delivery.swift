import RelayEngine
import RelayPipeline

/// Finding out whether responses have arrived (`DeliveryProof`).
extension HTTPServerConnection {
    /// When exchanges hear of what was found out.
    enum Reporting {
        /// At once; never inside of a call of a handler.
        case now
        /// At the end of the turn.
        case later
    }

    func proveDelivery(_ exchange: Exchange) {
        let now = self.loop.now
        guard let served = self.awaiting.first(of: exchange) ?? self.pending.first(of: exchange)
        else { return }
        if served.proof.asked(at: now) == .look { self.look(report: .later) }
    }

    /// The first byte of another request has come: looks what has arrived of the responses before it.
    func requestArrived() {
        let written = self.writtenPosition
        if self.lookIsDue({ $0.requestArrived(written: written) }) { self.look() }
    }

    /// Tells an event to every proof under way; whether one of them wants a look.
    func lookIsDue(_ event: (inout DeliveryProof) -> DeliveryProof.Action) -> Bool {
        var isDue = false
        var next = self.awaiting.front
        while let served = next {
            if event(&served.proof) == .look { isDue = true }
            next = served.next
        }
        return isDue
    }

    /// Looks what the peer has acknowledged, and when to look again; a client that is silent for too long is
    /// reset.
    func look(report: Reporting = .now) {
        guard self.phase != .closed else { return }
        let next = self.collectProven(report: report)
        guard let next else {
            self.phase = .closed
            self.reset()
            return
        }
        self.armProofTimer(at: next)
        if report == .now { self.closeIfFinished() }
        if report == .later, self.phase == .finishing, self.awaiting.isEmpty {
            self.armProofTimer(at: self.loop.now)
        }
    }

    /// Takes what has arrived from `awaiting`; gives when to look again, nil if a delivery has failed.
    @discardableResult
    func collectProven(report: Reporting) -> MonotonicTime? {
        guard !self.awaiting.isEmpty else { return .never }
        let acknowledged = self.acknowledgedPosition()
        let now = self.loop.now
        var next = MonotonicTime.never
        var hasFailed = false
        // Responses arrive in the order in which they were written, so those proven are the first.
        var proven = ServedQueue()
        while let served = self.awaiting.front, served.proof.isProven(by: acknowledged) {
            _ = self.awaiting.popFirst()
            proven.append(served)
        }
        var open = self.awaiting.front
        while let served = open {
            switch served.proof.acknowledged(acknowledged, at: now) {
            case .proven: break
            case .open(let time): next = min(next, time)
            case .failed: hasFailed = true
            }
            open = served.next
        }
        while let served = proven.popFirst() {
            guard let exchange = served.exchange else { continue }
            served.exchange = nil
            self.server.exchangesChanged(by: -1)
            switch report {
            case .now: exchange.deliveryProven()
            case .later: self.server.reportLater(.proven(exchange))
            }
        }
        return hasFailed ? nil : next
    }

    /// The connection ended without proof.
    func deliveryFailed(_ served: ServedExchange) {
        guard let exchange = served.exchange else { return }
        served.exchange = nil
        self.server.exchangesChanged(by: -1)
        exchange.deliveryFailed(wasWritten: self.wasWritten(served))
    }

    private func armProofTimer(at time: MonotonicTime) {
        if time == .never {
            self.loop.cancel(self.proofTimer)
            self.proofTimer = .none
        } else if !self.loop.rearm(self.proofTimer, at: time) {
            self.proofTimer = self.armTimer(tag: TimerTag.proof, at: time)
        }
    }
}

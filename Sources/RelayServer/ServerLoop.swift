import RelayEngine
import RelayHTTP
import RelayPipeline
import Synchronization

/// What all connections of a loop share: scratch, the date, the names of exchanges, chance.
///
/// Bound to its loop, except for `counts`.
final class ServerLoop: TimerTarget {
    /// What an exchange hears at the end of the turn, because the connection found it out inside of a call of
    /// the exchange's handler.
    enum Report {
        case proven(Exchange)
        case failed(Exchange, wasWritten: Bool)
        case writable(Exchange)
        case laterResponseWaits(Exchange)
    }

    let loop: EventLoop
    /// The request that is being looked at.
    let request = Request()
    /// The exchanges that have a name.
    let exchanges = ExchangeTable()
    /// What other threads may read.
    let counts = ServerLoopCounts()

    /// The listeners' parts on this loop, also those that drain.
    private(set) var sites: [ListenerSite] = []

    private var dateScratch = HTTPDate(unixSeconds: 0)
    private var outputScratch: [UInt8] = []
    private var random: [UInt64] = []
    private var reports: [Report] = []

    init(loop: EventLoop) {
        self.loop = loop
    }

    /// The date, as of this turn.
    var date: HTTPDate {
        self.dateScratch.update(unixSeconds: self.loop.wallClock.seconds)
        return self.dateScratch
    }

    /// Lends an empty buffer that keeps its room from use to use.
    func withOutput(_ body: (inout [UInt8]) -> Void) {
        var output: [UInt8] = []
        swap(&output, &self.outputScratch)
        output.removeAll(keepingCapacity: true)
        body(&output)
        // One large answer is no reason to keep its room for ever.
        if output.capacity <= 64 << 10 { swap(&output, &self.outputScratch) }
    }

    /// A new id.
    func makeRequestID() -> RequestID {
        if self.random.count < 2 { self.refillRandom() }
        guard let high = self.random.popLast(), let low = self.random.popLast() else {
            return .made(high: 0, low: 0)
        }
        return .made(high: high, low: low)
    }

    private func refillRandom() {
        var bytes = [UInt8](repeating: 0, count: 1024)
        var span = bytes.mutableSpan
        self.loop.system.fillWithRandomBytes(&span)
        for start in stride(from: 0, to: bytes.count, by: 8) {
            var word: UInt64 = 0
            for offset in start..<(start + 8) { word = word << 8 | UInt64(bytes[offset]) }
            self.random.append(word)
        }
    }

    /// Counts exchanges in or out.
    func exchangesChanged(by count: Int) { self.counts.exchangesChanged(by: count) }

    // MARK: Reports

    /// Tells an exchange something at the end of the turn.
    func reportLater(_ report: Report) {
        self.reports.append(report)
        guard self.reports.count == 1 else { return }
        self.loop.atEndOfTurn { self.deliverReports() }
    }

    private func deliverReports() {
        let reports = self.reports
        self.reports.removeAll(keepingCapacity: true)
        for report in reports {
            switch report {
            case .proven(let exchange): exchange.deliveryProven()
            case .failed(let exchange, let wasWritten):
                exchange.deliveryFailed(wasWritten: wasWritten)
            case .writable(let exchange): exchange.responseWritable()
            case .laterResponseWaits(let exchange): exchange.laterResponseWaits()
            }
        }
    }

    // MARK: Listeners

    func add(_ site: ListenerSite) { self.sites.append(site) }

    func remove(_ site: ListenerSite) { self.sites.removeAll { $0 === site } }

    /// The time for draining is over: ends every connection of a listener that drains.
    func timerElapsed(_ tag: UInt32) {
        for site in self.sites where site.isDraining { site.abandonConnections() }
    }
}

@available(*, unavailable) extension ServerLoop: Sendable {}

/// What one loop serves at the moment; written by the loop, read by anybody.
final class ServerLoopCounts: Sendable {
    private let connectionsOpen = Atomic<Int>(0)
    private let exchangesOpen = Atomic<Int>(0)

    var connections: Int { self.connectionsOpen.load(ordering: .relaxed) }
    var exchanges: Int { self.exchangesOpen.load(ordering: .relaxed) }

    func connectionsChanged(by count: Int) {
        self.connectionsOpen.add(count, ordering: .relaxed)
    }

    func exchangesChanged(by count: Int) {
        self.exchangesOpen.add(count, ordering: .relaxed)
    }
}

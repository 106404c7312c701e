import RelayEngine

/// What a descriptor refers to (Linux: an open file description), as epoll sees it.
class SimulatedFile {
    /// The epolls that have it, in the order of their epoll_ctl(2).
    private(set) var watches: [EpollWatch] = []
    /// How many wake-ups there were, so that exclusive ones begin with another watch each time.
    private var wakeUps = 0
    /// Called after every wake-up; for ends that are scripted instead of polled.
    var observer: (() -> Void)?

    /// What poll(2) would report now.
    var readiness: EpollEvents { [] }

    /// What poll(2) reports, noting that the caller waits for what is not there.
    func poll() -> EpollEvents { self.readiness }

    /// Whether readiness is the answer of something under way, so that none must be made up.
    var isDeciding: Bool { false }

    /// The last descriptor is closed.
    func lastDescriptorClosed() {}

    /// What a trace calls it.
    var label: String { "file" }

    /// Wakes who waits for one of `events`; nil wakes everyone, as Linux's `sk_state_change` does.
    ///
    /// A wake-up says that something changed, not what is true: epoll asks again when it reports.
    /// Of the exclusive watches, those up to the first whose epoll sleeps are woken. Unlike Linux, which
    /// always begins with the same one, it takes turns, so that all loops get something.
    final func wake(_ events: EpollEvents?) {
        var exclusive: [EpollWatch] = []
        for watch in self.watches {
            if let events, watch.wanted.isDisjoint(with: events) { continue }
            if watch.events.contains(.exclusive) {
                exclusive.append(watch)
            } else {
                watch.epoll.enqueue(watch)
            }
        }
        self.wakeUps += 1
        for index in exclusive.indices {
            let watch = exclusive[(index + self.wakeUps) % exclusive.count]
            let slept = watch.epoll.isAsleep
            watch.epoll.enqueue(watch)
            if slept { break }
        }
        self.observer?()
    }

    /// Begins to be watched.
    final func add(_ watch: EpollWatch) {
        self.watches.append(watch)
    }

    /// Ends being watched by `epoll`.
    final func removeWatch(of epoll: SimulatedEpoll) {
        self.watches.removeAll { $0.epoll === epoll }
    }
}

/// One file in one epoll (Linux: an epitem).
final class EpollWatch {
    let epoll: SimulatedEpoll
    let file: SimulatedFile
    let events: EpollEvents
    let token: UInt64
    /// Whether it stands in the epoll's ready list.
    var isQueued = false

    init(epoll: SimulatedEpoll, file: SimulatedFile, events: EpollEvents, token: UInt64) {
        self.epoll = epoll
        self.file = file
        self.events = events
        self.token = token
    }

    /// What it reports: what was asked for, and errors and hang-ups in any case.
    var wanted: EpollEvents {
        self.events.subtracting([.edgeTriggered, .exclusive]).union([.error, .hangUp])
    }
}

/// An eventfd(2), only ever written to.
final class EventDescriptor: SimulatedFile {
    private var counter: UInt64 = 0

    override var label: String { "eventfd" }

    override var readiness: EpollEvents { self.counter > 0 ? [.readable, .writable] : .writable }

    /// write(2) of a 1.
    func signal() {
        self.counter += 1
        self.wake(.readable)
    }
}

/// A signalfd(2).
final class SignalDescriptor: SimulatedFile {
    private let signals: [Int32]
    private var pending: [Int32] = []

    init(signals: [Int32]) {
        self.signals = signals
    }

    override var label: String { "signalfd" }

    override var readiness: EpollEvents { self.pending.isEmpty ? [] : .readable }

    /// A signal for the process; one that is pending already stays one.
    func raise(_ signal: Int32) {
        guard self.signals.contains(signal), !self.pending.contains(signal) else { return }
        self.pending.append(signal)
        self.wake(.readable)
    }

    /// The lowest pending signal, as Linux delivers them; nil if there is none.
    func take() -> Int32? {
        guard let lowest = self.pending.min() else { return nil }
        self.pending.removeAll { $0 == lowest }
        return lowest
    }
}

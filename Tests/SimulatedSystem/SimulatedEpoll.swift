import RelayEngine

/// An epoll instance, built as Linux builds it: an interest list and a ready list.
///
/// A wake-up puts a watch on the ready list; `wait` takes watches off it, asks their files what is
/// true, and puts level-triggered ones back. Edge-triggered, level-triggered, RDHUP and exclusive
/// semantics follow from that.
///
/// Unlike Linux: the order of reports is by chance; spurious reports are made by chance; an epoll
/// counts as asleep, for exclusive watches, while its last wait gave nothing and nothing has come since.
final class SimulatedEpoll: SimulatedFile {
    private var watched: [EpollWatch] = []
    private var ready: [EpollWatch] = []
    private var lastWaitGaveNothing = true

    override var label: String { "epoll" }

    override var readiness: EpollEvents { self.hasSomethingToReport ? .readable : [] }

    /// Whether a thread would sleep in it: the loop has nothing to do.
    var isAsleep: Bool { self.lastWaitGaveNothing && self.ready.isEmpty }

    /// Whether `wait` would report anything.
    var hasSomethingToReport: Bool {
        self.ready.contains { !$0.file.readiness.isDisjoint(with: $0.wanted) }
    }

    /// epoll_ctl(2) `EPOLL_CTL_ADD`; false if the descriptor is there already.
    func add(
        _ file: SimulatedFile,
        _ events: EpollEvents,
        token: UInt64
    ) -> Bool {
        guard !self.watched.contains(where: { $0.file === file }) else { return false }
        let watch = EpollWatch(epoll: self, file: file, events: events, token: token)
        self.watched.append(watch)
        file.add(watch)
        if !file.poll().isDisjoint(with: watch.wanted) { self.enqueue(watch) }
        return true
    }

    /// epoll_ctl(2) `EPOLL_CTL_DEL`, or the file was closed; false if it was not there.
    func remove(_ file: SimulatedFile) -> Bool {
        guard let index = self.watched.firstIndex(where: { $0.file === file }) else { return false }
        self.watched.remove(at: index)
        self.ready.removeAll { $0.file === file }
        file.removeWatch(of: self)
        return true
    }

    /// Puts a watch on the ready list, unless it is there.
    func enqueue(_ watch: EpollWatch) {
        guard !watch.isQueued else { return }
        watch.isQueued = true
        self.ready.append(watch)
    }

    /// epoll_wait(2) without waiting: at most `limit` events.
    func wait(
        limit: Int,
        _ conditions: MachineConditions,
        using generator: inout SeededGenerator
    )
        -> [EpollEvent]
    {
        if conditions.shufflesEvents { self.ready.shuffle(using: &generator) }
        var reported: [EpollEvent] = []
        var again: [EpollWatch] = []
        while reported.count < limit, !self.ready.isEmpty {
            let watch = self.ready.removeFirst()
            watch.isQueued = false
            let events = watch.file.poll().intersection(watch.wanted)
            guard !events.isEmpty else { continue }
            reported.append(EpollEvent(events: events, token: watch.token))
            if !watch.events.contains(.edgeTriggered) { again.append(watch) }
        }
        for watch in again { self.enqueue(watch) }
        if reported.count < limit, generator.chance(conditions.spuriousEventChance) {
            let place =
                conditions.shufflesEvents
                ? Int.random(in: 0...reported.count, using: &generator) : reported.count
            let events = self.spuriousEvent(besides: reported, using: &generator)
            reported.insert(contentsOf: events, at: place)
        }
        self.lastWaitGaveNothing = reported.isEmpty
        return reported
    }

    /// A report that is old news, or that is not true.
    ///
    /// Readiness is only a hint: whoever acts on it must live with `EAGAIN` (select(2), BUGS). Hang-ups and errors are never made up, nor is
    /// anything about a socket that is connecting, because writable is how connect(2) says 'done'.
    private func spuriousEvent(
        besides reported: [EpollEvent],
        using generator: inout SeededGenerator
    ) -> [EpollEvent] {
        guard let watch = self.watched.randomElement(using: &generator),
            !reported.contains(where: { $0.token == watch.token })
        else { return [] }
        let madeUp: [EpollEvents] = [[], .readable, .writable, [.readable, .writable]]
        let extra = watch.file.isDeciding ? [] : madeUp.randomElement(using: &generator) ?? []
        let events = watch.file.readiness.union(extra).intersection(watch.wanted)
        return events.isEmpty ? [] : [EpollEvent(events: events, token: watch.token)]
    }

    override func lastDescriptorClosed() {
        for watch in self.watched { watch.file.removeWatch(of: self) }
        self.watched = []
        self.ready = []
    }
}

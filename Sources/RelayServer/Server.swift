package import RelayConfig
package import RelayEngine
import RelayHTTP
package import RelayPipeline
import Synchronization

/// The listeners of relay and what stands behind them, over all loops.
///
/// **Reload** in two steps: `prepare` opens what is new and throws if that fails, with nothing changed;
/// `commit` lets the new listeners accept, gives the kept ones their new contexts and drains the removed ones.
///
/// For the control plane: one call at a time, not from a turn of a loop.
package final class Server {
    /// Where a context is made: a loop, and what of the listener survives reloads.
    package struct Place {
        /// The loop.
        package let loop: EventLoop
        /// The named exchanges of the loop.
        package let exchanges: ExchangeTable
        /// What the listener counts over all loops.
        package let shared: ListenerCounts
    }

    /// Makes what the exchanges of a listener share on a loop; called there.
    package typealias ContextFactory =
        @Sendable (_ configuration: ListenerConfiguration, _ place: Place) -> ListenerContext

    /// A listener and its parts on the loops.
    fileprivate struct Entry {
        var configuration: ListenerConfiguration
        let listener: Listener
        let shared: ListenerCounts
        let sites: LoopBound<ListenerSite?>
    }

    /// New listeners, bound and not yet accepting, and what of the old ones is kept.
    package struct Prepared {
        fileprivate let entries: [(entry: Entry, isNew: Bool)]
    }

    private let group: EventLoopGroup
    private let loops: LoopBound<ServerLoop>
    private let counts: [ServerLoopCounts]
    private var entries: [Entry] = []
    /// Listeners that a reload has removed, until their last connection has ended.
    private var retired: [Entry] = []
    /// Whether listeners leave connections in the kernel's queue.
    private var isAcceptingPaused = false

    /// A server without listeners on the loops of `group`.
    package init(group: EventLoopGroup) {
        self.group = group
        let loops = group.loops.map(ServerLoop.init(loop:))
        self.counts = loops.map(\.counts)
        self.loops = LoopBound(loops)
    }

    // MARK: Listeners

    /// Opens the listeners that are not open yet; those with the same address are kept.
    ///
    /// Nothing accepts yet and nothing has changed, so that the result may be thrown away by `abandon`. Host names
    /// are resolved, which may block.
    package func prepare(_ configurations: [ListenerConfiguration]) throws(BindError) -> Prepared {
        var kept = self.entries
        var prepared: [(entry: Entry, isNew: Bool)] = []
        for configuration in configurations {
            let index = kept.firstIndex { $0.configuration.bind == configuration.bind }
            if let index {
                var entry = kept.remove(at: index)
                entry.configuration = configuration
                prepared.append((entry, false))
                continue
            }
            do {
                prepared.append((try self.open(configuration), true))
            } catch {
                self.abandon(Prepared(entries: prepared))
                throw error
            }
        }
        return Prepared(entries: prepared)
    }

    /// Closes what `prepare` has opened.
    package func abandon(_ prepared: Prepared) {
        for (entry, isNew) in prepared.entries where isNew { entry.listener.close() }
    }

    /// Puts the prepared listeners in the place of the present ones, with contexts from `makeContext`.
    package func commit(_ prepared: Prepared, makeContext: @escaping ContextFactory) {
        let removed = self.entries.filter { old in
            !prepared.entries.contains { $0.entry.listener === old.listener }
        }
        self.entries = prepared.entries.map(\.entry)
        for (entry, isNew) in prepared.entries {
            entry.listener.connectionsMax = entry.configuration.limits.connectionsMax
            self.place(entry, makeContext)
            guard isNew else { continue }
            if self.isAcceptingPaused { entry.listener.pauseAccepting() }
            let sites = entry.sites
            // The contexts were posted first, so that every loop has its own before it accepts.
            entry.listener.start(on: self.group) { accepted, loop in
                guard let site = sites[loop] else { return RefusedConnection(loop, accepted) }
                let source = site.limitedSource(accepted.peer)
                guard site.admits(source) else { return SurplusConnection(site, accepted) }
                return HTTPServerConnection(site: site, accepted: accepted, source: source)
            }
        }
        for entry in removed { self.remove(entry) {} }
        self.retired = self.retired.filter { $0.listener.connectionsOpen > 0 } + removed
    }

    /// The addresses that are listened on, in the order of the configuration, with the ports that the system chose.
    package var addresses: [SocketAddress] { self.entries.map(\.listener.address) }

    /// The names of the listeners with the number of their open connections.
    package var connectionsByListener: [(name: String, count: Int)] {
        self.entries.map { ($0.configuration.name, $0.listener.connectionsOpen) }
    }

    /// How many connections are open, also of listeners that drain.
    package var connections: Int { self.counts.reduce(0) { $0 + $1.connections } }

    /// How many exchanges are under way, those whose delivery is not proven included.
    package var exchanges: Int { self.counts.reduce(0) { $0 + $1.exchanges } }

    private func open(_ configuration: ListenerConfiguration) throws(BindError) -> Entry {
        let address = try configuration.address(self.group.system)
        var settings = ListenerSettings(address: address)
        settings.connectionsMax = configuration.limits.connectionsMax
        do {
            let listener = try Listener(
                settings: settings,
                overlapping: self.entries.map(\.listener),
                system: self.group.system
            )
            return Entry(
                configuration: configuration,
                listener: listener,
                shared: ListenerCounts(),
                sites: LoopBound(self.group.loops.map { _ in nil })
            )
        } catch {
            throw BindError(configuration, error.description)
        }
    }

    /// Gives every loop its context of a listener.
    private func place(_ entry: Entry, _ makeContext: @escaping ContextFactory) {
        let (loops, sites, shared) = (self.loops, entry.sites, entry.shared)
        let configuration = entry.configuration
        for loop in self.group.loops {
            loop.post { loop in
                let server = loops[loop]
                let place = Place(loop: loop, exchanges: server.exchanges, shared: shared)
                let context = makeContext(configuration, place)
                if let site = sites[loop] {
                    site.replaceContext(context)
                } else {
                    sites[loop] = ListenerSite(server: server, context: context)
                }
            }
        }
    }

    // MARK: Memory

    /// Accepts no connections until `resumeAccepting`, also at listeners that a reload opens.
    package func pauseAccepting() {
        self.isAcceptingPaused = true
        for entry in self.entries { entry.listener.pauseAccepting() }
    }

    /// Goes on accepting.
    package func resumeAccepting() {
        guard self.isAcceptingPaused else { return }
        self.isAcceptingPaused = false
        for entry in self.entries { entry.listener.resumeAccepting() }
    }

    /// Closes the connections that wait for another request.
    ///
    /// Held polls are not idle.
    package func closeIdleConnections() {
        for entry in self.entries {
            let sites = entry.sites
            for loop in self.group.loops {
                loop.post { loop in sites[loop]?.closeIdleConnections() }
            }
        }
    }

    // MARK: Draining

    /// Stops accepting, closes what is idle, says `Connection: close` in every answer, and calls `completion` on
    /// a loop once no connection is left; after `timeout` those that are left are reset.
    package func drain(timeout: Duration, _ completion: @escaping @Sendable () -> Void) {
        let (entries, retired) = (self.entries, self.retired)
        self.entries = []
        self.retired = []
        // One step more than listeners, so that a server without any is drained, too.
        let countdown = Countdown(entries.count + retired.count + 1, completion)
        let loops = self.loops
        for entry in entries { self.remove(entry) { countdown.step() } }
        for entry in retired { entry.sites.drain(on: self.group) { countdown.step() } }
        self.group.loops[0].post { _ in countdown.step() }
        for loop in self.group.loops {
            loop.post { loop in
                _ = loop.arm(loops[loop], tag: 0, at: loop.now + timeout)
            }
        }
    }

    /// Closes a listener, then drains its connections, then calls `completion` on a loop.
    private func remove(_ entry: Entry, _ completion: @escaping @Sendable () -> Void) {
        let (group, sites) = (self.group, entry.sites)
        // Before the caller has held polls answered: messages of a loop run in the order of posting, and closing
        // the listener takes several.
        for loop in group.loops { loop.post { loop in sites[loop]?.drainComes() } }
        entry.listener.close { sites.drain(on: group, completion) }
    }
}

@available(*, unavailable) extension Server: Sendable {}

/// One value for each loop.
///
/// `@unchecked Sendable`: each value is touched on its own loop only, once the loops run.
private final class LoopBound<Value>: @unchecked Sendable {
    private let boxes: [Box]

    private final class Box {
        var value: Value
        init(_ value: Value) { self.value = value }
    }

    init(_ values: [Value]) {
        self.boxes = values.map(Box.init)
    }

    subscript(_ loop: EventLoop) -> Value {
        get { self.boxes[loop.index].value }
        set { self.boxes[loop.index].value = newValue }
    }
}

extension LoopBound<ListenerSite?> {
    /// Drains the connections of all loops, then calls `completion` on one of them.
    fileprivate func drain(
        on group: EventLoopGroup,
        _ completion: @escaping @Sendable () -> Void
    ) {
        let countdown = Countdown(group.loops.count, completion)
        for loop in group.loops {
            loop.post { loop in
                guard let site = self[loop] else { return countdown.step() }
                site.drain { countdown.step() }
            }
        }
    }
}

/// Calls something once it was counted down.
private final class Countdown: Sendable {
    private let left: Atomic<Int>
    private let completion: @Sendable () -> Void

    init(_ count: Int, _ completion: @escaping @Sendable () -> Void) {
        self.left = Atomic(count)
        self.completion = completion
    }

    func step() {
        if self.left.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 {
            self.completion()
        }
    }
}

/// A connection beyond `source_connections`: told so, and closed.
private final class SurplusConnection: Stream {
    init(_ site: ListenerSite, _ accepted: AcceptedSocket) {
        super.init(loop: site.server.loop, accepted: accepted)
        site.server.withOutput { output in
            output.appendResponse(to: .tooManyConnections, date: site.server.date)
            self.write(output.span)
        }
        // Its request is on the way, and must not turn the answer into a reset.
        self.closeLingering()
    }
}

/// A connection that came before its loop knew what to do with it: closed at once.
private final class RefusedConnection: Stream {
    init(_ loop: EventLoop, _ accepted: AcceptedSocket) {
        super.init(loop: loop, accepted: accepted)
        self.close()
    }
}

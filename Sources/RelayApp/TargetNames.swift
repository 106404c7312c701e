import RelayConfig
import RelayEngine

/// Looks the names of targets with `resolve` up again and again, and says when one means other addresses.
///
/// `@unchecked Sendable`: everything mutable belongs to the control loop, on which the resolver's answers come.
final class TargetNames: TimerTarget, @unchecked Sendable {
    /// What each name meant last, in an order that does not change with the answers; no entry: not known.
    private(set) var addresses: [String: [SocketAddress]] = [:]

    private let loop: EventLoop
    private let resolver: Resolver
    private let changed: @Sendable (String) -> Void
    /// How often each name is looked up.
    private var intervals: [String: Duration] = [:]
    /// The names by the tags of their timers.
    private var names: [String] = []
    private var timers: [TimerHandle] = []
    /// Answers to questions of another round are not for this one.
    private var round: UInt64 = 0

    /// More addresses of a name than this are left out.
    private static let addressesMax = 256

    /// Watches nothing yet; `changed` is called on `loop` with the name that means something else.
    init(loop: EventLoop, resolver: Resolver, changed: @escaping @Sendable (String) -> Void) {
        self.loop = loop
        self.resolver = resolver
        self.changed = changed
    }

    /// Watches the names of these pools from now on, and no others.
    func watch(_ pools: [PoolConfiguration]) {
        self.loop.assertOnLoop()
        var intervals: [String: Duration] = [:]
        for target in pools.flatMap(\.targets) {
            guard let interval = target.resolve, case .tcp(let host, _) = target.url.address else {
                continue
            }
            intervals[host] = min(intervals[host] ?? interval, interval)
        }
        guard intervals != self.intervals else { return }
        for timer in self.timers { self.loop.cancel(timer) }
        self.round += 1
        self.intervals = intervals
        self.addresses = self.addresses.filter { intervals[$0.key] != nil }
        self.names = intervals.keys.sorted()
        self.timers = self.names.map { _ in .none }
        for index in self.names.indices { self.lookUp(index) }
    }

    /// A name is due; called by the loop.
    func timerElapsed(_ tag: UInt32) {
        guard self.names.indices.contains(Int(tag)) else { return }
        self.lookUp(Int(tag))
    }

    private func lookUp(_ index: Int) {
        let round = self.round
        self.resolver.resolve(self.names[index], on: self.loop) { lookup, _ in
            guard round == self.round else { return }
            self.answered(index, lookup)
        }
    }

    private func answered(_ index: Int, _ lookup: NameLookup) {
        let name = self.names[index]
        if let interval = self.intervals[name] {
            self.timers[index] = self.loop.arm(
                self,
                tag: UInt32(index),
                at: self.loop.now + interval
            )
        }
        // What was good is better than nothing.
        guard case .addresses(let found) = lookup else { return }
        let sorted = Set(found).sorted { $0.host < $1.host }.prefix(Self.addressesMax)
        guard self.addresses[name] != Array(sorted) else { return }
        self.addresses[name] = Array(sorted)
        self.changed(name)
    }
}

extension PoolConfiguration {
    /// The same pool, in which every target with `resolve` is one target for each address of its name.
    ///
    /// One whose name is not known yet stays as it is: its name is looked up when it is connected to.
    func withTargets(at addresses: [String: [SocketAddress]]) -> PoolConfiguration {
        var pool = self
        pool.targets = self.targets.flatMap { target -> [TargetConfiguration] in
            guard target.resolve != nil, case .tcp(let host, let port) = target.url.address,
                let found = addresses[host], !found.isEmpty
            else { return [target] }
            return found.map { address in
                var one = target
                one.url = TargetURL(
                    text: "\(target.url.text) at \(address.host)",
                    address: .tcp(host: address.host, port: port),
                    authority: target.url.authority,
                    path: target.url.path
                )
                return one
            }
        }
        return pool
    }
}

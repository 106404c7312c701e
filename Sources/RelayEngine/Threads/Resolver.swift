import Synchronization

/// Turns host names into addresses, on four threads of its own.
///
/// One name is under way at most once, however many ask. A waiter gets its answer after 5 s at the
/// latest: the last good addresses of the name if there are any, else a failure. From any thread.
package final class Resolver: Sendable {
    private struct Name {
        var waiters: [Waiter] = []
        var isUnderWay = false
        var lastGood: [SocketAddress] = []
    }

    private let system: SystemCalls
    private let pool: WorkerPool
    private let names = Mutex<[String: Name]>([:])

    private static let threads = 4
    private static let namesQueuedMax = 1024
    static let patience: Duration = .seconds(5)

    /// Makes a resolver that looks names up through `system`.
    package init(system: SystemCalls) {
        self.system = system
        self.pool = WorkerPool(
            name: "resolver",
            threads: Resolver.threads,
            queuedMax: Resolver.namesQueuedMax,
            system: system
        )
    }

    /// Looks `host` up and calls `completion` on `loop`, in a later turn.
    ///
    /// A numeric address answers itself. The addresses have port 0 and are never empty. When a
    /// look-up fails and an earlier one succeeded, the earlier addresses are the answer.
    package func resolve(
        _ host: String,
        on loop: EventLoop,
        _ completion: @escaping @Sendable (NameLookup, EventLoop) -> Void
    ) {
        if let address = SocketAddress(numericHost: host, port: 0) {
            loop.post { loop in completion(.addresses([address]), loop) }
            return
        }
        let waiter = Waiter(host: host, resolver: self, loop: loop, completion: completion)
        loop.post { _ in waiter.begin() }
        let isFirst = self.names.withLock { names in
            names[host, default: Name()].waiters.append(waiter)
            defer { names[host]?.isUnderWay = true }
            return names[host]?.isUnderWay == false
        }
        guard isFirst else { return }
        let isQueued = self.pool.run { self.completed(host, self.system.lookUp(host)) }
        if !isQueued { self.completed(host, .failure("too many names are being looked up")) }
    }

    /// Ends its threads.
    package func stop() {
        self.pool.stop()
    }

    /// The addresses of the last look-up of `host` that succeeded, else `otherwise`.
    func lastGood(_ host: String, otherwise: NameLookup) -> NameLookup {
        let addresses = self.names.withLock { $0[host]?.lastGood ?? [] }
        return addresses.isEmpty ? otherwise : .addresses(addresses)
    }

    /// A look-up is over: answers everyone who waits for it.
    private func completed(_ host: String, _ lookup: NameLookup) {
        let waiters = self.names.withLock { names in
            var name = names[host] ?? Name()
            let waiters = name.waiters
            name.waiters = []
            name.isUnderWay = false
            if case .addresses(let addresses) = lookup { name.lastGood = addresses }
            // A name that never had an address is not worth remembering.
            names[host] = name.lastGood.isEmpty ? nil : name
            return waiters
        }
        let answer = self.lastGood(host, otherwise: lookup)
        for waiter in waiters {
            waiter.loop.post { _ in waiter.finish(answer) }
        }
    }
}

/// One question to the resolver, answered once.
///
/// `@unchecked Sendable`: the mutable state is touched on `loop` only.
private final class Waiter: TimerTarget, @unchecked Sendable {
    let loop: EventLoop
    private let host: String
    private let resolver: Resolver
    private var completion: (@Sendable (NameLookup, EventLoop) -> Void)?
    private var timer: TimerHandle = .none

    init(
        host: String,
        resolver: Resolver,
        loop: EventLoop,
        completion: @escaping @Sendable (NameLookup, EventLoop) -> Void
    ) {
        self.host = host
        self.resolver = resolver
        self.loop = loop
        self.completion = completion
    }

    func begin() {
        self.timer = self.loop.arm(self, tag: 0, at: self.loop.now + Resolver.patience)
    }

    func timerElapsed(_ tag: UInt32) {
        self.finish(
            self.resolver.lastGood(self.host, otherwise: .failure("the resolver did not answer"))
        )
    }

    func finish(_ answer: NameLookup) {
        self.loop.cancel(self.timer)
        guard let completion = self.completion.take() else { return }
        completion(answer, self.loop)
    }
}

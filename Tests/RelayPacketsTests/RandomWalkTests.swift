import RelayEngine
import RelayPipeline
import RelayStore
import RelayUpstream
import Testing

@testable import RelayPackets

struct RandomWalkTests {
    @Test(arguments: UInt64(0)..<60)
    func `every packet arrives once and in order, whatever happens`(seed: UInt64) throws {
        var walk = try RandomWalk(seed: seed)
        for _ in 0..<500 { try walk.step() }
        try walk.finish()
    }
}

/// Clients, targets and loops that do anything at any time, and an oracle that knows what each of them
/// saw.
///
/// Checked at each step: a client's packets reach the backend one at a time and in order, one that was
/// taken never again; what backends gave reaches a client one at a time and in order, and again only
/// after a delivery that failed, marked if bytes of it were written. At the end nothing is left.
private struct RandomWalk {
    private static let names = ["anna", "bob", "carol"]

    private let harness: PacketHarness
    private var generator: SeededGenerator
    private let seed: UInt64

    /// All targets that ever were, by loop: those of older generations still answer.
    private var targets: [[FakeTargets]]
    private var clients: [String: ClientState]
    private var replies = 0

    /// What the oracle knows of a client.
    private struct ClientState {
        /// How many packets it has sent, and how many of them were taken.
        var sent = 0
        var consumed = 0
        /// What backends gave for it and it has not got, oldest first.
        var expected: [String] = []
        /// Whether bytes of a delivery of the first were written in vain.
        var isRedelivered = false
        /// Its requests that are not answered.
        var requests: [FakeClient] = []
        /// The one that has brought it a packet.
        var delivering: FakeClient?
    }

    init(seed: UInt64) throws {
        self.seed = seed
        self.generator = SeededGenerator(seed: seed)
        self.harness = try PacketHarness(loops: 2, targets: 2, fetches: true)
        self.harness.relay.start()
        self.harness.settle()
        self.targets = self.harness.targets.map { [$0] }
        self.clients = [:]
        for name in Self.names {
            try self.harness.logIn(name)
            self.clients[name] = ClientState()
        }
        self.harness.settlesAtOnce = false
    }

    mutating func step() throws {
        let name = Self.names[self.random(Self.names.count)]
        switch self.random(20) {
        case 0...2: try self.send(name)
        case 3...4: try self.poll(name)
        case 5...9: self.answer()
        case 10...11: self.endDelivery(of: name)
        case 12: self.hangUp(name)
        case 13...16: self.harness.loops[self.random(2)].turn(waitingAtMost: .zero)
        case 17: self.harness.system.advance(.milliseconds(self.random(1500)))
        case 18: self.changeHealth()
        default: if self.random(5) == 0 { self.reload() }
        }
        self.observe()
    }

    /// Everybody is well from now on: all that is left arrives.
    mutating func finish() throws {
        self.harness.settlesAtOnce = true
        self.harness.settle()
        self.observe()
        for name in Self.names {
            while let request = self.clients[name]?.requests.popLast() {
                self.harness.hangUp(request)
                self.observe()
            }
        }
        for _ in 0..<400 {
            for targets in self.targets.joined() {
                targets.usable = [0, 1]
                targets.mayBeUsable()
                while !targets.packets.isEmpty { self.succeed(targets, self.packet(of: targets)) }
            }
            self.harness.advance(.milliseconds(100))
        }
        for name in Self.names {
            self.endDelivery(of: name, isProven: true)
            for _ in 0..<(self.clients[name]?.expected.count ?? 0) {
                try self.poll(name, ["Prefer: wait=0"])
                self.observe()
                self.endDelivery(of: name, isProven: true)
            }
            #expect(self.clients[name]?.expected == [], self.comment)
            #expect(self.clients[name]?.consumed == self.clients[name]?.sent, self.comment)
        }
        let statistics = self.harness.store.statistics()
        #expect(statistics.waitingForBackends.packets == 0, self.comment)
        #expect(statistics.waitingForClients.packets == 0, self.comment)
        #expect(statistics.heldPolls == 0, self.comment)
        #expect(statistics.deliveries == 0, self.comment)
        for part in self.harness.relay.loops {
            #expect(part.heldPolls.isEmpty, self.comment)
            #expect(part.lanes.isEmpty, self.comment)
            #expect(part.exchanges.count == 0, self.comment)
        }
    }

    private var comment: Comment { "seed \(self.seed)" }

    private mutating func random(_ bound: Int) -> Int {
        Int.random(in: 0..<bound, using: &self.generator)
    }

    // MARK: Clients

    private mutating func send(_ name: String) throws {
        guard var client = self.clients[name] else { return }
        let fields = self.random(2) == 0 ? ["Prefer: wait=0"] : []
        let text = "\(name) \(client.sent)"
        client.sent += 1
        client.requests.append(
            try self.harness.post(name, text, fields, loop: self.random(2))
        )
        self.clients[name] = client
    }

    private mutating func poll(_ name: String, _ fields: [String] = []) throws {
        let request = try self.harness.post(name, "", fields, loop: self.random(2))
        self.clients[name]?.requests.append(request)
    }

    private mutating func hangUp(_ name: String) {
        guard let count = self.clients[name]?.requests.count, count > 0 else { return }
        let index = self.random(count)
        let request = self.clients[name]?.requests.remove(at: index)
        request?.exchange?.clientHungUp()
    }

    private mutating func endDelivery(of name: String, isProven: Bool? = nil) {
        guard let client = self.clients[name]?.delivering else { return }
        self.clients[name]?.delivering = nil
        switch isProven == true ? 0 : self.random(4) {
        case 0...1:
            self.clients[name]?.expected.removeFirst()
            self.clients[name]?.isRedelivered = false
            self.harness.prove(client)
        case 2:
            self.clients[name]?.isRedelivered = true
            self.harness.lose(client)
        default:
            self.harness.lose(client, wasWritten: false)
        }
    }

    /// Looks at what was answered.
    private mutating func observe() {
        for name in Self.names {
            guard var client = self.clients[name] else { continue }
            for request in client.requests {
                guard let status = request.status else { continue }
                #expect(status == 200, self.comment)
                if request.body.isEmpty { continue }
                #expect(client.delivering == nil, self.comment)
                #expect(request.body == client.expected.first, self.comment)
                #expect(
                    (request.value("Redelivered") == "true") == client.isRedelivered,
                    self.comment
                )
                client.delivering = request
            }
            client.requests.removeAll { $0.status != nil }
            self.clients[name] = client
        }
        let underWay = self.targets.joined().flatMap(\.packets).map { $0.split(separator: " ")[0] }
        #expect(Set(underWay).count == underWay.count, self.comment)
    }

    // MARK: Targets

    private mutating func answer() {
        let all = Array(self.targets.joined())
        let targets = all[self.random(all.count)]
        guard !targets.requests.isEmpty else { return }
        let index = self.random(targets.requests.count)
        switch self.random(8) {
        case 0: targets.fail(.reset, .ambiguous, index: index)
        case 1: targets.fail(.unreachable, .notSent, index: index)
        case 2: targets.fail(.timedOut, .ambiguous, index: index)
        case 3: targets.answer([404, 503][self.random(2)], index: index)
        default: self.succeed(targets, index)
        }
    }

    /// A 2xx, half of the time with a packet for somebody.
    private mutating func succeed(_ targets: FakeTargets, _ index: Int) {
        let text = FakeTargets.bodyText(targets.requests[index])
        if let name = text.split(separator: " ").first.map(String.init) {
            #expect(text == "\(name) \(self.clients[name]?.consumed ?? -1)", self.comment)
            self.clients[name]?.consumed += 1
        }
        if self.random(2) == 0 {
            targets.answer(200, index: index)
        } else {
            let recipient = Self.names[self.random(Self.names.count)]
            self.replies += 1
            self.clients[recipient]?.expected.append("reply \(self.replies)")
            targets.answer(200, ["To: \(recipient)"], "reply \(self.replies)", index: index)
        }
    }

    private func packet(of targets: FakeTargets) -> Int {
        targets.requests.firstIndex { !$0.bodyRange.isEmpty } ?? 0
    }

    private mutating func changeHealth() {
        let all = Array(self.targets.joined())
        let targets = all[self.random(all.count)]
        targets.usable = [[], [0], [1], [0, 1]][self.random(4)]
        targets.mayBeUsable()
    }

    /// A new generation: with new targets, with the same, or without the pool for a while.
    private mutating func reload() {
        switch self.random(3) {
        case 0:
            self.harness.install(targets: self.targets.map { $0[$0.count - 1] })
        case 1:
            self.harness.install(withPool: false)
            self.harness.install(targets: self.targets.map { $0[$0.count - 1] })
        default:
            let new = self.targets.map { _ in FakeTargets(2) }
            for index in self.targets.indices { self.targets[index].append(new[index]) }
            self.harness.install(targets: new)
        }
    }
}

import RelayEngine
import SimulatedSystem

/// One step of a script that is run on Linux and on the simulated system.
///
/// Connections are numbered; a step about one that does not exist, or that is closed, does nothing.
enum ScriptStep: CustomStringConvertible {
    /// One connection more, connected and accepted; its ends are in an edge-triggered epoll.
    case connect
    /// One connection more that waits to be accepted.
    case dial
    /// accept(2).
    case accept
    /// close(2) of the listener, and another one at the same address.
    case relisten
    /// connect(2) to where nobody listens any more: the listener is closed for that time.
    case refused
    /// send(2) of a few bytes.
    case send(ScriptEnd, Int)
    /// recv(2).
    case receive(ScriptEnd, Int)
    /// send(2) until the buffers are full, then recv(2) at the other end until nothing more comes.
    case fill(ScriptEnd)
    /// recv(2) until nothing more comes.
    case drain(ScriptEnd)
    /// shutdown(2) of the sending side.
    case shutdown(ScriptEnd)
    /// close(2).
    case close(ScriptEnd)
    /// close(2) with `SO_LINGER` 0.
    case reset(ScriptEnd)
    /// `SO_ERROR`.
    case takeError(ScriptEnd)

    /// A script of `count` steps; the first one connects.
    static func script(
        count: Int,
        using generator: inout SeededGenerator
    ) -> [ScriptStep] {
        var connections = 1
        var steps = [ScriptStep.connect]
        while steps.count < count {
            let end = ScriptEnd(
                connection: Int.random(in: 0..<connections, using: &generator),
                isClient: generator.chance(0.5)
            )
            switch Int.random(in: 0..<20, using: &generator) {
            case 0:
                steps.append(.connect)
                connections += 1
            case 1:
                steps.append(.dial)
                connections += 1
            case 2: steps.append(.accept)
            case 3:
                steps.append(generator.chance(0.5) ? .relisten : .refused)
                if case .refused = steps[steps.count - 1] { connections += 1 }
            case 4..<7: steps.append(.send(end, generator.size(upTo: 3000)))
            case 7..<12: steps.append(.receive(end, generator.size(upTo: 3000)))
            case 12: steps.append(.fill(end))
            case 13, 14: steps.append(.drain(end))
            case 15: steps.append(.shutdown(end))
            case 16, 17: steps.append(.close(end))
            case 18: steps.append(.reset(end))
            default: steps.append(.takeError(end))
            }
        }
        return steps
    }

    var description: String {
        switch self {
        case .connect: "connect"
        case .dial: "dial"
        case .accept: "accept"
        case .relisten: "relisten"
        case .refused: "refused"
        case .send(let end, let count): "send \(end) \(count)"
        case .receive(let end, let count): "receive \(end) \(count)"
        case .fill(let end): "fill \(end)"
        case .drain(let end): "drain \(end)"
        case .shutdown(let end): "shutdown \(end)"
        case .close(let end): "close \(end)"
        case .reset(let end): "reset \(end)"
        case .takeError(let end): "takeError \(end)"
        }
    }
}

/// One end of a connection of a script.
struct ScriptEnd: Hashable, CustomStringConvertible {
    let connection: Int
    let isClient: Bool

    /// The number by which its events are known.
    var token: UInt64 { UInt64(self.connection) * 2 + (self.isClient ? 0 : 1) }

    /// The other end.
    var other: ScriptEnd { ScriptEnd(connection: self.connection, isClient: !self.isClient) }

    var description: String { "\(self.connection)\(self.isClient ? "c" : "s")" }
}

/// What can be seen of all connections when nothing is on its way any more.
struct ScriptObservation: Equatable, CustomStringConvertible {
    /// What poll(2) says of each open end, by its token.
    var readiness: [UInt64: EpollEvents] = [:]
    /// What the edge-triggered epoll has reported in the step.
    var reported: [UInt64: EpollEvents] = [:]
    /// Whose `SIOCOUTQ` is not 0.
    var unacknowledged: Set<UInt64> = []

    var description: String {
        let ends = self.readiness.keys.sorted().map { token in
            let end = ScriptEnd(connection: Int(token / 2), isClient: token % 2 == 0)
            let state = String(self.readiness[token]?.rawValue ?? 0, radix: 16)
            let events = self.reported[token].map { String($0.rawValue, radix: 16) } ?? "-"
            let queued = self.unacknowledged.contains(token) ? " outq" : ""
            return "\(end) \(state) (\(events))\(queued)"
        }
        return ends.joined(separator: ", ")
    }
}

/// Runs a script on one system.
final class ScriptRunner {
    private let calls: RawCalls
    private var listener: Descriptor = -1
    private var address: SocketAddress
    private let epoll: Descriptor
    private let settle: () throws -> Void
    private var ends: [ScriptEnd: Descriptor] = [:]
    private var connections = 0
    /// Connections that wait to be accepted, the oldest first.
    private var waiting: [Int] = []
    /// Bytes on the way to each end: sent to it and not received.
    private var pending: [ScriptEnd: Int] = [:]

    private var system: SystemCalls { self.calls.system }

    /// Listens at `address`; `settle` lets what is on its way arrive.
    init(
        _ system: SystemCalls,
        address: SocketAddress,
        settle: @escaping () throws -> Void
    ) throws {
        self.calls = RawCalls(system: system)
        self.settle = settle
        self.address = address
        self.epoll = system.createEpoll().descriptor
        try self.listen()
    }

    /// Closes everything.
    func finish() {
        for descriptor in self.ends.values { _ = self.system.close(descriptor) }
        _ = self.system.close(self.listener)
        _ = self.system.close(self.epoll)
        if case .unix(let path) = self.address { _ = self.system.removeFile(path) }
    }

    /// Does one step; what its calls gave, in words that are the same on both systems.
    func run(_ step: ScriptStep) throws -> String {
        switch step {
        case .connect:
            // Those who came before are accepted first.
            while !self.waiting.isEmpty { _ = self.accept() }
            try self.dial()
            return self.accept()
        case .dial:
            try self.dial()
            return "dialled"
        case .accept: return self.accept()
        case .relisten:
            _ = self.system.close(self.listener)
            self.waiting = []
            try self.settle()
            try self.listen()
            return "listens"
        case .refused:
            _ = self.system.close(self.listener)
            self.waiting = []
            try self.settle()
            let result = try self.dial()
            self.waiting = []
            try self.listen()
            return self.word(result)
        case .send(let end, let count):
            return self.on(end) { self.word(self.send(end, $0, count)) }
        case .receive(let end, let count):
            return self.on(end) { self.word(self.receive(end, $0, count)) }
        case .fill(let end): return try self.fill(end)
        case .drain(let end): return try self.drain(end)
        case .shutdown(let end):
            return self.on(end) { self.word(self.system.shutdownOutput($0)) }
        case .close(let end): return self.close(end)
        case .reset(let end):
            return self.on(end) {
                _ = self.system.setOption(.resetOnClose, of: $0, to: 1)
                return self.close(end)
            }
        case .takeError(let end):
            return self.on(end) { self.word(self.system.takeSocketError($0)) }
        }
    }

    /// Looks at everything, adding what the epoll reports to what `earlier` has seen.
    func observe(adding earlier: ScriptObservation = ScriptObservation()) -> ScriptObservation {
        var seen = earlier
        seen.readiness = [:]
        seen.unacknowledged = []
        for (end, descriptor) in self.ends {
            seen.readiness[end.token] = self.calls.readiness(descriptor)
            let queued = self.system.bytesUnacknowledged(descriptor).value
            if queued > 0 { seen.unacknowledged.insert(end.token) }
        }
        // Last: what was seen above has been reported.
        for (token, events) in self.calls.wait(self.epoll) {
            seen.reported[token, default: []].formUnion(events)
        }
        return seen
    }

    private func listen() throws {
        self.listener = self.system.socket(self.address.testFamily).descriptor
        if case .unix(let path) = self.address { _ = self.system.removeFile(path) }
        _ = self.system.setOption(.reuseAddress, of: self.listener, to: 1)
        for result in [
            self.system.bind(self.listener, to: self.address),
            self.system.listen(self.listener, backlog: 64),
        ] {
            if let error = result.error { throw error }
        }
        self.address = self.system.localAddress(self.listener) ?? self.address
    }

    /// Connects, and lets that be decided.
    @discardableResult
    private func dial() throws -> SystemResult {
        let client = self.system.socket(self.address.testFamily).descriptor
        let result = self.system.connect(client, to: self.address)
        try self.settle()
        self.watch(ScriptEnd(connection: self.connections, isClient: true), client)
        self.waiting.append(self.connections)
        self.connections += 1
        return result
    }

    private func accept() -> String {
        let server = self.system.accept(self.listener).result
        guard server.isSuccess else { return self.word(server) }
        // More than are waiting would be a finding, and has to have a name.
        let connection = self.waiting.isEmpty ? self.connections : self.waiting.removeFirst()
        self.watch(ScriptEnd(connection: connection, isClient: false), server.descriptor)
        return "accepted \(connection)"
    }

    private func watch(_ end: ScriptEnd, _ descriptor: Descriptor) {
        self.ends[end] = descriptor
        _ = self.system.epollAdd(
            self.epoll,
            descriptor,
            [.readable, .writable, .peerHangUp, .edgeTriggered],
            token: end.token
        )
    }

    private func send(_ end: ScriptEnd, _ descriptor: Descriptor, _ count: Int) -> SystemResult {
        let result = self.calls.send(descriptor, count: count)
        self.pending[end.other, default: 0] += result.value
        return result
    }

    private func receive(_ end: ScriptEnd, _ descriptor: Descriptor, _ count: Int) -> SystemResult {
        switch self.calls.receive(descriptor, count) {
        case .success(let bytes):
            self.pending[end, default: 0] -= bytes.count
            return SystemResult(bytes.count)
        case .failure(let error): return SystemResult(failure: error)
        }
    }

    /// Fills and drains in one step, because how a full buffer is used in between is each system's own
    /// business.
    private func fill(_ end: ScriptEnd) throws -> String {
        guard let descriptor = self.ends[end], !self.waiting.contains(end.connection) else {
            return "-"
        }
        var refusals = 0
        while refusals < 20 {
            let result = self.send(end, descriptor, 65_536)
            if result.error == .tryAgain {
                refusals += 1
                try self.settle()
            } else if result.error != nil {
                return self.word(result)
            } else {
                refusals = 0
            }
        }
        let isWritable = self.calls.readiness(descriptor).contains(.writable)
        return try "full, \(isWritable ? "writable" : "not writable"), \(self.drain(end.other))"
    }

    private func drain(_ end: ScriptEnd) throws -> String {
        guard let descriptor = self.ends[end] else { return "-" }
        for _ in 0..<100_000 {
            let result = self.receive(end, descriptor, 65_536)
            if result.error == .tryAgain {
                if self.pending[end, default: 0] <= 0 { return "empty" }
                try self.settle()
            } else if result.error != nil || result.value == 0 {
                return self.word(result)
            }
        }
        return "never empty"
    }

    private func close(_ end: ScriptEnd) -> String {
        self.on(end) { descriptor in
            self.ends[end] = nil
            return self.word(self.system.close(descriptor))
        }
    }

    private func on(_ end: ScriptEnd, _ body: (Descriptor) -> String) -> String {
        self.ends[end].map(body) ?? "-"
    }

    private func word(_ result: SystemResult) -> String {
        result.error.map { "error \($0.code)" } ?? "\(result.value)"
    }
}

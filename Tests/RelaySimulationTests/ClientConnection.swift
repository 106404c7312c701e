import RelayEngine
import SimulatedSystem

/// A connection of a client to relay: sends requests, reads answers.
final class ClientConnection {
    let number: Int
    let peer: SimulatedPeer
    /// Requests that are not answered, in order.
    private(set) var open: [ClientRequest] = []
    /// All requests that were sent on it.
    private var requests: [ClientRequest] = []
    /// How many answers were read.
    private(set) var answers = 0
    /// Called when an answer was read.
    var onAnswer: ((HTTPMessage) -> Void)?
    /// Called once when there will be no answer any more.
    var onEnd: (() -> Void)?
    /// Whether the client has broken it off: what was on its way may be lost.
    private(set) var isBrokenOff = false
    /// Whether the client has ended its stream, or closed.
    private(set) var isEnding = false
    /// Whether requests were sent before the one before was answered.
    private(set) var hasPipelined = false
    /// Whether all of it was read at once.
    var readsAtOnce = true
    private var reader = HTTPMessageReader(readsResponses: true)
    private var hasEnded = false
    private unowned let world: World
    private let dribbles: Bool
    private var toDribble: [UInt8] = []

    init(
        _ world: World,
        number: Int,
        to address: SocketAddress = Scenario.listener,
        dribbles: Bool = false
    ) {
        self.world = world
        self.number = number
        self.dribbles = dribbles
        self.peer = world.simulation.connect(to: address)
        self.peer.onReceived = { [unowned self] in self.received($0.takeReceived()) }
        self.peer.onInputEnded = { [unowned self] _ in self.inputEnded() }
        self.peer.onFailed = { [unowned self] _, _ in self.ended() }
    }

    /// Whether another request can be sent.
    var isUsable: Bool {
        !self.hasEnded && !self.isEnding && !self.peer.isClosed && !self.peer.hasInputEnded
    }

    /// Whether it ended without anybody being at fault but relay: it was reset, and not by the client.
    var wasReset: Bool { self.peer.failure != nil }

    /// Whether relay has begun an answer that was not read in whole.
    var hasUnreadAnswer: Bool { self.peer.bytesWrittenByOtherEnd > self.reader.bytesOfMessages }

    /// Sends a request at the packet path; nil: any other.
    func send(_ bytes: [UInt8], as request: ClientRequest?, label: String = "a login") {
        let port = self.peer.address?.port ?? 0
        self.world.note("client at \(port) sends \(request?.label ?? label)")
        if let request {
            if !self.open.isEmpty { self.hasPipelined = true }
            self.open.append(request)
            self.requests.append(request)
        }
        if self.dribbles {
            let isIdle = self.toDribble.isEmpty
            self.toDribble += bytes
            if isIdle { self.dribble() }
        } else {
            self.peer.send(bytes)
        }
    }

    /// How many requests were answered that were sent after `request`.
    func answersBehind(_ request: ClientRequest) -> Int {
        guard let index = self.requests.firstIndex(where: { $0 === request }) else { return 0 }
        return self.requests[(index + 1)...].count { $0.status != nil }
    }

    private func dribble() {
        guard !self.toDribble.isEmpty, !self.peer.isClosed else { return }
        let size = self.world.size(upTo: max(self.toDribble.count / 8, 3))
        let piece = self.toDribble.prefix(size)
        self.toDribble.removeFirst(piece.count)
        self.peer.send(Array(piece))
        self.world.simulation.after(.milliseconds(self.world.size(upTo: 40))) { self.dribble() }
    }

    /// Ends the connection from the client's side.
    func end(_ ending: Visit.Ending) {
        switch ending {
        case .keep, .left: break
        case .close:
            self.isEnding = true
            if !self.open.isEmpty || !self.readsAtOnce { self.isBrokenOff = true }
            for request in self.open { request.wasLeft = true }
            self.peer.close()
        case .reset:
            self.isEnding = true
            self.isBrokenOff = true
            self.peer.reset()
        }
        if ending != .left, ending != .keep { self.ended() }
    }

    /// Ends the client's stream; answers are still read.
    func halfClose() {
        self.isEnding = true
        for request in self.open { request.wasLeft = true }
        self.peer.shutdownOutput()
    }

    private func received(_ bytes: [UInt8]) {
        self.open.first?.firstByteCame(self.world.simulation.now)
        self.reader.append(bytes)
        while let message = self.reader.next() { self.answered(message) }
        if let fault = self.reader.fault {
            self.world.oracle.broken("an answer is no HTTP: \(fault)")
        }
    }

    private func answered(_ message: HTTPMessage) {
        self.answers += 1
        if !self.open.isEmpty {
            let request = self.open.removeFirst()
            self.world.oracle.answered(request, message)
            self.open.first?.firstByteCame(self.world.simulation.now)
        }
        self.onAnswer?(message)
    }

    private func inputEnded() {
        if let message = self.reader.ended() { self.answered(message) }
        if !self.peer.isClosed, !self.isEnding { self.peer.close() }
        self.ended()
    }

    private func ended() {
        guard !self.hasEnded else { return }
        self.hasEnded = true
        let unanswered = self.open
        self.open = []
        for request in unanswered { self.world.oracle.unanswered(request) }
        if self.peer.hasInputEnded, self.isEnding { self.peer.close() }
        self.onEnd?()
    }
}

import RelayEngine
import SimulatedSystem

/// A target of the web pool.
final class WebTarget {
    let address: SocketAddress
    var generator: SeededGenerator
    unowned let world: World
    private(set) var isSettled = false
    private var listener: SimulatedPeerListener?
    private var connections: [WebTargetConnection] = []

    init(_ world: World, _ address: SocketAddress, generator: SeededGenerator) {
        self.world = world
        self.address = address
        self.generator = generator
    }

    /// Whether it may misbehave.
    var isMoody: Bool { self.world.scenario.hasMoods && !self.isSettled }

    /// Listens.
    func begin() throws {
        let listener = try self.world.simulation.listen(at: self.address)
        listener.onAccept = { [unowned self] peer in
            self.connections.removeAll { $0.peer.isClosed }
            self.connections.append(WebTargetConnection(self, peer))
        }
        self.listener = listener
    }

    /// From now on it is healthy.
    func settle() { self.isSettled = true }
}

/// A connection of relay to a target of the web pool.
final class WebTargetConnection {
    let peer: SimulatedPeer
    private unowned let target: WebTarget
    private var reader = HTTPMessageReader(readsResponses: false)
    private var visit: WebVisit?

    /// What a target does with a request.
    private enum Mood: CaseIterable {
        /// Answers it in whole.
        case healthy
        /// Answers with an error.
        case failing
        /// Sends the answer in small pieces.
        case slow
        /// Breaks the answer off.
        case breakingOff
        /// Resets the connection.
        case resetting
        /// Never answers.
        case mute
    }

    init(_ target: WebTarget, _ peer: SimulatedPeer) {
        self.target = target
        self.peer = peer
        peer.onReceived = { [unowned self] in
            self.reader.append($0.takeReceived())
            while let message = self.reader.next() { self.received(message) }
            if let fault = self.reader.fault {
                self.target.world.oracle.broken("a request to a target is no HTTP: \(fault)")
            }
        }
        peer.onInputEnded = { $0.close() }
    }

    private func received(_ message: HTTPMessage) {
        guard let visit = self.target.world.oracle.webVisit(message) else { return }
        let isMoody = self.target.isMoody && self.target.generator.chance(0.4)
        let mood = isMoody ? Mood.allCases.randomElement(using: &self.target.generator) : nil
        switch mood {
        case .mute:
            visit.isCut = true
        case .resetting:
            visit.isCut = true
            self.peer.reset()
        case .failing:
            self.answer(visit, status: 500)
        default:
            self.answer(visit, status: 200, mood ?? .healthy)
        }
    }

    private func answer(_ visit: WebVisit, status: Int, _ mood: Mood = .healthy) {
        visit.status = status
        let size = self.target.generator.size(upTo: 120_000)
        let byte = UInt8(97 + visit.request.number % 26)
        visit.body = Array("\(visit.request.number)/\(visit.index) ".utf8)
        visit.body += [UInt8](repeating: byte, count: size)
        var lines = [
            "HTTP/1.1 \(status) Whatever", "X-Answer: \(visit.request.number)",
            "X-Visit: \(visit.index)", "X-Hop: 1",
        ]
        var framed = visit.body
        let form = Int.random(in: 0...3, using: &self.target.generator)
        switch form {
        case 0: lines.append("Connection: close, X-Hop")
        case 1:
            lines += ["Connection: X-Hop", "Transfer-Encoding: chunked"]
            framed = visit.body.chunked
        default: lines += ["Connection: X-Hop", "Content-Length: \(framed.count)"]
        }
        let bytes = Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8) + framed
        switch mood {
        case .breakingOff:
            visit.isCut = true
            let count = self.target.generator.size(upTo: bytes.count - 1)
            self.peer.send(Array(bytes.prefix(count)))
            // The end of the stream is the end of an answer without a length: only a reset breaks that.
            let isAbrupt = form == 0 || self.target.generator.chance(0.5)
            self.target.world.simulation.after(.milliseconds(5)) { [weak self] in
                if isAbrupt { self?.peer.reset() } else { self?.peer.close() }
            }
        case .slow:
            self.write(bytes[...], closes: form == 0)
        default:
            self.peer.send(bytes)
            if form == 0 { self.peer.close() }
        }
    }

    private func write(_ bytes: ArraySlice<UInt8>, closes: Bool) {
        guard !self.peer.isClosed else { return }
        let count = min(max(bytes.count / 3, 100), bytes.count)
        self.peer.send(Array(bytes.prefix(count)))
        let rest = bytes.dropFirst(count)
        guard !rest.isEmpty else {
            if closes { self.peer.close() }
            return
        }
        let pause = self.target.generator.duration(in: .zero...(.milliseconds(200)))
        self.target.world.simulation.after(pause) { self.write(rest, closes: closes) }
    }
}

import RelayEngine
import SimulatedSystem

/// A connection of relay to a backend: reads requests, writes answers.
final class BackendConnection {
    let peer: SimulatedPeer
    private let backend: Backend
    private var reader = HTTPMessageReader(readsResponses: false)
    /// The request that is not answered yet.
    private var current: Attempt?
    private var isAnswering = false
    /// The one before, whose answer relay has read if it sends another.
    private var answered: Attempt?
    private var endsBehindAnswer = false
    /// Whether a request was read that will not be answered.
    private(set) var isMute = false

    init(_ backend: Backend, _ peer: SimulatedPeer) {
        self.backend = backend
        self.peer = peer
        peer.onReceived = { [unowned self] in self.received($0.takeReceived()) }
        peer.onInputEnded = { [unowned self] _ in
            self.current?.isOver = true
            if self.current == nil { self.peer.close() }
        }
    }

    private var world: World { self.backend.world }

    /// Whether no request is under way.
    var isIdle: Bool { self.current == nil && self.reader.isAtStart }

    /// Closes it in order.
    func close() { self.peer.close() }

    /// Breaks it off.
    func cut() {
        guard !self.peer.isClosed else { return }
        self.current?.isCut = true
        self.current?.isOver = true
        self.answered?.isCut = true
        self.peer.reset()
    }

    private func received(_ bytes: [UInt8]) {
        if self.backend.mood == .resettingEarly { return self.cut() }
        self.reader.append(bytes)
        while let message = self.reader.next() { self.requestReceived(message) }
        if let fault = self.reader.fault {
            self.world.oracle.broken("a request to a backend is no HTTP: \(fault)")
        }
    }

    private func requestReceived(_ message: HTTPMessage) {
        if self.current != nil {
            self.world.oracle.broken("a request on a connection whose answer is missing")
        }
        if let answered = self.answered { self.world.oracle.proven(answered) }
        self.answered = nil
        let attempt = self.world.oracle.received(message, by: self.backend)
        self.current = attempt
        guard let attempt else { return self.answerLogin(message) }
        switch self.backend.mood {
        case .resettingLate: return self.cut()
        case .mute:
            self.isMute = true
            return
        default: break
        }
        var delay = Duration.zero
        if message.body.isEmpty || self.backend.mood == .holding {
            delay = self.backend.generator.duration(in: .zero...(.seconds(3)))
        }
        self.world.simulation.after(delay) { self.answer(attempt) }
    }

    // MARK: Answering

    private func answer(_ attempt: Attempt) {
        guard !self.peer.isClosed, !attempt.isCut else { return }
        var fields = ["Type: Auth", "X-Backend: \(self.backend.address.port)"]
        if self.backend.generator.chance(0.5) { fields.append("More: 999") }
        var body: [UInt8] = []
        var status = 200
        switch self.backend.mood {
        case .failing: status = self.backend.errorStatus
        case .rejecting where attempt.packet != nil && self.backend.generator.chance(0.3):
            status = 400
        default: break
        }
        if status == 200, let gift = self.gift(attempt) {
            body = gift.contents
            let recipients = gift.copies.map(\.recipient)
            if !recipients.isEmpty { fields.append("To: \(recipients.joined(separator: ", ,"))") }
            fields.append("X-Reply: \(gift.number)")
            if let from = gift.from { fields.append("From: \(from)") }
            if let key = gift.key { fields.append("Packet-Id: \(key)") }
        } else if status == 200, self.backend.generator.chance(0.3) {
            fields.append("To: c0")
        }
        let ended = self.backend.clientsToEnd()
        if !ended.isEmpty {
            fields.append("End-Session: \(ended.map(\.name).joined(separator: ", "))")
            for client in ended { client.sessionEndSaid(by: attempt) }
        }
        attempt.status = status
        self.write(status: status, fields, body, attempt)
    }

    /// The packet that goes with an answer: one that was given before, as its key has not come back, or a new one.
    private func gift(_ attempt: Attempt) -> Gift? {
        let backend = self.backend
        let oracle = self.world.oracle
        if attempt.packet == nil, let gift = backend.giftToRepeat() {
            oracle.giveAgain(gift, attempt)
            return gift
        }
        guard backend.generator.chance(attempt.packet == nil ? 0.5 : 0.6),
            attempt.packet != nil || backend.isGenerous
        else { return nil }
        let gift = oracle.give(
            attempt,
            to: backend.recipients(sender: attempt.packet?.client),
            from: backend.generator.chance(0.2) ? "server" : nil,
            isKeyed: attempt.packet == nil && self.world.scenario.hasKeyedFetches
                && backend.generator.chance(0.6),
            isHuge: self.world.scenario.hasHugeReplies && backend.isGenerous
                && backend.generator.chance(0.05)
        )
        if gift.key != nil { backend.keyedGifts.append(gift) }
        return gift
    }

    private func write(status: Int, _ fields: [String], _ body: [UInt8], _ attempt: Attempt?) {
        let generator = self.backend.generator.chance(0.1)
        self.endsBehindAnswer = generator || self.backend.mood == .closing
        var lines = ["HTTP/1.1 \(status) Whatever"] + fields
        var framed = body
        let form = Int.random(in: 0...9, using: &self.backend.generator)
        if form == 0 {
            self.endsBehindAnswer = true
            lines.append("Connection: close")
        } else if form <= 3 {
            lines.append("Transfer-Encoding: chunked")
            framed = body.chunked
        } else {
            lines.append("Content-Length: \(body.count)")
            if self.endsBehindAnswer, form <= 6 { lines.append("Connection: close") }
        }
        let bytes = Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8) + framed
        if self.backend.mood == .breakingOff, form != 0 {
            attempt?.isCut = true
            self.peer.send(Array(bytes.prefix(self.backend.generator.size(upTo: bytes.count - 1))))
            self.world.simulation.after(.milliseconds(5)) { [weak self] in self?.cut() }
        } else if self.backend.mood == .slow {
            self.writePieces(bytes[...], attempt)
        } else {
            self.peer.send(bytes)
            self.wrote(attempt)
        }
    }

    private func writePieces(_ bytes: ArraySlice<UInt8>, _ attempt: Attempt?) {
        guard !self.peer.isClosed else { return }
        let count = min(max(bytes.count / 3, 40), bytes.count)
        self.peer.send(Array(bytes.prefix(count)))
        let rest = bytes.dropFirst(count)
        if rest.isEmpty { return self.wrote(attempt) }
        let pause = self.backend.generator.duration(in: .zero...(.milliseconds(300)))
        self.world.simulation.after(pause) { self.writePieces(rest, attempt) }
    }

    private func wrote(_ attempt: Attempt?) {
        attempt?.wroteAt = self.world.simulation.now
        attempt?.isOver = true
        self.answered = attempt
        self.current = nil
        if self.endsBehindAnswer || self.peer.hasInputEnded { self.peer.close() }
    }

    private func answerLogin(_ message: HTTPMessage) {
        let client = String(decoding: message.body, as: UTF8.self)
        switch self.backend.mood {
        case .resettingLate: return self.cut()
        case .mute: self.isMute = true
        case .failing: self.write(status: self.backend.errorStatus, [], [], nil)
        default:
            let token = self.world.nextToken(of: client)
            self.write(status: 200, ["Client-Id: \(client)"], Array((token + "\r\n").utf8), nil)
        }
    }
}

import RelayEngine
import RelayHTTP
import SimulatedSystem

/// An origin outside of the simulated machine that answers in every way that chance finds, right and wrong.
final class SimulatedOrigin {
    let address: SocketAddress
    /// How often each request has arrived whole, by its number (0 if it has none).
    private(set) var seen: [Int: Int] = [:]
    /// The requests that were answered whole, as far as the origin can tell.
    private(set) var answered: Set<Int> = []
    /// Connections that stand.
    private(set) var peers: [SimulatedPeer] = []
    /// Answers as it should from now on.
    var isWell = false

    private let simulation: Simulation
    private var generator: SeededGenerator
    private let listener: SimulatedPeerListener

    init(_ simulation: Simulation, at address: SocketAddress, generator: SeededGenerator) throws {
        self.simulation = simulation
        self.generator = generator
        self.listener = try simulation.listen(at: address)
        self.address = self.listener.address
        self.listener.onAccept = { [unowned self] in self.accepted($0) }
    }

    /// The body with which a request is answered.
    static func answer(to number: Int) -> String {
        "answer to \(number) " + String(repeating: "\(number % 10)", count: number * 37 % 5000)
    }

    private func accepted(_ peer: SimulatedPeer) {
        self.peers.append(peer)
        peer.onReceived = { [unowned self] in self.received($0) }
        peer.onInputEnded = { $0.close() }
    }

    private func received(_ peer: SimulatedPeer) {
        var parser = RequestParser()
        var head = RequestHead()
        let bytes = peer.received
        guard case .head = parser.parse(bytes.span, into: &head) else { return }
        var end = head.byteCount
        if case .length(let length) = head.framing { end += Int(length) }
        let number = self.number(of: head, bytes)
        guard end <= bytes.count else {
            // Now and then it does not want to see the rest.
            if !self.isWell, self.generator.chance(0.1) {
                self.respond(to: number, on: peer)
                peer.close()
            }
            return
        }
        _ = peer.takeReceived(end)
        self.seen[number, default: 0] += 1
        let delay = self.generator.duration(in: .microseconds(10)...(.milliseconds(300)))
        self.simulation.after(delay) { self.act(on: number, peer) }
    }

    private func number(of head: borrowing RequestHead, _ bytes: [UInt8]) -> Int {
        let name = Array("X-Number".utf8)
        let span = bytes.span
        guard let index = head.fields.firstIndex(named: name.span, in: span) else { return 0 }
        return UInt64(decimal: span.extracting(head.fields[index].value)).map(Int.init) ?? 0
    }

    private func act(on number: Int, _ peer: SimulatedPeer) {
        if peer.isClosed { return }
        switch self.isWell ? 0 : Int.random(in: 0..<20, using: &self.generator) {
        case 14: peer.reset()
        case 15: peer.close()
        case 16: peer.send("HTTP/1.1 2xx What\r\n\r\n")
        case 17: break
        case 18:
            peer.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbroken")
            peer.close()
        default: self.respond(to: number, on: peer)
        }
    }

    private func respond(to number: Int, on peer: SimulatedPeer) {
        let body = Self.answer(to: number)
        self.answered.insert(number)
        switch Int.random(in: 0..<5, using: &self.generator) {
        case 0:
            peer.send("HTTP/1.1 200 OK\r\n\r\n\(body)")
            peer.close()
        case 1:
            let half = body.utf8.count / 2
            let first = String(body.prefix(half))
            let second = String(body.dropFirst(half))
            peer.send(
                "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            )
            for part in [first, second] where !part.isEmpty {
                peer.send("\(String(part.utf8.count, radix: 16))\r\n\(part)\r\n")
            }
            peer.send("0\r\n\r\n")
        case 2:
            peer.send("HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
            self.endIdleLater(peer)
        default:
            peer.send("HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
        }
    }

    /// Ends the connection a while later if nothing has come meanwhile, with or without a word.
    private func endIdleLater(_ peer: SimulatedPeer) {
        let count = peer.receivedCount
        let speaks = self.generator.chance(0.5)
        let delay = self.generator.duration(in: .zero...(.milliseconds(400)))
        self.simulation.after(delay) {
            guard peer.receivedCount == count, !peer.isClosed else { return }
            if speaks { peer.send("HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n") }
            peer.close()
        }
    }
}

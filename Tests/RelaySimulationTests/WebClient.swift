import RelayEngine
import SimulatedSystem

/// A client of the web pool: sends one request after the other, and knows what must come back.
final class WebClient {
    private(set) var isIdle = true
    private var isSettled = false
    private var connection: ClientConnection?
    private unowned let world: World
    private var generator: SeededGenerator

    init(_ world: World, generator: SeededGenerator) {
        self.world = world
        self.generator = generator
    }

    /// Begins after a while, and goes on.
    func begin() {
        let pause = self.generator.duration(
            in: .zero...(.milliseconds(self.generator.chance(0.5) ? 1000 : 50))
        )
        self.world.simulation.after(pause) { [weak self] in
            guard let self, !self.isSettled, !self.world.isStopping else { return }
            self.send()
        }
    }

    /// From now on it sends nothing any more.
    func settle() { self.isSettled = true }

    private func send() {
        self.isIdle = false
        let request = self.world.oracle.webRequest(
            method: ["GET", "PUT", "POST", "DELETE"].randomElement(using: &self.generator) ?? "GET",
            bytes: self.generator.chance(0.5) ? self.generator.size(upTo: 150_000) : 0
        )
        let isFresh = self.generator.chance(0.3)
        let connection = self.usableConnection(isFresh: isFresh)
        request.connection = connection
        var isOver = false
        let finish = { [unowned self] in
            guard !isOver else { return }
            isOver = true
            connection.onAnswer = nil
            connection.onEnd = nil
            self.isIdle = true
            self.begin()
        }
        connection.onAnswer = { [unowned self] message in
            self.world.oracle.webAnswered(request, message)
            finish()
        }
        connection.onEnd = { [unowned self] in
            self.world.oracle.webUnanswered(request)
            finish()
        }
        connection.send(self.bytes(of: request), as: nil, label: request.label)
        if self.generator.chance(0.1) {
            let delay = self.generator.duration(in: .zero...(.milliseconds(500)))
            self.world.simulation.after(delay) {
                guard !isOver else { return }
                request.wasLeft = true
                connection.end(.reset)
            }
        }
        self.world.simulation.after(.seconds(60)) { [unowned self] in
            guard !isOver else { return }
            if !self.world.scenario.isFaulty {
                self.world.oracle.broken("\(request.label) is never answered")
            }
            request.wasLeft = true
            connection.end(.reset)
        }
    }

    private func bytes(of request: WebRequest) -> [UInt8] {
        var lines = [
            "\(request.method) /web/\(request.number) HTTP/1.1", "Host: web.example",
            "X-Web: \(request.number)", "X-Hop: 1", "Connection: X-Hop", "TE: trailers",
            "X-Forwarded-For: 203.0.113.9",
        ]
        let isChunked = !request.body.isEmpty && self.generator.chance(0.5)
        if isChunked {
            lines.append("Transfer-Encoding: chunked")
        } else if !request.body.isEmpty || request.method != "GET" {
            lines.append("Content-Length: \(request.body.count)")
        }
        let head = Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8)
        return head + (isChunked ? request.body.chunked : request.body)
    }

    private func usableConnection(isFresh: Bool) -> ClientConnection {
        if let connection = self.connection, connection.isUsable {
            if !isFresh { return connection }
            connection.end(.close)
        }
        let connection = ClientConnection(
            self.world,
            number: self.world.nextConnection(),
            to: Scenario.webListener,
            dribbles: self.generator.chance(0.1)
        )
        if self.generator.chance(0.2) {
            connection.peer.readBytesMax = 2000
            connection.peer.readPause = .milliseconds(2)
        }
        self.connection = connection
        return connection
    }
}

/// A request to the web pool, and what became of it.
final class WebRequest {
    let number: Int
    let method: String
    let body: [UInt8]
    /// Each time that a target has read it in whole.
    var visits: [WebVisit] = []
    /// Whether its client has given it up.
    var wasLeft = false
    /// The connection that it was sent on.
    var connection: ClientConnection?

    init(number: Int, method: String, body: [UInt8]) {
        self.number = number
        self.method = method
        self.body = body
    }

    /// For the history.
    var label: String { "\(self.method) /web/\(self.number) of \(self.body.count) bytes" }
}

/// A request to the web pool that a target has read in whole, and its answer.
final class WebVisit {
    let request: WebRequest
    /// Which of the visits of the request it is, from 0; `X-Visit` says it.
    let index: Int
    var status = 0
    var body: [UInt8] = []
    /// Whether the target broke its answer off, or never gave one.
    var isCut = false

    init(_ request: WebRequest, index: Int) {
        self.request = request
        self.index = index
    }
}

import RelayEngine
import SimulatedSystem

/// A client of the packet protocol: logs in, and has workers that visit relay in its manner.
final class Client {
    let name: String
    let kind: ClientKind
    private(set) var session: ClientSession?
    /// Sessions of before.
    private(set) var sessions: [ClientSession] = []
    /// Whether a login may have been granted that the client knows nothing of.
    private(set) var hasUnknownLogins = false
    /// Logins and logouts that are not answered.
    private(set) var loginsUnderWay = 0
    /// When the client had its first session.
    private(set) var knownSince: MonotonicTime?
    /// Whether it was without a session after it had one.
    private(set) var wasAway = false
    /// When a backend last gave `End-Session` with its name.
    private var endSaidAt: MonotonicTime?
    /// Its packets that have a name of its own.
    private var named: [SentPacket] = []
    /// The largest `Packet-Id` that it has read, which it acknowledges if that is its manner.
    var lastRead: UInt64 = 0
    /// Requests under way, on all its connections.
    var open: [ClientRequest] = []
    /// Whether it does no more of its own accord.
    private(set) var isSettled = false
    /// Whether it polls again and again, when the traffic is over.
    var isDraining = false
    /// Its polls under way when the traffic is over.
    var pollsSettled = 0
    private var keptForSettling: ClientConnection?
    private var workers: [ClientWorker] = []
    private var connections: [ClientConnection] = []
    unowned let world: World
    var generator: SeededGenerator

    init(_ world: World, name: String, kind: ClientKind, generator: SeededGenerator) {
        self.world = world
        self.name = name
        self.kind = kind
        self.generator = generator
    }

    /// Begins after a while.
    func begin() {
        let count = self.kind.workers(&self.generator)
        self.workers = (0..<count).map { ClientWorker(self, number: $0) }
        for worker in self.workers {
            worker.rest(self.generator.duration(in: .zero...(.seconds(1))))
        }
    }

    /// From now on it does nothing of its own accord, once its workers have finished what they do.
    func settle() { self.isSettled = true }

    /// Whether it may read what has arrived so late that something newer is read before.
    var isSlow: Bool { self.kind == .stalling || self.kind == .dying }

    /// Whether nobody works for it.
    var isIdle: Bool {
        self.workers.allSatisfy { $0.isResting } && self.loginsUnderWay == 0
            && self.pollsSettled == 0
    }

    /// The connection on which it polls when the traffic is over.
    var settledConnection: ClientConnection {
        if let kept = self.keptForSettling, kept.isUsable { return kept }
        let connection = self.connect()
        self.keptForSettling = connection
        return connection
    }

    /// Whether relay has begun an answer on another connection that was not read in whole.
    func hasUnreadAnswer(besides connection: ClientConnection) -> Bool {
        self.connections.contains { $0 !== connection && $0.hasUnreadAnswer }
    }

    /// A backend is about to give a packet for it: who likes to hang up does so about when it arrives.
    func replyIsComing() {
        guard self.kind == .hangingUp else { return }
        for worker in self.workers where self.generator.chance(0.6) {
            let latest: Duration =
                self.generator.chance(0.5) ? .microseconds(20) : .microseconds(80)
            let delay = self.generator.duration(in: .zero...latest)
            self.world.simulation.after(delay) { worker.hangUp?() }
        }
    }

    /// Closes what it has open.
    func close() {
        for connection in self.connections where !connection.peer.isClosed {
            connection.end(.close)
        }
    }

    func connect(dribbles: Bool = false) -> ClientConnection {
        let connection = ClientConnection(
            self.world,
            number: self.world.nextConnection(),
            dribbles: dribbles
        )
        self.connections.append(connection)
        return connection
    }

    // MARK: Requests

    /// Sends a request at the packet path.
    func send(_ plan: Visit.Request, on connection: ClientConnection) {
        guard var session else { return }
        if self.kind == .loggingIn || self.kind == .loggingOut, !self.isSettled,
            let old = self.sessions.last,
            self.generator.chance(0.15)
        {
            session = old
        }
        let request = ClientRequest(
            self,
            session,
            connection,
            waitSeconds: plan.waitSeconds,
            now: self.world.simulation.now
        )
        var lines = [
            "POST / HTTP/1.1", "Host: relay", "Authorization: Bearer \(session.token)",
            // What a stranger may not say.
            "From: somebody", "Type: Auth", "Attempt: 7", "Client-Id: c9",
            "X-Client: \(self.name)",
        ]
        if let seconds = plan.waitSeconds { lines.append("Prefer: wait=\(seconds)") }
        if self.kind.acknowledges {
            request.acknowledged = self.lastRead
            lines.append("Ack: \(self.lastRead)")
        }
        if plan.asksToClose { lines.append("Connection: close") }
        var body: [UInt8] = []
        if plan.hasPacket {
            let packet = self.takeForRepeat(for: request) ?? self.newPacket(for: request)
            if let gift = packet.gift {
                let recipients = gift.copies.map(\.recipient)
                lines.append("To: \(recipients.joined(separator: ","))")
                lines.append("X-Reply: \(gift.number)")
            }
            if packet.pool == "side" { lines.append("X-Pool: side") }
            if let key = packet.key { lines.append("Packet-Id: \(key)") }
            body = packet.gift?.contents ?? packet.contents
            lines.append("X-Number: \(packet.number)")
        } else {
            // Without a packet it means nothing.
            lines.append("Packet-Id: mine")
        }
        let isChunked = plan.hasPacket && self.generator.chance(0.3)
        lines.append(isChunked ? "Transfer-Encoding: chunked" : "Content-Length: \(body.count)")
        let head = Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8)
        self.world.oracle.sends(request)
        connection.send(head + (isChunked ? body.chunked : body), as: request)
    }

    /// A packet that was not sent before.
    private func newPacket(for request: ClientRequest) -> SentPacket {
        let isSide = self.world.scenario.hasSidePool && self.generator.chance(0.5)
        let packet = self.world.oracle.send(
            request,
            pool: isSide ? "side" : "main",
            to: self.kind.recipients(of: self, &self.generator),
            isNamed: self.kind.repeats || self.generator.chance(0.3)
        )
        if self.kind.repeats { self.named.append(packet) }
        return packet
    }

    /// A packet of its own name that is sent again: its request was never answered, or it likes to.
    private func takeForRepeat(for request: ClientRequest) -> SentPacket? {
        var packet = self.named.first {
            $0.request.status == nil && !$0.request.connection.isUsable
        }
        if packet == nil, self.kind == .repeating, self.generator.chance(0.4) {
            packet = self.named.last { $0.request.status == 200 }
        }
        packet?.repeats(request)
        return packet
    }

    // MARK: Login

    /// Logs in on a connection of its own, and again until that succeeds; then calls `completion`.
    func logIn(_ completion: @escaping () -> Void = {}) {
        self.loginsUnderWay += 1
        for request in self.open { request.isDisturbed = true }
        let connection = self.connect()
        let body = Array(self.name.utf8)
        let path = self.generator.chance(0.2) ? "/register" : "/auth"
        let permissions = self.kind == .debugServer ? "Permissions: Accept-Debug\r\n" : ""
        let head =
            "POST \(path) HTTP/1.1\r\nHost: relay\r\nConnection: close\r\nX-Client: \(self.name)\r\n"
            + permissions + "Content-Length: \(body.count)\r\n\r\n"
        var status: Int?
        connection.onAnswer = { [unowned self] message in
            status = message.status
            self.loginAnswered(message)
        }
        connection.onEnd = { [unowned self] in
            self.loginsUnderWay -= 1
            if status == 200 { return completion() }
            // Nobody knows what has become of it.
            if status != 503 { self.hasUnknownLogins = true }
            guard !self.world.isStopping else { return completion() }
            let pause = self.generator.duration(in: .milliseconds(200)...(.seconds(2)))
            self.world.simulation.after(pause) { self.logIn(completion) }
        }
        connection.send(Array(head.utf8) + body, as: nil)
        self.world.expectEnd(of: connection, within: .seconds(12), "a login is never answered")
    }

    private func loginAnswered(_ message: HTTPMessage) {
        self.world.oracle.loginAnswered(self, message)
        guard message.status == 200 else { return }
        let now = self.world.simulation.now
        self.sessionIsOver()
        if self.knownSince == nil { self.knownSince = now }
        // Backends like to end it with a line end.
        let token = message.body.filter { $0 > 0x20 }
        self.session = ClientSession(token: String(decoding: token, as: UTF8.self), since: now)
        if let said = self.endSaidAt, said + .seconds(10) > now {
            self.session?.mayHaveEnded = true
        }
    }

    /// Its session is certainly over.
    private func sessionIsOver() {
        guard let session else { return }
        self.session = nil
        self.sessions.append(session)
        guard session.replacedAt == nil else { return }
        session.replacedAt = self.world.simulation.now
        self.world.oracle.replaced(session, of: self)
    }

    /// Ends its session, once: if nobody answers it never learns whether that is so.
    func logOut() {
        guard let session, self.loginsUnderWay == 0 else { return }
        self.loginsUnderWay += 1
        self.wasAway = true
        for request in self.open { request.isDisturbed = true }
        let wasCertainlyLive =
            !session.mayHaveEnded && !self.hasUnknownLogins && session.replacedAt == nil
        session.mayHaveEnded = true
        let connection = self.connect()
        let head =
            "POST /logout HTTP/1.1\r\nHost: relay\r\nConnection: close\r\n"
            + "Authorization: Bearer \(session.token)\r\nContent-Length: 0\r\n\r\n"
        connection.onAnswer = { [unowned self] message in
            // A backend may have ended it since.
            let isCertain = wasCertainlyLive && !self.world.scenario.endsSessions
            self.world.oracle.logoutAnswered(message, wasCertainlyLive: isCertain)
            if self.session === session { self.sessionIsOver() }
        }
        connection.onEnd = { [unowned self] in self.loginsUnderWay -= 1 }
        connection.send(Array(head.utf8), as: nil)
        self.world.expectEnd(of: connection, within: .seconds(5), "a logout is never answered")
    }

    /// A backend gives an answer that ends its session, whichever that is when relay reads it.
    func sessionEndSaid(by attempt: Attempt) {
        let now = self.world.simulation.now
        self.world.note("a backend ends the session of \(self.name)")
        self.wasAway = true
        self.endSaidAt = now
        for request in self.open { request.isDisturbed = true }
        guard let session else { return }
        session.mayHaveEnded = true
        if self.loginsUnderWay == 0 { attempt.endings.append((self, session)) }
    }

    /// Its token is not good any more.
    func sessionEnded(_ session: ClientSession) {
        if self.session === session { self.session = nil }
    }
}

extension [UInt8] {
    /// The bytes as a chunked body, in two chunks.
    var chunked: [UInt8] {
        let middle = self.count / 3
        var result: [UInt8] = []
        for piece in [self[..<middle], self[middle...]] where !piece.isEmpty {
            result += Array<UInt8>("\(String(piece.count, radix: 16))\r\n".utf8) + piece + [13, 10]
        }
        return result + Array<UInt8>("0\r\n\r\n".utf8)
    }
}

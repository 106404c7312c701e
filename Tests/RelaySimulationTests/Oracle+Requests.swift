import RelayEngine
import SimulatedSystem

/// What holds for requests of clients and their answers (DESIGN 2.1).
extension Oracle {
    /// What a turn of everybody may take, besides the network.
    private var slack: Duration { .milliseconds(700) }

    /// A client sends a request.
    func sends(_ request: ClientRequest) {
        for other in request.client.open {
            // Who does not wait disturbs nobody.
            if request.waitSeconds != 0 { other.hadCompany = true }
            if other.waitSeconds != 0 { request.hadCompany = true }
        }
        if request.client.loginsUnderWay > 0 || request.session.mayHaveEnded {
            request.isDisturbed = true
        }
        request.client.open.append(request)
        self.displaces(request)
    }

    /// A client has read the answer to a request.
    func answered(_ request: ClientRequest, _ message: HTTPMessage) {
        request.status = message.status
        request.client.open.removeAll { $0 === request }
        if let session = request.session.replacedAt, request.sentAt > session,
            message.status != 401
        {
            self.broken("a request under a replaced token was answered with \(message.status)")
        }
        if let stoppedAt = self.world.stoppedAt, !message.isLast, request.connection.open.isEmpty,
            self.now > stoppedAt + .milliseconds(self.scenario.graceMilliseconds) + self.margin,
            !self.scenario.isFaulty, request.connection.readsAtOnce
        {
            self.broken("an answer does not say that relay is stopping")
        }
        if let packet = request.packet, message.status != 200, !packet.attempts.isEmpty,
            !packet.isRepeated
        {
            self.broken(
                "packet \(packet.number) was sent, and its request answered with \(message.status)"
            )
        }
        switch message.status {
        case 200: self.polled(request, message)
        case 401: self.refused(request)
        case 400, 403: self.notAllowed(request, message)
        case 503: self.hadNoRoom(request)
        default:
            let detail = String(decoding: message.body, as: UTF8.self)
            self.broken("a request was answered with '\(message.start)': \(detail)")
        }
        if message.status != 200, message.value(of: "content-type") != "application/problem+json" {
            self.broken("an error has no problem document")
        }
    }

    /// Relay has no room for the packet of a request.
    private func hadNoRoom(_ request: ClientRequest) {
        let limit =
            request.packet?.gift == nil
            ? self.scenario.inboxPacketsMax : self.scenario.outboxPacketsMax
        if limit == nil || request.packet == nil {
            self.broken("a request got 503, and nothing is full")
        }
    }

    private func refused(_ request: ClientRequest) {
        let isLive =
            request.session.replacedAt == nil && !request.client.hasUnknownLogins
            && !request.isDisturbed && request.client.session === request.session
            && !request.session.mayHaveEnded
        if isLive { self.broken("a live token of \(request.client.name) was refused") }
        request.client.sessionEnded(request.session)
    }

    private func polled(_ request: ClientRequest, _ message: HTTPMessage) {
        guard let more = message.value(of: "more").flatMap({ Int($0) }) else {
            return self.broken("a 200 without More")
        }
        let name = request.client.name
        let known = self.replies.count { reply in
            guard reply.recipient == name else { return false }
            guard let acknowledged = request.acknowledged else { return reply.deliveries.isEmpty }
            return reply.packetID.map { $0 > acknowledged } ?? true
        }
        if more + (message.body.isEmpty ? 0 : 1) > known + request.client.open.count + 1 {
            self.broken(
                "\(name) was told of \(more) more packets, of \(known) that it has not read"
            )
        }
        if message.value(of: "content-type") != "application/octet-stream"
            || message.value(of: "cache-control") != "no-store"
        {
            self.broken("a 200 without its Content-Type or Cache-Control")
        }
        self.checkLost(request, message)
        self.checkAddressed(request)
        let isDuplicate = message.value(of: "duplicate") == "true"
        self.checkDuplicate(request, isDuplicate, hasPacket: !message.body.isEmpty)
        if message.body.isEmpty {
            if message.count(of: "packet-id") > 0 { self.broken("no packet, but a Packet-Id") }
            if !isDuplicate { self.checkEmpty(request, more: more) }
        } else {
            self.delivered(request, message)
        }
        self.checkTime(request)
    }

    /// Relay says whether it has had the packet of a request before.
    private func checkDuplicate(_ request: ClientRequest, _ isDuplicate: Bool, hasPacket: Bool) {
        guard isDuplicate else {
            if let packet = request.packet, packet.wasStored {
                self.broken("packet \(packet.number) was stored before, and is no duplicate")
            }
            return
        }
        if hasPacket { self.broken("the answer to a duplicate brings a packet") }
        guard let packet = request.packet, packet.isRepeated else {
            return self.broken("a request is a duplicate, and its packet was sent once")
        }
    }

    /// A poll without a packet was held as long as it had to be, and there was none.
    private func checkEmpty(_ request: ClientRequest, more: Int) {
        guard !request.hadCompany, !request.isDisturbed, request.ahead == 0, !self.world.isStopping,
            !request.client.hasUnknownLogins, let answeredAt = request.answeredAt
        else { return }
        if answeredAt + .milliseconds(5) < request.sentAt + self.holdTime(of: request) {
            self.broken("a poll was answered empty before its time")
        }
        // An older delivery has failed or is proven by then, unless its client reads on and on.
        guard more > 0, !self.scenario.isFaulty, request.client.kind != .stalling,
            !request.connection.hasPipelined,
            self.holdTime(of: request) > .seconds(2) + self.margin
        else { return }
        self.broken("a poll of \(request.client.name) was answered empty, and \(more) wait")
    }

    /// A poll is answered by the end of its hold.
    private func checkTime(_ request: ClientRequest) {
        guard !self.scenario.isFaulty, request.connection.readsAtOnce, !request.client.isSlow else {
            return
        }
        let hold = self.scenario.hold * request.ahead + self.holdTime(of: request)
        let sending: Duration = request.client.kind == .dribbling ? .seconds(3) : .zero
        let end = request.sentAt + hold + sending + self.margin
        if request.connection.answers > 1, self.now > end {
            self.broken("a poll was answered \(self.now - request.sentAt) after it was sent")
        }
    }

    /// A client has read that `session` was replaced: what is held under it is answered at once.
    func replaced(_ session: ClientSession, of client: Client) {
        // What comes in pieces may not be here yet.
        guard !self.scenario.isFaulty, client.kind != .dribbling else { return }
        // One that is sent from now on is refused, in a time of its own.
        let sent = client.open.filter { $0.session === session }
        self.soon {
            let held = client.open.contains { request in
                sent.contains { $0 === request } && request.connection.readsAtOnce
                    && request.ahead == 0 && request.connection.isUsable
            }
            if held {
                self.broken("a poll of \(client.name) is held under a token that was replaced")
            }
        }
    }

    /// A newer poll of the client is under way: those that are held for long are answered.
    ///
    /// One that may be a duplicate is answered at once, and displaces none.
    private func displaces(_ request: ClientRequest) {
        guard !self.scenario.isFaulty, request.waitSeconds == nil, request.ahead == 0,
            request.packet?.isRepeated != true,
            request.connection.answers > 0, request.client.kind != .dribbling
        else { return }
        let older = request.client.open.filter { other in
            other !== request && other.connection !== request.connection
                && other.sentAt + .seconds(1) + self.margin < request.sentAt
                && other.session === request.session
        }
        guard !older.isEmpty else { return }
        self.soon {
            guard request.status == nil || request.status == 200 else { return }
            let isHeld = older.contains {
                $0.status == nil && $0.connection.isUsable && $0.connection.readsAtOnce
                    && $0.ahead == 0
            }
            if isHeld { self.broken("an old poll of \(request.client.name) was not displaced") }
        }
    }

    /// What may pass between two ends until one has seen what the other did.
    var margin: Duration { self.slack + self.scenario.networkDelay * 12 }

    private func soon(_ check: @escaping () -> Void) {
        self.world.simulation.after(self.margin, check)
    }

    /// Relay was told to stop: what is held is answered within `grace`.
    func stops() {
        guard !self.scenario.isFaulty else { return }
        let requests = self.world.clients.flatMap(\.open).filter { $0.ahead == 0 }
        self.world.simulation.after(.milliseconds(self.scenario.graceMilliseconds)) {
            self.soon {
                let held = requests.first { request in
                    request.status == nil && request.connection.isUsable
                        && request.connection.readsAtOnce && request.client.kind != .dribbling
                }
                if let held {
                    self.broken("\(held.client.name) is held though relay was told to stop")
                }
            }
        }
    }

    private func holdTime(of request: ClientRequest) -> Duration {
        guard let seconds = request.waitSeconds else { return self.scenario.hold }
        return min(.seconds(seconds), self.scenario.hold)
    }

    /// A request will not be answered any more.
    func unanswered(_ request: ClientRequest) {
        request.client.open.removeAll { $0 === request }
        let connection = request.connection
        guard !self.scenario.isFaulty, request.client.kind.isHealthy, !connection.isEnding,
            !self.world.isStopping
        else { return }
        self.broken("a request of \(request.client.name), which is healthy, was not answered")
    }

    /// A login was answered.
    func loginAnswered(_ client: Client, _ message: HTTPMessage) {
        switch message.status {
        case 200:
            if message.value(of: "client-id") ?? client.name != client.name {
                self.broken("\(client.name) was logged in as another")
            }
        case 502, 503, 504: break
        case 500, 404, 429: break
        default: self.broken("a login was answered with '\(message.start)'")
        }
    }

    /// A logout was answered.
    func logoutAnswered(_ message: HTTPMessage, wasCertainlyLive: Bool) {
        if message.status != 200, message.status != 401 || wasCertainlyLive {
            self.broken("a logout was answered with '\(message.start)'")
        }
    }
}

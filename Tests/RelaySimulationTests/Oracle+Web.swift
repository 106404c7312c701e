/// What holds for proxied requests (DESIGN 3): the target sees what the client sent, and the client an answer
/// that is whole or visibly broken.
extension Oracle {
    /// A client is about to send a request.
    func webRequest(method: String, bytes: Int) -> WebRequest {
        let number = self.webRequests.count
        let letter = UInt8(65 + number % 26)
        let body =
            bytes == 0 ? [] : Array("\(number) ".utf8) + Array(repeating: letter, count: bytes)
        let request = WebRequest(number: number, method: method, body: body)
        self.webRequests.append(request)
        return request
    }

    /// A target has read a request.
    func webVisit(_ message: HTTPMessage) -> WebVisit? {
        guard let number = message.value(of: "x-web").flatMap({ Int($0) }),
            self.webRequests.indices.contains(number)
        else {
            self.broken("a target got '\(message.start)', which nobody sent")
            return nil
        }
        let request = self.webRequests[number]
        self.world.note("a target reads \(request.label)")
        if message.start != "\(request.method) /web/\(number) HTTP/1.1" {
            self.broken("a target got '\(message.start)' for \(request.label)")
        }
        if message.body != request.body {
            self.broken("a target got \(message.body.count) other bytes for \(request.label)")
        }
        for name in ["x-hop", "te"] where message.count(of: name) > 0 {
            self.broken("a target got '\(name)', which ends at relay")
        }
        if message.value(of: "x-forwarded-for") != "127.0.0.1" {
            self.broken("a target got a stranger's X-Forwarded-For")
        }
        if request.method == "POST", !request.visits.isEmpty {
            self.broken("a target got \(request.label) twice")
        }
        if request.visits.count >= 3 { self.broken("\(request.label) was tried four times") }
        let visit = WebVisit(request, index: request.visits.count)
        request.visits.append(visit)
        return visit
    }

    /// A client has read an answer in whole.
    func webAnswered(_ request: WebRequest, _ message: HTTPMessage) {
        if message.count(of: "x-hop") > 0 { self.broken("a client got 'X-Hop'") }
        guard let index = message.value(of: "x-visit").flatMap({ Int($0) }) else {
            return self.webFailed(request, message)
        }
        guard message.value(of: "x-answer") == "\(request.number)",
            request.visits.indices.contains(index)
        else { return self.broken("\(request.label) got the answer to another one") }
        let visit = request.visits[index]
        if visit.status != message.status || visit.body != message.body {
            self.broken(
                "\(request.label) got \(message.body.count) bytes of an answer of \(visit.body.count)"
            )
        }
        if visit.isCut { self.broken("\(request.label) got a broken answer that looks whole") }
    }

    /// Relay has answered itself.
    private func webFailed(_ request: WebRequest, _ message: HTTPMessage) {
        let hasReason =
            self.scenario.isFaulty || self.world.isStopping
            || request.visits.contains(where: \.isCut)
        guard [502, 503, 504].contains(message.status), hasReason else {
            return self.broken("\(request.label) got '\(message.start)'")
        }
        if message.value(of: "content-type") != "application/problem+json" {
            self.broken("\(request.label) got an error without a problem document")
        }
    }

    /// The connection of a request has ended without a whole answer.
    func webUnanswered(_ request: WebRequest) {
        guard !self.scenario.isFaulty, !self.world.isStopping, !request.wasLeft,
            !request.visits.contains(where: \.isCut)
        else { return }
        self.broken("\(request.label) was not answered")
    }
}

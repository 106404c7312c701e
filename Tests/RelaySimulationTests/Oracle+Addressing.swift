/// What holds for packets that clients send to each other (DESIGN 2.4).
extension Oracle {
    /// A request with a packet for clients was answered with 200.
    func checkAddressed(_ request: ClientRequest) {
        guard let gift = request.packet?.gift else { return }
        let sender = request.client
        if sender.kind == .debugServer { return }
        let isAllowed =
            gift.copies.count == 1
            && self.world.client(gift.copies[0].recipient)?.kind == .debugServer
        if !isAllowed { self.broken("\(sender.name) may not send reply \(gift.number) to others") }
    }

    /// A request was answered with 400 or 403.
    func notAllowed(_ request: ClientRequest, _ message: HTTPMessage) {
        let sender = request.client
        guard let gift = request.packet?.gift, sender.kind != .debugServer else {
            let detail = String(decoding: message.body, as: UTF8.self)
            return self.broken("\(sender.name) got '\(message.start)': \(detail)")
        }
        let expected = gift.copies.count == 1 ? 403 : 400
        if message.status != expected {
            self.broken("\(sender.name) got \(message.status) for reply \(gift.number)")
        }
        if gift.copies.count == 1, let target = self.world.client(gift.copies[0].recipient),
            target.kind == .debugServer, self.isCertainlyLive(target, for: request)
        {
            self.broken("\(sender.name) got 403 for a live debug server, \(target.name)")
        }
    }

    /// Whether the client had a session for the whole time of a request.
    private func isCertainlyLive(_ client: Client, for request: ClientRequest) -> Bool {
        guard let session = client.session, !client.hasUnknownLogins else { return false }
        return session.since < request.sentAt && session.replacedAt == nil && !session.mayHaveEnded
            && client.loginsUnderWay == 0
    }
}

import RelayHTTP

extension Exchange {
    /// A plugin has failed, and what it was to look at does not pass without it.
    func respondPluginFailed() {
        self.respond(Problem(status: 500), detail: Self.pluginFailureDetail)
    }

    private static let pluginFailureDetail = "A plugin has failed."

    /// The same answer, in the place of another.
    static var pluginFailure: PluginChain.Answer {
        var fields: [UInt8] = []
        fields.appendField(.contentType, "application/problem+json")
        var document: [UInt8] = []
        document.appendProblemDocument(Problem(status: 500), detail: self.pluginFailureDetail)
        return PluginChain.Answer(
            status: 500,
            fields: fields,
            body: .whole(document, from: 0),
            isOwn: true
        )
    }
}

extension PluginChain {
    /// An answer was given in whole.
    func answerGiven(
        whole status: UInt16,
        _ fields: Span<UInt8>,
        _ bytes: [UInt8],
        from: Int,
        _ exchange: Exchange
    ) {
        var lines: [UInt8] = []
        lines.append(fields)
        let body = Answer.Body.whole(bytes, from: from)
        self.answerGiven(Answer(status: status, fields: lines, body: body, isOwn: true), exchange)
    }

    /// The head of a target's answer was given.
    func answerBegun(_ status: UInt16, _ fields: Span<UInt8>, length: UInt64?, _ exchange: Exchange)
    {
        var lines: [UInt8] = []
        lines.reserveCapacity(fields.count + 64)
        lines.append(fields)
        let body = Answer.Body.streamed(length: length)
        self.answerGiven(Answer(status: status, fields: lines, body: body, isOwn: false), exchange)
    }
}

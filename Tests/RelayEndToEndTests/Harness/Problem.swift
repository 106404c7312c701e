import Testing

/// Expects a problem document (RFC 9457) of relay's own, with a sentence for the person who reads it.
func expectProblem(
    _ answer: Message,
    _ status: Int,
    _ comment: Comment? = nil,
    sourceLocation: SourceLocation = #_sourceLocation
) {
    #expect(answer.status == status, comment, sourceLocation: sourceLocation)
    #expect(
        answer.field("Content-Type") == "application/problem+json",
        comment,
        sourceLocation: sourceLocation
    )
    let document = JSON(answer.text)
    #expect(
        document?["status"] == .number(Double(status)),
        comment,
        sourceLocation: sourceLocation
    )
    #expect(document?["detail"]?.text?.isEmpty == false, comment, sourceLocation: sourceLocation)
}

/// Expects the answer to a poll for which there is no packet.
func expectNoPacket(
    _ answer: Message,
    _ comment: Comment? = nil,
    sourceLocation: SourceLocation = #_sourceLocation
) {
    #expect(answer.status == 200, comment, sourceLocation: sourceLocation)
    #expect(answer.text == "", comment, sourceLocation: sourceLocation)
    #expect(answer.field("Packet-Id") == nil, comment, sourceLocation: sourceLocation)
    #expect(answer.field("More") == "0", comment, sourceLocation: sourceLocation)
}

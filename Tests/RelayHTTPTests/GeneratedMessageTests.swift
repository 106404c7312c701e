import RelayHTTP
import Testing

struct GeneratedMessageTests {
    /// A random way to cut `count` bytes.
    private func cuts(_ count: Int, using generator: inout SeededGenerator) -> [Int] {
        (0..<generator.below(5)).map { _ in 1 + generator.below(max(count, 1)) }
            .filter { $0 < count }.sorted()
    }

    /// Checks one parse against the plain reading of the same head.
    private func compare(_ request: RequestText, _ message: [UInt8], _ seed: UInt64) throws {
        let plain = try #require(
            PlainRequest(message),
            "seed \(seed): accepted \(text(message).debugDescription)"
        )
        #expect(request.method == plain.method)
        #expect(request.target == plain.target)
        #expect(request.framing == plain.framing)
        #expect(request.authority == plain.authority)
        #expect(request.isKeepAlive == plain.isKeepAlive)
        #expect(
            request.fields.map { "\($0.name.lowercased()): \($0.value)" } == plain.fields,
            "seed \(seed)"
        )
    }

    @Test func `reads generated requests as they were meant`() throws {
        for seed in UInt64(0)..<2000 {
            var generator = SeededGenerator(seed: seed)
            let (message, body) = GeneratedMessage.request(using: &generator)
            let whole = Transcript.read([message])
            #expect(whole.fault == nil, "seed \(seed)")
            let request = try #require(whole.requests.first, "seed \(seed)")
            #expect(request.body == body && request.isComplete, "seed \(seed)")
            #expect(whole.requests.count == 1, "seed \(seed)")
            try self.compare(request, message, seed)
            let cuts = self.cuts(message.count, using: &generator)
            #expect(Transcript.read(pieces(message, cuts: cuts)) == whole, "seed \(seed)")
        }
    }

    @Test func `accepts of damaged requests exactly what a plain reading accepts`() throws {
        var refused = 0
        for seed in UInt64(0)..<8000 {
            var generator = SeededGenerator(seed: seed)
            let (valid, _) = GeneratedMessage.request(using: &generator)
            let message = GeneratedMessage.damaged(valid, using: &generator)
            let whole = Transcript.read([message])
            if let request = whole.requests.first {
                try self.compare(request, message, seed)
            } else if whole.fault != nil {
                refused += 1
                #expect(
                    PlainRequest(message) == nil,
                    "seed \(seed): refused \(text(message).debugDescription)"
                )
            }
            let cuts = self.cuts(message.count, using: &generator)
            #expect(Transcript.read(pieces(message, cuts: cuts)) == whole, "seed \(seed)")
        }
        // The damage must be neither harmless nor fatal to all.
        #expect((1000..<7000).contains(refused))
    }

    @Test func `what is encoded again is read as the same`() throws {
        for seed in UInt64(0)..<500 {
            var generator = SeededGenerator(seed: seed)
            let (message, body) = GeneratedMessage.request(using: &generator)
            var parser = RequestParser()
            var head = RequestHead()
            #expect(parser.parse(message.span, into: &head) == .head, "seed \(seed)")
            let before = RequestText(head, in: message)
            var output: [UInt8] = []
            output.appendRequestLine(
                methodName: message.span.extracting(head.methodName),
                prefix: Span(),
                path: message.span.extracting(head.target),
                query: nil
            )
            for field in head.fields.positions where !field.isHopByHop {
                output.appendField(field, of: message.span)
            }
            output.appendFraming(head.framing)
            output.appendEndOfHead()
            if head.framing == .chunked {
                output.appendChunk(body.span)
                output.appendLastChunk()
            } else {
                output.append(body.span)
            }
            let after = try #require(Transcript.read([output]).requests.first, "seed \(seed)")
            #expect(after.target == before.target)
            #expect(after.framing == before.framing)
            #expect(after.body == body && after.isComplete, "seed \(seed)")
            let kept = before.fields.filter { !$0.isHopByHop }
            #expect(after.fields.filter { !$0.isHopByHop } == kept, "seed \(seed)")
        }
    }
}

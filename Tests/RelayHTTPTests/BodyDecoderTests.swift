import RelayHTTP
import Testing

struct BodyDecoderTests {
    private enum Ending: Equatable {
        case complete(rest: [UInt8])
        case open
        case failed(BodyFault)
    }

    private func decode(
        _ input: [UInt8],
        _ framing: BodyFraming,
        bytesMax: UInt64 = .max,
        cuts: [Int] = []
    ) -> (payload: [UInt8], ending: Ending) {
        var decoder = BodyDecoder(framing, bytesMax: bytesMax)
        var payload: [UInt8] = []
        var offset = 0
        for end in cuts + [input.count] {
            loop: while true {
                let piece = Array(input[offset..<end])
                switch decoder.decode(piece.span) {
                case .payload(let range, let consumed):
                    payload += piece[range]
                    offset += consumed
                case .needsInput(let consumed):
                    offset += consumed
                    break loop
                case .end(let consumed):
                    offset += consumed
                    return (payload, .complete(rest: Array(input[offset...])))
                case .failed(let fault):
                    return (payload, .failed(fault))
                }
            }
        }
        return (payload, .open)
    }

    @Test func `counts a body and leaves what follows`() {
        let input = bytes("helloGET")
        for cuts in cuts(of: input.count) {
            let (payload, ending) = self.decode(input, .length(5), cuts: cuts)
            #expect(payload == bytes("hello"))
            #expect(ending == .complete(rest: bytes("GET")))
        }
    }

    @Test func `an empty body is complete at once`() {
        for framing in [BodyFraming.none, .length(0)] {
            var decoder = BodyDecoder(framing)
            #expect(decoder.isComplete)
            #expect(decoder.decode([UInt8]().span) == .end(consumed: 0))
            #expect(decoder.payloadBytesLeft == 0)
            #expect(decoder.inputEnded() == nil)
        }
    }

    @Test func `takes everything until the connection ends`() {
        var decoder = BodyDecoder(.untilClose)
        #expect(decoder.decode(bytes("ab").span) == .payload(0..<2, consumed: 2))
        #expect(decoder.decode([UInt8]().span) == .needsInput(consumed: 0))
        #expect(decoder.inputEnded() == nil)
        #expect(decoder.isComplete)
    }

    @Test func `an early end of the connection is a truncated body`() {
        for (framing, input) in [
            (BodyFraming.length(3), "ab"), (.chunked, "2\r\nab\r\n"), (.chunked, "0\r\n"),
            (.chunked, ""),
        ] {
            var decoder = BodyDecoder(framing)
            while case .payload(_, let consumed) = decoder.decode(bytes(input).span), consumed == 0
            {}
            #expect(decoder.inputEnded() == .truncated)
            #expect(decoder.decode(bytes("x").span) == .failed(.truncated))
        }
    }

    @Test func `decodes generated chunks alike however they are cut`() {
        for seed in UInt64(0)..<150 {
            var generator = SeededGenerator(seed: seed)
            let body = (0..<generator.below(40)).map { _ in
                UInt8.random(in: 0...255, using: &generator)
            }
            let input = GeneratedMessage.chunked(body, using: &generator) + bytes("rest")
            for cuts in cuts(of: input.count) {
                let (payload, ending) = self.decode(input, .chunked, cuts: cuts)
                #expect(payload == body, "seed \(seed)")
                #expect(ending == .complete(rest: bytes("rest")), "seed \(seed)")
            }
        }
    }

    @Test(arguments: [
        ("7fffffffffffffff\r\n", Ending.open), ("8000000000000000\r\n", .failed(.malformedChunk)),
        ("0000000000000001\r\n", .open), ("00000000000000001\r\n", .failed(.malformedChunk)),
    ])
    private func `sizes fit or are refused`(input: String, ending: Ending) {
        #expect(self.decode(bytes(input), .chunked).ending == ending)
    }

    @Test func `limits the payload of every framing`() {
        let chunks = bytes("3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n")
        #expect(self.decode(chunks, .chunked, bytesMax: 6).ending == .complete(rest: []))
        for cuts in cuts(of: chunks.count) {
            let (payload, ending) = self.decode(chunks, .chunked, bytesMax: 5, cuts: cuts)
            #expect(payload == bytes("abc"))
            #expect(ending == .failed(.tooLarge))
        }
        #expect(self.decode(bytes("abc"), .length(3), bytesMax: 2).ending == .failed(.tooLarge))
        #expect(self.decode(bytes("abc"), .untilClose, bytesMax: 3).ending == .open)
        #expect(self.decode(bytes("abc"), .untilClose, bytesMax: 2).ending == .failed(.tooLarge))
    }

    @Test func `limits extensions over all chunks of a body`() {
        let chunk = "1;" + String(repeating: "a", count: 1023) + "\r\nx\r\n"
        let sixteen = bytes(String(repeating: chunk, count: 16))
        #expect(self.decode(sixteen, .chunked).ending == .open)
        #expect(
            self.decode(sixteen + bytes("0;a"), .chunked).ending
                == .failed(.malformedChunkExtension)
        )
    }

    @Test func `limits trailers`() {
        let field = "X: " + String(repeating: "a", count: 1019) + "\r\n"
        let input = bytes("0\r\n" + String(repeating: field, count: 15) + "\r\n")
        #expect(self.decode(input, .chunked).ending == .complete(rest: []))
        let large = bytes("0\r\n" + String(repeating: field, count: 16) + "\r\n")
        #expect(self.decode(large, .chunked).ending == .failed(.trailerTooLarge))
    }

    @Test func `every fault is one of the request and one of the response`() {
        for fault in BodyFault.allCases {
            #expect(fault.requestFault.closesConnection)
            #expect(!fault.responseFault.detail.description.isEmpty)
        }
    }
}

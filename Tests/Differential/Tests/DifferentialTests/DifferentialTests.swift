import NIOHTTP1
import RelayHTTP
import Testing

/// What relay accepts, llhttp accepts with the same fields and the same body.
///
/// The deliberate differences:
/// - relay passes on methods that llhttp does not know: a method is any token (RFC 9110 section 9.1);
/// - relay trims white space behind a value (RFC 9112 section 5), llhttp does not;
/// - relay drops trailers, also such that name the framing; llhttp refuses these;
/// - relay refuses more: `stricter` names every reason, each a rule of RFC 9112 that llhttp leaves to its
///   user or is lenient about.
struct DifferentialTests {
    /// Reasons for which relay refuses requests that llhttp accepts.
    static let stricter: Set<RequestFault> = [
        // llhttp leaves Host and Connection, and whether the target has a form of the method, to its user.
        .missingHost, .repeatedHost, .malformedHost, .malformedConnection,
        .forbiddenConnectionOption, .malformedTarget,
        // llhttp skips any number of empty lines before a request.
        .malformedRequestLine,
        // llhttp leaves this to its user.
        .transferEncodingOnHTTP10,
        // llhttp accepts other lists that end in `chunked`, such as `, chunked`, and tabs before
        // what frames a message.
        .malformedTransferEncoding, .malformedContentLength,
        // llhttp accepts DEL within a value.
        .controlByte,
        // llhttp accepts bytes that are no part of a token in extensions.
        .malformedChunkExtension,
    ]

    private func utf8(_ text: String) -> String {
        String(decoding: bytes(text), as: UTF8.self)
    }

    private func reading(_ request: RequestText) -> OtherReading {
        OtherReading(
            method: request.method,
            target: self.utf8(request.target),
            minorVersion: request.version == .http11 ? 1 : 0,
            fields: request.fields.map { self.utf8("\($0.name): \($0.value)") },
            body: request.body
        )
    }

    /// Whether it is by one of the differences above that llhttp refuses a request.
    private func isDeliberate(_ request: RequestText, _ message: [UInt8]) -> Bool {
        // NIO's name of M-SEARCH is no method of llhttp's.
        if case .RAW = HTTPMethod(rawValue: request.method), request.method != "M-SEARCH" {
            return true
        }
        if request.method == "MSEARCH" { return true }
        return self.hasFramingTrailer(message)
    }

    private func lines(_ message: [UInt8]) -> [String] {
        text(message).lowercased().unicodeScalars.split(separator: "\n").map(String.init)
    }

    private func hasFramingTrailer(_ message: [UInt8]) -> Bool {
        self.lines(message).drop { $0 != "\r" }.contains {
            $0.hasPrefix("content-length:") || $0.hasPrefix("transfer-encoding:")
        }
    }

    /// Counts of the four outcomes, for the report of a run.
    private struct Tally {
        var alike = 0
        var bothRefuse = 0
        var onlyOtherAccepts: [RequestFault: Int] = [:]
        var onlyRelayAccepts = 0
    }

    private func compare(_ message: [UInt8], seed: UInt64, tally: inout Tally) {
        let ours = Transcript.read([message])
        let other = OtherReading.request(message)
        if let request = ours.requests.first, request.isComplete {
            if let other {
                tally.alike += 1
                #expect(self.reading(request) == other, "seed \(seed)")
            } else if self.isDeliberate(request, message) {
                tally.onlyRelayAccepts += 1
            } else {
                Issue.record("seed \(seed): llhttp refuses \(text(message).debugDescription)")
            }
        } else if let fault = ours.fault {
            if other == nil {
                tally.bothRefuse += 1
            } else {
                tally.onlyOtherAccepts[fault, default: 0] += 1
                #expect(
                    Self.stricter.contains(fault),
                    "seed \(seed): only relay refuses \(text(message).debugDescription)"
                )
            }
        } else if other != nil {
            Issue.record(
                "seed \(seed): only llhttp sees the end of \(text(message).debugDescription)"
            )
        }
    }

    @Test func `reads valid requests as llhttp does`() {
        var tally = Tally()
        for seed in UInt64(0)..<20_000 {
            var generator = SeededGenerator(seed: seed)
            let (message, _) = GeneratedMessage.request(using: &generator)
            self.compare(message, seed: seed, tally: &tally)
        }
        #expect(tally.alike == 20_000)
        print("valid requests:", tally)
    }

    @Test func `accepts no damaged request that llhttp refuses or reads otherwise`() {
        var tally = Tally()
        for seed in UInt64(0)..<60_000 {
            var generator = SeededGenerator(seed: seed)
            let (valid, _) = GeneratedMessage.request(using: &generator)
            let message = GeneratedMessage.damaged(valid, using: &generator)
            self.compare(message, seed: seed, tally: &tally)
        }
        #expect(tally.alike > 1000 && tally.bothRefuse > 1000)
        print("damaged requests:", tally)
    }

    /// A valid response whose end does not need the connection's.
    private func response(using generator: inout SeededGenerator) -> [UInt8] {
        let status = generator.pick([
            "200 OK", "204 No Content", "304 Not Modified", "404 ", "503 Out",
        ])
        var lines = ["Server: x"]
        for _ in 0..<generator.below(6) {
            let name = generator.pick(GeneratedMessage.fieldNames)
            lines.append("\(name): \(generator.pick(GeneratedMessage.fieldValues))")
        }
        let body = (0..<generator.below(40)).map { _ in UInt8.random(in: 0...255, using: &generator)
        }
        var encoded: [UInt8] = []
        if status.hasPrefix("204") || status.hasPrefix("304") {
            lines.append("X-No: body")
        } else if generator.oneIn(2) {
            lines.append("Content-Length: \(body.count)")
            encoded = body
        } else {
            lines.append("Transfer-Encoding: chunked")
            encoded = GeneratedMessage.chunked(body, using: &generator)
        }
        lines.shuffle(using: &generator)
        let head = lines.map { $0 + "\r\n" }.joined()
        return bytes("HTTP/1.1 \(status)\r\n\(head)\r\n") + encoded
    }

    /// The first response as relay reads it; nil if it is refused or does not end.
    private func reading(response message: [UInt8], to method: Method) -> OtherReading? {
        var parser = ResponseParser()
        var head = ResponseHead()
        guard parser.parse(message.span, answering: method, into: &head) == .head else {
            return nil
        }
        // NIO gives an interim response no end of its own.
        if head.isInterim { return nil }
        var reading = OtherReading(
            method: String(head.status),
            target: "",
            minorVersion: head.version == .http11 ? 1 : 0
        )
        reading.fields = head.fields.positions.map {
            self.utf8("\(text($0.name, in: message)): \(text($0.value, in: message))")
        }
        var decoder = BodyDecoder(head.framing)
        var offset = head.byteCount
        while true {
            switch decoder.decode(message.span.extracting(offset..<message.count)) {
            case .payload(let range, let consumed):
                reading.body += message[offset...].dropFirst(range.lowerBound).prefix(range.count)
                offset += consumed
            case .end: return reading
            case .needsInput, .failed: return nil
            }
        }
    }

    @Test func `reads valid and damaged responses as llhttp does`() {
        var alike = 0
        for seed in UInt64(0)..<30_000 {
            var generator = SeededGenerator(seed: seed)
            let method: Method = generator.oneIn(5) ? .head : .get
            var message = self.response(using: &generator)
            let isDamaged = generator.oneIn(2)
            if isDamaged { message = GeneratedMessage.damaged(message, using: &generator) }
            let ours = self.reading(response: message, to: method)
            let other = OtherReading.response(message, to: method == .head ? .HEAD : .GET)
            if !isDamaged { #expect(ours != nil, "seed \(seed)") }
            guard let ours else { continue }
            if other == nil, self.hasFramingTrailer(message) {
                continue
            }
            if ours == other { alike += 1 }
            #expect(ours == other, "seed \(seed): \(text(message).debugDescription)")
        }
        #expect(alike > 15_000)
        print("responses alike:", alike)
    }
}

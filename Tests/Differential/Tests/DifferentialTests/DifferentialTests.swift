import NIOHTTP1
import RelayHTTP
import Testing

/// What relay accepts, llhttp accepts with the same fields and the same body.
///
/// The deliberate differences:
/// - relay passes on methods that llhttp does not know: a method is any token (RFC 9110 section 9.1);
/// - relay trims white space behind a value (RFC 9112 section 5), llhttp does not, and refuses a tab
///   behind a `Content-Length`;
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
        // llhttp accepts lists of codings, such as `gzip, chunked`, and hands them to its user.
        .malformedTransferEncoding,
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
        let lines = text(message).lowercased().unicodeScalars.split(separator: "\n").map(
            String.init
        )
        let trailers = lines.drop { $0 != "\r" }
        return lines.contains { $0.hasPrefix("content-length") && $0.hasSuffix("\t\r") }
            || trailers.contains {
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
}

import ArgumentParser
import RelayConfig
import RelayHTTP
import RelayUpstream

/// A client at work: its connection to relay and its token.
final class ClientSession {
    private let client: PacketClient
    private let url: String

    /// Whether relay had the packet that was sent last already.
    private var wasDuplicate = false

    /// The token of the session; empty before there is one.
    var token: String

    /// How long relay may take where it holds nothing; its own limits are shorter.
    private static let answerTimeout: Duration = .seconds(60)

    /// A client of the relay at `address`.
    init(_ address: RelayAddress, token: String = "") throws {
        let url: TargetURL
        do {
            url = try TargetURL(argument: address.url, named: "--url")
        } catch {
            throw ValidationError(error.description)
        }
        self.client = try PacketClient(url: url)
        self.url = url.text
        self.token = token
    }

    /// Waits for `duration`.
    func pause(_ duration: Duration) { self.client.pause(duration) }

    /// Logs in or registers, and gives the token.
    func logIn(at path: String, permissions: String?, body: [UInt8]) throws -> String {
        var fields = FieldLines()
        if let permissions { try fields.append("Permissions", permissions) }
        let answer = try self.post(path, fields, body, timeout: Self.answerTimeout)
        guard answer.status == 200 else { throw ClientRefusal(answer) }
        let text = String(decoding: answer.body, as: UTF8.self)
        guard let first = text.firstIndex(where: { !$0.isWhitespace }),
            let last = text.lastIndex(where: { !$0.isWhitespace })
        else { throw ClientRefusal(reason: "relay answered 200 without a token") }
        return String(text[first...last])
    }

    /// Sends a packet, or asks for one if `body` is empty; nil if none came.
    ///
    /// relay may hold the request for `hold`, which is at most an hour, or as long as `wait` says.
    func exchange(
        _ fields: FieldLines,
        body: [UInt8],
        wait: Duration = .seconds(3600)
    ) throws -> ReceivedPacket? {
        var fields = fields
        try fields.append("Authorization", "Bearer \(self.token)")
        let timeout = min(wait, .seconds(3600)) + Self.answerTimeout
        let answer = try self.post("/", fields, body, timeout: timeout)
        guard answer.status == 200 else { throw ClientRefusal(answer) }
        self.wasDuplicate = answer.field("Duplicate") != nil
        guard answer.field("Packet-Id") != nil else { return nil }
        return ReceivedPacket(answer)
    }

    /// Sends a packet that has a `Packet-Id`, or asks for one, and prints and acknowledges what comes.
    ///
    /// What was not acknowledged is delivered again, so a packet is missed neither if its answer is lost nor if this
    /// process ends before it has printed it. Tries again, `retries` times, while relay does not answer or has no
    /// room.
    func take(_ fields: FieldLines, body: [UInt8], wait: Duration, retries: Int) throws {
        var asking = fields
        try asking.append("Ack", "0")
        var packet = try self.retrying(retries) {
            try self.exchange(asking, body: body, wait: wait)
        }
        if packet == nil, self.wasDuplicate {
            // The answer that was lost may have brought a packet, and a repeat brings none: ask for it.
            packet = try self.retrying(retries) {
                try self.exchange(asking, body: [], wait: wait)
            }
        }
        guard let packet else { return }
        try packet.print()
        guard let number = packet.number else { return }
        var done = FieldLines()
        try done.append("Ack", "\(number)")
        try done.append("Prefer", "wait=0")
        // What this answer brings is not acknowledged, and so waits for the next command.
        _ = try self.retrying(retries) { try self.exchange(done, body: [], wait: .zero) }
    }

    /// Calls `body` again after a pause, `retries` times at most, when relay does not answer or has no room.
    ///
    /// The pauses double from 100 ms to 3.2 s; half of each is chance.
    private func retrying<Result>(_ retries: Int, _ body: () throws -> Result) throws -> Result {
        var failures = 0
        while true {
            do {
                return try body()
            } catch let problem as NoAnswer where failures < retries {
                StandardStream.error.report("\(problem); trying again")
            } catch let refusal as ClientRefusal where refusal.status == 503 && failures < retries {
                StandardStream.error.report("\(refusal); trying again")
            }
            let longest = 100 << min(failures, 5)
            self.pause(.milliseconds(Int.random(in: longest / 2...longest)))
            failures += 1
        }
    }

    private func post(
        _ path: String,
        _ fields: FieldLines,
        _ body: [UInt8],
        timeout: Duration
    ) throws(NoAnswer) -> PacketClient.Answer {
        do {
            return try self.client.post(path, fields: fields.bytes, body: body, timeout: timeout)
        } catch {
            throw NoAnswer(url: self.url, reason: error.reason)
        }
    }
}

/// relay did not answer: it is not there, or the connection broke.
struct NoAnswer: Error, CustomStringConvertible {
    let url: String
    let reason: String

    var description: String { "no answer from relay at \(self.url): \(self.reason)" }
}

/// relay has refused what the client asked for.
struct ClientRefusal: Error, CustomStringConvertible {
    /// The status; 0 if it is no answer of relay that is refused.
    let status: UInt16
    let description: String

    init(reason: String) {
        self.status = 0
        self.description = reason
    }

    /// Says the status, and the sentence of the problem document if there is one.
    init(_ answer: PacketClient.Answer) {
        self.status = answer.status
        let isProblem = answer.field("Content-Type") == "application/problem+json"
        let text = String(decoding: answer.body, as: UTF8.self)
        let sentence = isProblem ? ProblemText.detail(of: text) ?? text : text
        let shown = sentence.filter { !$0.isNewline }.prefix(500)
        self.description =
            "relay answered \(answer.status) \(StatusPhrase.of(answer.status))"
            + (shown.isEmpty ? "" : ": \(shown)")
    }
}

/// A packet that came.
struct ReceivedPacket {
    private let answer: PacketClient.Answer

    init(_ answer: PacketClient.Answer) { self.answer = answer }

    /// The packet's number; nil if what relay sent is none.
    var number: UInt64? { self.answer.field("Packet-Id").flatMap { UInt64($0) } }

    /// Writes the body to standard output, and what else is known of the packet to standard error if a person
    /// reads there.
    ///
    /// Where a person reads the body it ends with a line end.
    func print() throws {
        self.report()
        var body = self.answer.body
        if StandardStream.output.isTerminal, body.last != 0x0A { body.append(0x0A) }
        try StandardStream.output.write(body)
    }

    /// The same with the body as one line: see `PacketLine`.
    func printLine() throws {
        self.report()
        try StandardStream.output.write(line: PacketLine.text(of: self.answer.body))
    }

    private func report() {
        if StandardStream.error.isTerminal {
            let known = ["from", "packet-id", "redelivered", "more"]
            let shown = self.answer.fields.filter { field in
                let name = field.name.lowercased()
                return known.contains(name) || name.hasPrefix("x-")
            }
            let text = shown.map { "\($0.name): \($0.value)" }.joined(separator: ", ")
            StandardStream.error.report("[\(text)]")
        }
    }
}

/// The sentence of a problem document (RFC 9457).
enum ProblemText {
    /// The value of `detail`; nil if there is none, or it is not a simple JSON string.
    static func detail(of document: String) -> String? {
        guard let start = document.firstRange(of: #""detail":""#)?.upperBound else { return nil }
        var sentence = ""
        var isEscaped = false
        for character in document[start...] {
            if isEscaped {
                guard character == "\"" || character == "\\" else { return nil }
                sentence.append(character)
                isEscaped = false
            } else if character == "\\" {
                isEscaped = true
            } else if character == "\"" {
                return sentence
            } else {
                sentence.append(character)
            }
        }
        return nil
    }
}

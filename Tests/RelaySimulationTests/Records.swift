import RelayEngine

/// A packet that a client sent, and what became of it.
final class SentPacket {
    /// Counts all packets of the world.
    let number: Int
    let client: String
    /// The pool that it goes to.
    let pool: String
    let contents: [UInt8]
    /// The client's own name for it.
    let key: String?
    /// The request that carried it last.
    private(set) var request: ClientRequest
    /// Whether it was sent more than once.
    private(set) var isRepeated = false
    /// Each time that a backend had read it in whole.
    var attempts: [Attempt] = []

    init(
        number: Int,
        client: String,
        pool: String,
        key: String?,
        contents: [UInt8],
        request: ClientRequest
    ) {
        self.number = number
        self.key = key
        self.client = client
        self.pool = pool
        self.contents = contents
        self.request = request
    }

    /// The client sends it once more.
    func repeats(_ request: ClientRequest) {
        self.request = request
        self.isRepeated = true
        request.packet = self
    }

    /// Whether a backend has said what is to become of it.
    var isFinal: Bool { self.attempts.contains { $0.isFinal } }
    /// The attempts by which a backend took it.
    var consumed: [Attempt] { self.attempts.filter { $0.isConsumed } }
}

/// A request that a backend has read in whole, and its answer.
final class Attempt {
    /// The packet; nil for a fetch.
    let packet: SentPacket?
    /// When it was read.
    let time: MonotonicTime
    /// The status that the backend began to write; nil if it has not.
    var status: Int?
    /// The packet that the answer carries.
    var reply: Reply?
    /// Whether the answer was written in whole.
    var isWhole = false
    /// Whether relay must have read the answer: it used the connection again.
    var isProven = false
    /// Whether the connection was broken from the backend's side after the answer.
    var isCut = false

    init(packet: SentPacket?, time: MonotonicTime) {
        self.packet = packet
        self.time = time
    }

    var isConsumed: Bool { self.status.map { (200..<300).contains($0) } ?? false && self.isWhole }
    /// Whether relay may go on to the next packet when it has read this.
    var isFinal: Bool { self.isConsumed || self.status == 400 }
}

/// A packet that a backend gave for a client.
final class Reply {
    /// Counts all replies of the world.
    let number: Int
    let recipient: String
    let contents: [UInt8]
    /// What it answers.
    let attempt: Attempt
    /// `Packet-Id` that relay gave it.
    var packetID: UInt64?
    /// Every time that a client has read it in whole.
    var deliveries: [ReadDelivery] = []

    /// For the trace.
    var label: String {
        let cause = self.attempt.packet.map { "packet \($0.number)" } ?? "a fetch"
        return "reply \(self.number) for \(self.recipient) to \(cause)"
    }

    init(number: Int, recipient: String, contents: [UInt8], attempt: Attempt) {
        self.number = number
        self.recipient = recipient
        self.contents = contents
        self.attempt = attempt
    }
}

/// A packet that a client has read in whole.
struct ReadDelivery {
    let connection: ClientConnection
    let request: ClientRequest
    let isMarked: Bool
}

/// A login that was granted.
final class ClientSession {
    let token: String
    let since: MonotonicTime
    /// When the client had read the answer to the login that replaced it.
    var replacedAt: MonotonicTime?

    init(token: String, since: MonotonicTime) {
        self.token = token
        self.since = since
    }
}

/// A request of a client at the packet path, and its answer.
final class ClientRequest {
    let client: Client
    let session: ClientSession
    let connection: ClientConnection
    /// How many requests of the connection were not answered before it.
    let ahead: Int
    let waitSeconds: Int?
    /// The number that it acknowledges.
    var acknowledged: UInt64?
    /// When its first byte was given to the client's kernel.
    let sentAt: MonotonicTime
    var packet: SentPacket?
    /// When the first byte of anything came after it was sent.
    var answeredAt: MonotonicTime?
    var status: Int?
    /// Whether the client had begun another login, or hung up, while it was under way.
    var isDisturbed = false
    /// Whether the client ended its stream in order behind the request, without waiting for the answer.
    var wasLeft = false
    /// Whether another poll of the client was under way at the same time.
    var hadCompany = false

    init(
        _ client: Client,
        _ session: ClientSession,
        _ connection: ClientConnection,
        waitSeconds: Int?,
        now: MonotonicTime
    ) {
        self.client = client
        self.session = session
        self.connection = connection
        self.ahead = connection.open.count
        self.waitSeconds = waitSeconds
        self.sentAt = now
    }

    /// For the trace.
    var label: String {
        let hold = self.waitSeconds.map { ", wait \($0)" } ?? ""
        let packet = self.packet.map { ", packet \($0.number)" } ?? ""
        return "a poll of \(self.client.name) with \(self.session.token)\(hold)\(packet)"
    }

    /// Something has come from relay while this was the first request without an answer.
    func firstByteCame(_ now: MonotonicTime) {
        if self.answeredAt == nil { self.answeredAt = now }
    }
}

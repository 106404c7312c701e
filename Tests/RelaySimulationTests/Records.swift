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
    /// The packet as its recipients get it, if it is for clients and not for a backend.
    var gift: Gift?
    /// The request that carried it last.
    private(set) var request: ClientRequest
    /// Whether it was sent more than once.
    private(set) var isRepeated = false
    /// Whether relay has said of an earlier request that it has it.
    private(set) var wasStored = false
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
        if self.request.status == 200 { self.wasStored = true }
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
    /// Whom a fetch of mode client is for.
    let client: String?
    /// The pool of the backend that read it.
    let pool: String
    /// The status that the backend began to write; nil if it has not.
    var status: Int?
    /// The packet that the answer carries.
    var gift: Gift?
    /// The sessions that the answer ends.
    var endings: [(client: Client, session: ClientSession)] = []
    /// Whether nothing will come of it any more.
    var isOver = false
    /// Whether the answer was written in whole.
    var isWhole: Bool { self.wroteAt != nil }
    /// When it was.
    var wroteAt: MonotonicTime?
    /// Whether relay must have read the answer: it used the connection again.
    var isProven = false
    /// Whether the connection was broken from the backend's side after the answer.
    var isCut = false

    init(packet: SentPacket?, client: String? = nil, pool: String) {
        self.packet = packet
        self.client = client
        self.pool = pool
    }

    var isConsumed: Bool { self.status.map { (200..<300).contains($0) } ?? false && self.isWhole }
    /// Whether relay may go on to the next packet when it has read this.
    var isFinal: Bool { self.isConsumed || self.status == 400 }
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
    /// When it was certain that the session is over: another login or a logout was answered, or relay has read
    /// a backend's `End-Session`.
    var replacedAt: MonotonicTime?
    /// Whether a backend has given `End-Session` that may mean it.
    var mayHaveEnded = false

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
